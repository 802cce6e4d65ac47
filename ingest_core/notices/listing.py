"""Reads notices, and forgets those that are of no use any more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest_core.engine import Session
from ingest_core.errors import InputError
from ingest_core.ledger.uploads import utc
from ingest_core.notices import messages
from ingest_core.notices.model import STATES, Notice, Sending, State

_SENDINGS = """
SELECT notice_id, channel, recipient, state, attempts, next_try, error, sent_at FROM notice_sending
WHERE notice_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY notice_id, channel, recipient"""

_OLD = """
SELECT notice_id FROM notice WHERE happened_at < ?
AND NOT EXISTS (FROM notice_sending AS one WHERE one.notice_id = notice.notice_id AND one.state = 'waiting')"""


def notices(
    session: Session, *, state: State | None, request_id: str | None, limit: int, offset: int = 0
) -> list[Notice]:
    """Newest first, without their messages."""
    found = session.records(
        "SELECT * FROM notice WHERE (?::VARCHAR IS NULL OR notice_id IN "
        "(SELECT notice_id FROM notice_sending WHERE state = ?)) AND (?::VARCHAR IS NULL OR request_id = ?) "
        "ORDER BY happened_at DESC, rowid DESC LIMIT ? OFFSET ?",
        [state, state, request_id, request_id, limit, offset],
    )
    return _with_sendings(session, found)


def counts(session: Session) -> dict[State, int]:
    """State → notices with a recipient in it; every state is there."""
    found: dict[str, int] = dict(
        session.rows("SELECT state, count(DISTINCT notice_id) FROM notice_sending GROUP BY state")
    )
    return {state: int(found.get(state, 0)) for state in STATES}


def notice(session: Session, notice_id: str, base_url: str | None) -> Notice:
    """One with its messages. InputError ``no_such_notice``."""
    found = session.records("SELECT * FROM notice WHERE notice_id = ?", [notice_id])
    if not found:
        raise InputError("There is no such notice.", code="no_such_notice", hint="See the ids with: notice list")
    made = _with_sendings(session, found)[0]
    return made.model_copy(
        update={
            "text": messages.text(found[0], base_url),
            "html": messages.html(found[0], base_url),
            "body": messages.body(found[0], base_url),
        }
    )


def forget(session: Session, before: datetime) -> int:
    """Removes notices from before a moment that wait for nothing, inside the caller's transaction; returns how many."""
    old = [row[0] for row in session.rows(_OLD, [before])]
    for table in ("notice_sending", "notice"):
        session.run(f"DELETE FROM {table} WHERE notice_id IN (SELECT unnest(?::VARCHAR[]))", [old])
    return len(old)


def _with_sendings(session: Session, found: list[dict[str, Any]]) -> list[Notice]:
    sendings: dict[str, list[Sending]] = {}
    for row in session.records(_SENDINGS, [[record["notice_id"] for record in found]]):
        moments = {name: utc(row[name]) for name in ("next_try", "sent_at")}
        sendings.setdefault(row["notice_id"], []).append(Sending(**(row | moments)))
    letters = [messages.letter(record) for record in found]
    return [
        Notice(
            notice_id=record["notice_id"],
            kind=record["kind"],
            subject=letter.subject,
            path=letter.path,
            request_id=record["request_id"],
            happened_at=utc(record["happened_at"]),
            message_id=record["message_id"],
            sendings=tuple(sendings.get(record["notice_id"], ())),
        )
        for record, letter in zip(found, letters, strict=True)
    ]
