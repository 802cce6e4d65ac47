"""The order of the queue, and what stands in it.

An upload is *due* from its time on, or, where it has none, from the moment in which it was given; a time that had
passed when it was given counts as that moment. Uploads are loaded in the order in which they became due, those of the
same moment in the order in which they were given. So of one source, too, a later one never overtakes an earlier one
that is due. One that waits for a person is not due until it is approved, and holds nobody up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ingest_core.clock import now
from ingest_core.engine import Session
from ingest_core.jobs.running import JobProgress
from ingest_core.ledger.uploads import utc

State = Literal["running", "due", "waiting", "held"]

_DUE = """
WITH queued AS (
    SELECT request_id, source_id, scheduled_for, greatest(created_at, scheduled_for) AS due, rowid AS number
    FROM upload WHERE status = 'Scheduled' AND landing IS NOT NULL AND held IS NULL
), at_once AS (
    SELECT request_id, due, number FROM queued WHERE scheduled_for IS NULL ORDER BY number LIMIT 1
), at_its_time AS (
    SELECT request_id, due, number FROM queued WHERE scheduled_for <= ? ORDER BY due, number LIMIT 1
)
SELECT request_id FROM (FROM at_its_time UNION ALL FROM at_once) ORDER BY due, number LIMIT 1"""
"""Whoever did not ask for a time waits for nothing but those before, wherever the clock stepped since."""

_AHEAD = """
SELECT request_id FROM upload WHERE source_id = ? AND landing IS NOT NULL AND (status = 'In Progress'
OR (status = 'Scheduled' AND held IS NULL AND (scheduled_for IS NULL OR scheduled_for <= ?)))
ORDER BY status, greatest(created_at, scheduled_for), rowid"""

_QUEUE = """
SELECT request_id, source.name AS source, file, uploaded_by, status, held, upload.created_at, scheduled_for, started_at,
       status = 'Scheduled' AND held IS NULL AND landing IS NOT NULL
       AND (scheduled_for IS NULL OR scheduled_for <= ?) AS is_due
FROM upload JOIN source ON source.source_id = upload.source_id WHERE status IN ('Scheduled', 'In Progress')
ORDER BY status, is_due DESC, greatest(upload.created_at, scheduled_for), upload.rowid"""
"""In Progress first, then what is due in its order, then the rest."""


@dataclass(frozen=True, slots=True)
class Queued:
    """One upload that has not ended. Moments are UTC; ``progress`` of one that runs in this process."""

    request_id: str
    source: str
    file: str
    uploaded_by: str
    state: State
    given_at: datetime | None
    scheduled_for: datetime | None
    started_at: datetime | None
    held: dict[str, Any] | None
    progress: JobProgress | None = None


def next_due(session: Session) -> str | None:
    """The Request ID of the upload to load now."""
    found = session.value(_DUE, [now()])
    return None if found is None else str(found)


def ahead_of(session: Session, source_id: int) -> list[str]:
    """Uploads of a source that whoever comes now waits for, in their order: loaded by the queue now, or due."""
    return [str(request_id) for (request_id,) in session.rows(_AHEAD, [source_id, now()])]


def queued(session: Session) -> list[Queued]:
    """Everything that has not ended, in the order in which it is loaded."""
    return [
        Queued(
            row["request_id"],
            row["source"],
            row["file"],
            row["uploaded_by"],
            _state(row),
            utc(row["created_at"]),
            utc(row["scheduled_for"]),
            utc(row["started_at"]),
            json.loads(row["held"]) if row["held"] else None,
        )
        for row in session.records(_QUEUE, [now()])
    ]


def _state(row: dict[str, Any]) -> State:
    if row["status"] == "In Progress":
        return "running"
    if row["held"]:
        return "held"
    return "due" if row["is_due"] else "waiting"
