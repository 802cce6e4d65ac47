"""The audit log: append-only, each entry chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ingest_core.clock import now
from ingest_core.engine import Session


def write_audit(session: Session, actor: str, action: str, object_: str, detail: dict[str, Any]) -> None:
    """Adds one entry, inside the caller's transaction. ``detail`` never holds PII."""
    row = session.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    seq, previous = (row[0] + 1, row[1]) if row else (1, "")
    moment = now()
    text = json.dumps(detail, sort_keys=True)
    session.run(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            seq,
            moment,
            actor,
            action,
            object_,
            text,
            previous,
            _hash(seq, moment, actor, action, object_, text, previous),
        ],
    )


def verify_audit(session: Session) -> int | None:
    """The first entry that was changed, or None when the chain holds."""
    previous = ""
    for seq, moment, actor, action, object_, text, before, kept in session.rows("SELECT * FROM audit ORDER BY seq"):
        if before != previous or kept != _hash(seq, moment, actor, action, object_, text, before):
            return int(seq)
        previous = kept
    return None


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
