"""OpenPGP keys: public ones of those who get files, and private ones of ours, sealed and never handed back."""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.errors import ConfigError, InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model
from ingest_core.transport.openpgp import PrivateKey, PublicKey, read_key
from ingest_core.vault import Keyset
from ingest_core.vault.secrets import open_text, seal_text

_SELECT = "SELECT pgp_key_id, name, kind, fingerprint, expires_at, created_at, created_by FROM pgp_key"
_MOST = 1 << 20


class PgpKey(Model):
    """One key by the name that it has here. Names inside keys are people's; they are not kept apart."""

    pgp_key_id: int
    name: str
    kind: Literal["public", "private"]
    fingerprint: str
    expires_at: datetime | None = None
    created_at: datetime
    created_by: str


class PgpKeys:
    """The OpenPGP keys of a workspace. Names are unique without regard to case."""

    def __init__(self, engine: Engine, keyset: Keyset, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._user = user

    def list(self) -> list[PgpKey]:
        """All keys by name."""
        with self._engine.session() as session:
            return [PgpKey(**row) for row in session.records(f"{_SELECT} ORDER BY lower(name)")]

    def get(self, name: str) -> PgpKey:
        """By name. InputError ``no_such_pgp_key``."""
        with self._engine.session() as session:
            found = session.records(f"{_SELECT} WHERE lower(name) = lower(?)", [name])
        if not found:
            raise InputError(
                "There is no OpenPGP key of this name. Nothing was changed.",
                code="no_such_pgp_key",
                hint="See the names with: pgp list",
            )
        return PgpKey(**found[0])

    def add(self, name: str, text: str, passphrase: str | None = None) -> PgpKey:
        """Keeps a key, armored. Of a private one it is tried out whether it opens what is encrypted for it.

        StateError ``pgp_key_exists``; InputError ``bad_name``, ``bad_pgp_key``, ``bad_passphrase``.
        """
        name = check_name(name, "a key")
        facts = read_key(text[:_MOST], passphrase)
        kind = "private" if facts.is_private else "public"
        expires = None if facts.expires_at is None else facts.expires_at.astimezone(UTC).replace(tzinfo=None)
        with self._engine.write, self._engine.session() as session, session.transaction():
            if session.value("SELECT count(*) FROM pgp_key WHERE lower(name) = lower(?)", [name]):
                raise StateError(
                    "An OpenPGP key of this name exists already. Nothing was changed.",
                    code="pgp_key_exists",
                    hint="Choose another name, or remove the other key first.",
                )
            number = int(session.value("SELECT coalesce(max(pgp_key_id), 0) + 1 FROM pgp_key"))
            material = facts.public
            if facts.is_private:
                plain = json.dumps({"key": text, "passphrase": passphrase})
                material = seal_text(self._keyset, f"pgp key {facts.fingerprint}", plain)
            session.run(
                "INSERT INTO pgp_key VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [number, name, kind, facts.fingerprint, material, expires, now(), self._user],
            )
            write_audit(session, self._user, "add pgp key", name, {"kind": kind, "fingerprint": facts.fingerprint})
        return self.get(name)

    def remove(self, name: str) -> None:
        """Takes a key away for good. What is encrypted for a private one cannot be opened any more."""
        kept = self.get(name)
        with self._engine.write, self._engine.session() as session, session.transaction():
            session.run("DELETE FROM pgp_key WHERE pgp_key_id = ?", [kept.pgp_key_id])
            write_audit(session, self._user, "remove pgp key", kept.name, {"fingerprint": kept.fingerprint})

    def public(self, name: str) -> str:
        """The public part of a key as text, for those who are to encrypt for it."""
        kept = self.get(name)
        if kept.kind == "public":
            return self._material(kept)
        return read_key(self._opened(kept)["key"], self._opened(kept)["passphrase"]).public

    def recipients(self, names: Sequence[str]) -> builtins.list[PublicKey]:
        """Keys to encrypt for, by their names. InputError ``no_such_pgp_key``."""
        return [PublicKey(kept.name, kept.fingerprint, self.public(kept.name)) for kept in map(self.get, names)]

    def private(self) -> builtins.list[PrivateKey]:
        """All private keys: with one of them a message of ours opens. ConfigError ``secret_damaged``."""
        return [
            PrivateKey(kept.name, kept.fingerprint, opened["key"], opened["passphrase"])
            for kept in self.list()
            if kept.kind == "private"
            for opened in [self._opened(kept)]
        ]

    def _material(self, kept: PgpKey) -> str:
        with self._engine.session() as session:
            return str(session.value("SELECT material FROM pgp_key WHERE pgp_key_id = ?", [kept.pgp_key_id]))

    def _opened(self, kept: PgpKey) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(
                open_text(self._keyset, f"pgp key {kept.fingerprint}", self._material(kept))
            )
        except ConfigError:
            raise ConfigError(
                f"The private key {kept.name} cannot be opened: it was changed, or belongs to another workspace.",
                code="secret_damaged",
                hint="Remove it and add it again.",
            ) from None
        return found
