"""All profiles, a page at a time, the newest first: by keyset, so that the last page costs what the first one does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest_core.engine import Session
from ingest_core.errors import InputError
from ingest_core.ledger.uploads import utc
from ingest_core.models import Attribute
from ingest_core.people.ids import record_of
from ingest_core.segments import masked
from ingest_core.segments.compiling import Condition
from ingest_core.segments.known import Known
from ingest_core.segments.segments import condition_of
from ingest_core.vault import Keyset

_IN_SOURCE = "p.pid IN (SELECT m.pid FROM membership AS m WHERE m.source_id = ?)"

_SOURCES = """
SELECT m.pid, list(source.name ORDER BY source.name)
FROM membership AS m JOIN source USING (source_id)
WHERE m.pid IN (SELECT unnest(?::BIGINT[]))
GROUP BY m.pid"""

_SINCE = """
SELECT upload_no, finished_at FROM upload WHERE upload_no IN (SELECT unnest(?::INTEGER[]))"""


def who(session: Session, source: str | None, segment: str | None) -> Condition:
    """The profiles of a source and a segment; None is no limit. InputError ``no_such_source``, ``no_such_segment``."""
    known, conditions = Known.of(session), []
    if source is not None:
        source_id = known.source(source)
        if source_id is None:
            raise InputError("There is no such source.", code="no_such_source", hint="See: source list")
        conditions.append(Condition(_IN_SOURCE, (source_id,)))
    if segment is not None:
        conditions.append(condition_of(known, segment))
    return Condition(
        " AND ".join(f"({condition.sql})" for condition in conditions) or "true",
        tuple(value for condition in conditions for value in condition.parameters),
    )


def page(
    session: Session,
    keyset: Keyset,
    attributes: Sequence[Attribute],
    condition: Condition,
    limit: int,
    older_than: str | None,
    newer_than: str | None,
) -> dict[str, Any]:
    """{profiles, total, newer, older}; see ``People.list``."""
    pids = _pids(session, condition, limit, _place(older_than), _place(newer_than))
    total, newer = _counts(session, condition, pids[0] if pids else None)
    people = masked.profiles(session, keyset, attributes, pids)
    sources: dict[int, list[str]] = dict(session.rows(_SOURCES, [pids]))
    since: dict[int, datetime] = dict(session.rows(_SINCE, [sorted({pid >> 32 for pid in pids})]))
    told = [
        {**one, "sources": sources.get(pid, []), "since": utc(since.get(pid >> 32))}
        for pid, one in zip(pids, people, strict=True)
    ]
    return {"profiles": told, "total": total, "newer": newer, "older": total - newer - len(told)}


def _pids(session: Session, condition: Condition, limit: int, older: int | None, newer: int | None) -> list[int]:
    """Newest first; of the newer ones the nearest to the place that is given."""
    side = "p.pid > ?" if newer is not None else "p.pid < ?"
    place = newer if newer is not None else older if older is not None else 1 << 62
    order = "ASC" if newer is not None else "DESC"
    rows = session.rows(
        f"SELECT p.pid FROM profile AS p WHERE {side} AND ({condition.sql}) ORDER BY p.pid {order} LIMIT ?",
        [place, *condition.parameters, limit],
    )
    return sorted((pid for (pid,) in rows), reverse=True)


def _counts(session: Session, condition: Condition, first: int | None) -> tuple[int, int]:
    """How many there are, and how many of them are newer than the first one shown."""
    row = session.row(
        f"SELECT count(*), count(*) FILTER (p.pid > ?) FROM profile AS p WHERE {condition.sql}",
        [1 << 62 if first is None else first, *condition.parameters],
    )
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _place(public_id: str | None) -> int | None:
    if public_id is None:
        return None
    rid = record_of(public_id)
    if rid is None:
        raise InputError(
            "This is not the id of a profile.", code="no_such_profile", hint="An id is an upload and a line: 12-402."
        )
    return rid


def memberships(session: Session, pid: int) -> list[dict[str, Any]]:
    """{source, request_id, file, at} of each source of a person, with the upload that brought them into it."""
    rows = session.records(
        "SELECT source.name AS source, request_id, file, finished_at AS at "
        "FROM membership AS m JOIN source ON source.source_id = m.source_id "
        "JOIN upload ON upload.upload_no = m.upload_no WHERE m.pid = ? ORDER BY source.name",
        [pid],
    )
    return [{**row, "at": utc(row["at"])} for row in rows]


def filters(session: Session) -> dict[str, list[str]]:
    """{sources, segments}: the names that the list can be limited to."""
    known = Known.of(session)
    return {"sources": sorted(known.sources.values()), "segments": [kept.name for kept in known.visible]}
