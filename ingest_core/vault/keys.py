"""The keyset of a workspace: made at first start in a 0600 file, or given by ``ONRAMP_KEYS``.

Three roots, every working key derived from one of them by HKDF-SHA256: page keys (versioned, rotated), token keys
(one per attribute, never rotated without a rebuild) and the suppression key (never rotated).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ingest_core.engine.copying import sync
from ingest_core.errors import ConfigError

_CHECK = b"onramp key check"


@dataclass(frozen=True)
class Keyset:
    """Root keys of 32 bytes each. Never printed: ``repr`` shows the versions only.

    Nobody assigns to one. An open workspace has one object of it that everybody holds; a rotation gives that the keys
    of another with ``take``.
    """

    primary: int
    pages: dict[int, bytes]
    tokens: bytes
    suppression: bytes

    def __repr__(self) -> str:
        return f"Keyset(primary={self.primary}, versions={sorted(self.pages)})"

    def copy(self) -> Keyset:
        """The same keys, which stay what they are when this one takes others."""
        return replace(self)

    def take(self, other: Keyset) -> None:
        """Has the page keys of ``other`` from now on. The old primary key is known until there are only new pages."""
        object.__setattr__(self, "pages", dict(other.pages))
        object.__setattr__(self, "primary", other.primary)

    def page_key(self, version: int) -> bytes:
        """The AES-256 key that encrypts vault pages of one key version."""
        if version not in self.pages:
            raise ConfigError(
                f"Key version {version} is missing from the keyset. Nothing was changed.",
                code="key_missing",
                hint="Restore the complete key file of this workspace.",
                facts={"key_version": version},
            )
        return derive(self.pages[version], b"page")

    def file_key(self, name: str) -> bytes:
        """The AES-256 key of one landing file or draft, by its generated name; survives a rotation of page keys."""
        return derive(self.tokens, b"file:" + name.encode())

    def token_key(self, attribute_id: int) -> str:
        """HMAC key of one attribute's tokens: 64 hex characters, one SHA-256 block."""
        return derive(self.tokens, f"token:{attribute_id}".encode()).hex()

    def suppression_key(self, attribute_id: int) -> str:
        """HMAC key of suppression tokens, as ``token_key``."""
        return derive(self.suppression, f"suppression:{attribute_id}".encode()).hex()

    def dump(self) -> str:
        """The keyset as the JSON of the key file."""
        return json.dumps(
            {
                "primary": self.primary,
                "pages": {str(v): base64.b64encode(k).decode() for v, k in sorted(self.pages.items())},
                "tokens": base64.b64encode(self.tokens).decode(),
                "suppression": base64.b64encode(self.suppression).decode(),
            },
            indent=1,
        )


def derive(root: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 of a 32-byte root to a 32-byte key for one purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"onramp:" + info).derive(root)


def new_keyset() -> Keyset:
    """Fresh random roots."""
    return Keyset(1, {1: secrets.token_bytes(32)}, secrets.token_bytes(32), secrets.token_bytes(32))


def parse_keyset(text: str) -> Keyset:
    """Reads the JSON of a key file; ConfigError ``bad_keys`` when it is not one."""
    try:
        data = json.loads(text)
        keyset = Keyset(
            int(data["primary"]),
            {int(v): base64.b64decode(k, validate=True) for v, k in data["pages"].items()},
            base64.b64decode(data["tokens"], validate=True),
            base64.b64decode(data["suppression"], validate=True),
        )
        roots = [*keyset.pages.values(), keyset.tokens, keyset.suppression]
        if keyset.primary not in keyset.pages or any(len(root) != 32 for root in roots):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            "The keys cannot be read. The workspace was not opened.",
            code="bad_keys",
            hint="Restore keys.json of this workspace, or correct ONRAMP_KEYS.",
        ) from None
    return keyset


def keys_in_environment() -> bool:
    """Whether the keys are given from outside: then the folder's own file, if any, is not looked at."""
    return bool(os.environ.get("ONRAMP_KEYS"))


def load_keyset(home: Path, *, may_create: bool) -> Keyset:
    """From ``ONRAMP_KEYS``, else ``keys.json``; made when the workspace is new. A lost file is never replaced."""
    if keys_in_environment():
        return parse_keyset(os.environ["ONRAMP_KEYS"])
    path = home / "keys.json"
    if path.exists():
        return parse_keyset(path.read_text("utf-8"))
    if not may_create:
        raise ConfigError(
            "keys.json is missing and the workspace already holds data. It was not opened.",
            code="keys_missing",
            hint="Put the workspace's keys.json back, or give its content as ONRAMP_KEYS.",
        )
    keyset = new_keyset()
    write_keyset(path, keyset)
    return keyset


def write_keyset(path: Path, keyset: Keyset) -> None:
    """Writes the key file, 0600: the old one is there until the new one is, whatever happens."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(keyset.dump())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def make_check(keyset: Keyset) -> str:
    """A known text under every root: stored in the database, opened at each start."""
    nonce = secrets.token_bytes(12)
    root = derive(keyset.tokens + keyset.suppression, b"check")
    tags = {"roots": base64.b64encode(nonce + AESGCM(root).encrypt(nonce, _CHECK, b"roots")).decode()}
    for version in keyset.pages:
        sealed = AESGCM(keyset.page_key(version)).encrypt(nonce, _CHECK, b"page")
        tags[str(version)] = base64.b64encode(nonce + sealed).decode()
    return json.dumps(tags)


def verify_check(keyset: Keyset, check: str) -> None:
    """ConfigError ``wrong_keys`` unless the keyset is the one this database was written with."""
    tags = json.loads(check)
    try:
        for name, text in tags.items():
            blob = base64.b64decode(text)
            if name == "roots":
                key, label = derive(keyset.tokens + keyset.suppression, b"check"), b"roots"
            else:
                key, label = keyset.page_key(int(name)), b"page"
            AESGCM(key).decrypt(blob[:12], blob[12:], label)
    except (InvalidTag, ConfigError):
        raise ConfigError(
            "These are not the keys this workspace was written with. It was not opened; nothing was changed.",
            code="wrong_keys",
            hint="Use the key file or ONRAMP_KEYS that belongs to this workspace.",
        ) from None
