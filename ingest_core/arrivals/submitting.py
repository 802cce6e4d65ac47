"""Hands what was taken to the queue, and learns how it ended. A second try with the same arrival is the same upload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_core.arrivals.schedule import AUTO, LATEST, Arrival, Rules, Schedule, options_of
from ingest_core.arrivals.store import Store
from ingest_core.catalog import Mappings, Sources
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.faults import abort_point
from ingest_core.jobs.jobs import Jobs
from ingest_core.models import Mapping, Source
from ingest_core.vault import LandingZone

_LOST = ("no_such_file", "landing_damaged")
"""Codes that say that the received copy cannot be used: it is fetched again."""

_FINAL = ("already_loaded", "source_archived")
"""States that do not pass by waiting."""


@dataclass(frozen=True)
class Submitter:
    """The way from the landing zone into the queue."""

    store: Store
    sources: Sources
    mappings: Mappings
    landing: LandingZone
    jobs: Jobs

    def submit(self, schedule: Schedule, arrival: Arrival) -> None:
        """Queues a taken file, or ends it as refused or skipped; may be done again after a crash anywhere in it."""
        abort_point("arrival: submit", "before")
        try:
            request_id = self._queue(schedule, arrival)
        except StateError as error:
            if error.code in _LOST:
                self.store.fetch_again(arrival)
                return
            if error.code not in _FINAL:
                raise  # such as a full disk: it stays taken, and is submitted later
            self._refuse(schedule.rules, arrival, error)
        except InputError as error:
            self._refuse(schedule.rules, arrival, error)
        else:
            abort_point("arrival: submit", "after")
            self.store.submitted(arrival, request_id)

    def _queue(self, schedule: Schedule, arrival: Arrival) -> str:
        source, rules = self.sources.get(schedule.source_id), schedule.rules
        return self.jobs.submit(
            arrival.landing or "",
            source,
            self._mapping(source, rules),
            options_of(rules, source.settings.recipients),
            idempotency_key=arrival.key,
            user=f"schedule {schedule.schedule_id}",
            is_auto=rules.mapping == AUTO,
        )

    def _mapping(self, source: Source, rules: Rules) -> Mapping | None:
        if rules.mapping in (LATEST, AUTO):
            return None  # the newest one for the header of the file
        return self.mappings.version(source, int(rules.mapping))

    def _refuse(self, rules: Rules, arrival: Arrival, error: OnrampError) -> None:
        state = "skipped" if error.code == "already_loaded" else "refused"
        request_id = error.facts.get("request_id")
        self.store.end(
            arrival,
            state,
            error.as_dict(),
            after_of(rules, is_fine=state == "skipped"),
            None if request_id is None else str(request_id),
        )
        if arrival.landing is not None:
            self.landing.delete(arrival.landing)

    def follow(self, rules_of: dict[int, Rules]) -> None:
        """Ends the arrivals whose uploads came to their end."""
        for arrival, status, error in self.store.ended_uploads():
            abort_point("arrival: follow", "before")
            rules = rules_of[arrival.schedule_id]
            state = _state(status, error)
            self.store.end(arrival, state, error, after_of(rules, is_fine=state != "failed"), None)
            abort_point("arrival: follow", "after")


def _state(status: str, error: dict[str, Any] | None) -> str:
    if status == "Completed":
        return "loaded"
    return "skipped" if (error or {}).get("code") == "already_loaded" else "failed"


def after_of(rules: Rules, *, is_fine: bool) -> str | None:
    """What is to be done with a file at its place; one that was not loaded is never deleted."""
    if rules.after == "leave":
        return None
    if not is_fine:
        return "failed"
    return "delete" if rules.after == "delete" else "done"
