"""Secrets of settings (passwords), sealed by a key of their own, so that settings.json can be read and backed up."""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_core.errors import ConfigError
from ingest_core.vault.keys import Keyset

SEALED = "sealed:"
"""How a sealed text begins; anything else is the secret itself, as the environment gives it."""


def seal_text(keyset: Keyset, name: str, text: str) -> str:
    """The text of a setting as ``sealed:…``; opens only under the same name and keys."""
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(keyset.file_key(f"setting {name}")).encrypt(nonce, text.encode(), name.encode())
    return SEALED + base64.b64encode(nonce + sealed).decode()


def open_text(keyset: Keyset, name: str, text: str) -> str:
    """What was sealed; a text that is not sealed is itself. ConfigError ``secret_damaged``."""
    if not text.startswith(SEALED):
        return text
    try:
        sealed = base64.b64decode(text.removeprefix(SEALED), validate=True)
        return AESGCM(keyset.file_key(f"setting {name}")).decrypt(sealed[:12], sealed[12:], name.encode()).decode()
    except (InvalidTag, ValueError):
        raise ConfigError(
            f"{name} cannot be opened: settings.json was changed, or comes from another workspace.",
            code="secret_damaged",
            hint="Set it again.",
            facts={"setting": name},
        ) from None
