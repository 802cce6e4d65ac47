"""Unfinished ingests: saved on every change, encrypted, because before a mapping exists everything may be PII."""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import StateError
from ingest_core.vault import Keyset


class Drafts:
    """Drafts by id; a draft is one JSON object. Those of the wizard belong to a source."""

    def __init__(self, engine: Engine, keyset: Keyset, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._user = user

    def create(self, source_id: int | None) -> str:
        """A new empty draft; returns its id (for the URL)."""
        draft_id = secrets.token_hex(8)
        with self._engine.queue, self._engine.session() as session:
            session.run(
                "INSERT INTO draft VALUES (?, ?, ?, ?, ?)",
                [draft_id, source_id, self._user, now(), self._seal(draft_id, {})],
            )
        return draft_id

    def load(self, draft_id: str) -> dict[str, Any] | None:
        """The draft's content with ``source_id`` and ``updated_at`` added, or None. StateError ``draft_damaged``."""
        found = self.read(draft_id)
        return None if found is None else found[0]

    def read(self, draft_id: str) -> tuple[dict[str, Any], str] | None:
        """As ``load``, with the revision of the content, which every save changes."""
        with self._engine.session() as session:
            row = session.row("SELECT source_id, updated_at, state FROM draft WHERE draft_id = ?", [draft_id])
        if row is None:
            return None
        sealed = bytes(row[2])
        try:
            plain = AESGCM(self._keyset.file_key(draft_id)).decrypt(sealed[:12], sealed[12:], b"draft")
        except (InvalidTag, ValueError):
            raise StateError(
                "This unfinished ingest cannot be opened: it was changed on disk, or the key was.",
                code="draft_damaged",
                hint="Discard it and start again. Nothing was loaded.",
            ) from None
        return {**json.loads(plain), "source_id": row[0], "updated_at": row[1]}, _revision(sealed)

    def save(self, draft_id: str, state: dict[str, Any]) -> None:
        """Replaces the content; keys ``source_id`` and ``updated_at`` are not part of it."""
        with self._engine.queue, self._engine.session() as session:
            self._write(session, draft_id, state)

    def _write(self, session: Session, draft_id: str, state: dict[str, Any]) -> None:
        kept = {key: value for key, value in state.items() if key not in {"source_id", "updated_at"}}
        session.run(
            "UPDATE draft SET state = ?, updated_at = ? WHERE draft_id = ?",
            [self._seal(draft_id, kept), now(), draft_id],
        )

    def keep(self, draft_id: str, state: dict[str, Any]) -> None:
        """As ``save``, of a draft that belongs to no source and is made when it is not there yet."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            if session.value("SELECT 1 FROM draft WHERE draft_id = ?", [draft_id]) is not None:
                self._write(session, draft_id, state)
                return
            session.run(
                "INSERT INTO draft VALUES (?, NULL, ?, ?, ?)",
                [draft_id, self._user, now(), self._seal(draft_id, state)],
            )

    def save_over(self, draft_id: str, state: dict[str, Any], revision: str) -> str:
        """As ``save``, if nobody saved since this revision was read; returns the new one.

        StateError ``draft_changed`` when somebody did, ``draft_gone`` when it was loaded or deleted: nothing is saved.
        """
        kept = {key: value for key, value in state.items() if key not in {"source_id", "updated_at"}}
        sealed = self._seal(draft_id, kept)
        with self._engine.queue, self._engine.session() as session:
            found = session.value("SELECT state FROM draft WHERE draft_id = ?", [draft_id])
            if found is None:
                raise _gone()
            if _revision(bytes(found)) != revision:
                raise _changed()
            session.run("UPDATE draft SET state = ?, updated_at = ? WHERE draft_id = ?", [sealed, now(), draft_id])
        return _revision(sealed)

    def delete(self, draft_id: str) -> None:
        with self._engine.queue, self._engine.session() as session:
            session.run("DELETE FROM draft WHERE draft_id = ?", [draft_id])

    def list(self, source_id: int | None = None) -> list[tuple[str, int | None, Any]]:
        """(draft id, source id, updated at), newest first."""
        with self._engine.session() as session:
            return session.rows(
                "SELECT draft_id, source_id, updated_at FROM draft WHERE ? IS NULL OR source_id = ? "
                "ORDER BY updated_at DESC",
                [source_id, source_id],
            )

    def _seal(self, draft_id: str, state: dict[str, Any]) -> bytes:
        nonce = secrets.token_bytes(12)
        plain = json.dumps(state, ensure_ascii=False, default=str).encode()
        return nonce + AESGCM(self._keyset.file_key(draft_id)).encrypt(nonce, plain, b"draft")


def _revision(sealed: bytes) -> str:
    """The nonce of the content: random, so no two savings have the same."""
    return sealed[:12].hex()


def _changed() -> StateError:
    return StateError(
        "This ingest was changed in another window. What you did last in this one was not saved.",
        code="draft_changed",
        hint="Look at it as it is now, and go on from there.",
    )


def _gone() -> StateError:
    return StateError(
        "This ingest was loaded or deleted in another window. Nothing was changed.",
        code="draft_gone",
        hint="The upload history says whether it was loaded.",
    )
