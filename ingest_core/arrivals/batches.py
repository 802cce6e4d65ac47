"""Files of Audience Manager need no mapping: their names say what they are. Those of one look are one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest_core.arrivals.schedule import Arrival, Schedule
from ingest_core.arrivals.store import Store
from ingest_core.arrivals.submitting import after_of
from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.audience_manager.originals import files_of_originals
from ingest_core.engine import Engine
from ingest_core.errors import StateError
from ingest_core.faults import abort_point
from ingest_core.vault import LandingZone

_PROCESSED = """
SELECT batch.request_id, file.code FROM am_file AS file JOIN am_batch AS batch USING (batch_no)
WHERE file.name = ? AND file.sha256 IN (?, '') AND batch.started_at >= ? ORDER BY file_no DESC LIMIT 1"""
"""What became of a file since it was taken: a batch keeps its files in the transaction of what they brought.
One that was refused for its name was never read, and has no sum."""


@dataclass(frozen=True)
class BatchTaker:
    """The way from the landing zone into batches."""

    engine: Engine
    store: Store
    landing: LandingZone
    audience: AudienceManager

    def submit(self, taken: Sequence[tuple[Schedule, Arrival]]) -> None:
        """Processes what no batch has had yet and ends all; may be done again after a crash anywhere in it."""
        taken = [one for one in taken if self._is_there(one[1])]
        new = [arrival for _, arrival in taken if self._outcome(arrival) is None]
        abort_point("arrival: batch", "before")
        if new:
            self.audience.ingest([self.landing.open(arrival.landing or "") for arrival in new])
        abort_point("arrival: batch", "after")
        for schedule, arrival in taken:
            request_id, code = self._outcome(arrival) or (None, "internal_error")
            state = "loaded" if code is None else "skipped" if code == "duplicate_file" else "refused"
            reason = None if code is None else _reason(code)
            after = after_of(schedule.rules, is_fine=state != "refused")
            self.store.end(arrival, state, reason, after, request_id)
            if arrival.landing is not None and arrival.landing not in self._kept():
                self.landing.delete(arrival.landing)

    def _kept(self) -> set[str]:
        with self.engine.session() as session:
            return files_of_originals(session)

    def _is_there(self, arrival: Arrival) -> bool:
        try:
            self.landing.open(arrival.landing or "")
        except StateError:
            if self._outcome(arrival) is None:
                self.store.fetch_again(arrival)
                return False
        return True

    def _outcome(self, arrival: Arrival) -> tuple[str, str | None] | None:
        """(Request ID of its batch, code of its refusal), None while no batch had it."""
        with self.engine.session() as session:
            row = session.row(_PROCESSED, [arrival.file, arrival.sha256, arrival.taken_at])
        return None if row is None else (str(row[0]), row[1])


def _reason(code: str) -> dict[str, Any]:
    from ingest_core.audience_manager.reasons import AM_REASONS

    known = AM_REASONS.get(code)
    return {
        "code": code,
        "message": known.explanation if known else "The file was refused.",
        "hint": known.fix if known else "See the report of its batch.",
        "facts": {},
    }
