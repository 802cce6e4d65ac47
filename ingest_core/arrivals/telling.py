"""What people are told of arrivals that no upload tells of: a file that was refused, a place that stays away.

Written into the outbox in the transaction of what happened, so that each is told once.
"""

from __future__ import annotations

from typing import Any

from ingest_core.arrivals.schedule import Arrival, Rules
from ingest_core.engine import Session
from ingest_core.ledger import outbox
from ingest_core.ledger.outbox import Event, Letter
from ingest_core.models import SourceSettings

TOLD_AFTER = 3
"""Looks in a row that failed before anybody is told: a server that is started again is no news."""

_CONCERNED = """
SELECT source.source_id, source.name, source.settings, rules, looked_at, place FROM (
    SELECT *, rules ->> '$.place' AS place FROM schedule WHERE schedule_id = ?
) JOIN source USING (source_id)"""


def refused(session: Session, arrival: Arrival, reason: dict[str, Any]) -> None:
    """A file that was not queued."""
    source_id, source, _, _, recipients = _concerned(session, arrival.schedule_id)
    letter = Letter(
        subject=f"{source}: a file was not loaded: {arrival.file}",
        title="A file was not loaded",
        tone="bad",
        sentences=(str(reason.get("message", "")), str(reason.get("hint", ""))),
        rows=(("Source", source), ("File", arrival.file), ("From", arrival.place)),
        path=f"source?source={source_id}&tab=Schedule",
        action="See it in Onramp",
    )
    data = {"source": source, "file": arrival.file, "place": arrival.place, "code": reason.get("code")}
    outbox.tell(
        session,
        Event(f"arrival/{arrival.arrival_no}/refused", "arrival_refused", letter, data, recipients, None, source_id),
    )


def troubled(session: Session, schedule_id: int, attempts: int, error: dict[str, Any]) -> None:
    """A place that could not be looked at several times in a row: told once until it is there again."""
    if attempts < TOLD_AFTER:
        return
    source_id, source, place, looked_at, recipients = _concerned(session, schedule_id)
    letter = Letter(
        subject=f"{source}: {place} cannot be looked at",
        title="Files cannot be fetched",
        tone="bad",
        sentences=(
            str(error.get("message", "")),
            str(error.get("hint", "")),
            "It is tried again and again; no file is lost.",
        ),
        rows=(("Source", source), ("Place", place)),
        path=f"source?source={source_id}&tab=Schedule",
        action="See the schedule in Onramp",
    )
    data = {"source": source, "place": place, "code": error.get("code"), "schedule": schedule_id}
    key = f"schedule/{schedule_id}/{looked_at or 'never'}/failed"
    outbox.tell(session, Event(key, "schedule_failed", letter, data, recipients, None, source_id))


def _concerned(session: Session, schedule_id: int) -> tuple[int, str, str, object, tuple[str, ...]]:
    row = session.row(_CONCERNED, [schedule_id])
    assert row is not None, "a schedule stays in its table"
    source_id, source, settings, rules, looked_at, place = row
    own = Rules.model_validate_json(rules).notify
    recipients = SourceSettings.model_validate_json(settings).recipients if own is None else own
    return int(source_id), str(source), str(place), looked_at, recipients
