"""The round of arrivals: at its time each schedule looks, takes what is whole in name order, and submits it.

All that is due stands in the database. A process may die between any two statements: the next turn goes on from there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest_core.arrivals.batches import BatchTaker
from ingest_core.arrivals.complete import PATIENCE, soon_after, waits_for, why_incomplete
from ingest_core.arrivals.folders import entries_of
from ingest_core.arrivals.names import matching
from ingest_core.arrivals.schedule import Arrival, Rules, Schedule
from ingest_core.arrivals.settling import Shelves, settle
from ingest_core.arrivals.store import Store, is_same
from ingest_core.arrivals.submitting import Submitter, after_of
from ingest_core.arrivals.taking import Keys, check_size, fetch, opened
from ingest_core.arrivals.when import next_after
from ingest_core.clock import now
from ingest_core.errors import DeliveryError, FileError, OnrampError, StateError, Stopped
from ingest_core.faults import abort_point
from ingest_core.jobs.loads import fault_of_ours
from ingest_core.jobs.rounds import IsEnding
from ingest_core.settings import Settings
from ingest_core.transport.port import Entry, Place
from ingest_core.vault import LandingZone

Connect = Callable[[str], Place]
"""Name of a destination → a connected place. InputError ``no_such_destination``, DeliveryError."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
AWAITED_SECONDS = 1.0
"""How often is looked whether an upload has ended."""

_CHANGING = ("file_changed", "file_gone")
"""What is wrong with one file and not with its place."""


@dataclass
class Watch:
    """Looks after all schedules of a workspace; one turn at a time."""

    store: Store
    connect: Connect
    landing: LandingZone
    settings: Settings
    submitter: Submitter
    batches: BatchTaker
    keys: Keys
    name: str = "arrivals"
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def turn(self, is_ending: IsEnding) -> float:
        """As ``Round`` says."""
        with self._turn:
            rules = {schedule.schedule_id: schedule.rules for schedule in self.store.schedules()}
            self._resume()
            self.submitter.follow(rules)
            self._put_away(rules, is_ending)
            self._mind_the_clock()
            for schedule in self.store.due(now()):
                if is_ending():
                    break
                self._look(schedule, is_ending)
            self.submitter.follow(rules)
        return self._rest()

    def _resume(self) -> None:
        """What was taken and not submitted when the process ended, in the order in which it was taken."""
        taken = self.store.arrivals("state = 'taken'", order="taken_at, arrival_no")
        if not taken:
            return
        schedules = {schedule.schedule_id: schedule for schedule in self.store.schedules()}
        self._submit([(schedules[arrival.schedule_id], arrival) for arrival in taken])

    def _submit(self, taken: Sequence[tuple[Schedule, Arrival]]) -> None:
        self.batches.submit([one for one in taken if one[0].rules.reads == "audience_manager"])
        for schedule, arrival in taken:
            if schedule.rules.reads == "rows":
                self.submitter.submit(schedule, arrival)

    def _look(self, schedule: Schedule, is_ending: IsEnding) -> None:
        abort_point("arrival: look", "before")
        try:
            with self.connect(schedule.rules.place) as place:
                unfinished = self._look_at(place, schedule, is_ending)
        except Stopped:
            return  # the process ends: the next one looks
        except StateError:
            raise  # of this workspace, such as a full disk: the round says so and goes on later
        except OnrampError as error:
            self.store.troubled(schedule, error.as_dict(), self._again(schedule, error))
        except Exception as error:  # noqa: BLE001  a fault of ours with one place must not keep others from being looked at
            fault = fault_of_ours(error)
            self.store.troubled(schedule, fault.as_dict(), self._again(schedule, fault))
        else:
            regular = self._regular(schedule)
            self.store.looked(schedule, regular if unfinished is None else min(regular, soon_after(unfinished, now())))
        abort_point("arrival: look", "after")

    def _look_at(self, place: Place, schedule: Schedule, is_ending: IsEnding) -> Arrival | None:
        """Takes what can be taken; returns the first file that is left because it is not whole yet."""
        rules = schedule.rules
        there = {entry.name: entry for entry in entries_of(place, rules)}
        wanted = matching(rules, there.values())
        known = self.store.newest(schedule.schedule_id)
        for former in known.values():
            if former.state == "waiting" and former.path not in {entry.name for entry in wanted}:
                self.store.gone(former)
        met = [self._met(schedule, entry, known) for entry in wanted]
        unfinished: Arrival | None = None
        batch: list[tuple[Schedule, Arrival]] = []
        for arrival in (one for one in met if one is not None):
            if is_ending():
                raise Stopped
            if unfinished is not None and now() - unfinished.seen_at < PATIENCE:
                self.store.why(arrival, waits_for(unfinished))
                continue
            if not self._is_whole(rules, arrival, there):
                unfinished = unfinished or arrival
                continue
            try:
                kept = self._take(place, schedule, arrival, there[arrival.path], is_ending)
            except DeliveryError as error:
                self.store.why(arrival, error.as_dict())
                if error.code not in _CHANGING:
                    raise
                unfinished = arrival
                continue
            batch += [(schedule, kept)] if kept is not None else []
            if rules.reads == "rows":
                self._submit(batch)
                batch.clear()
        self._submit(batch)
        return unfinished

    def _met(self, schedule: Schedule, entry: Entry, known: Mapping[str, Arrival]) -> Arrival | None:
        """The arrival of a file that is to be taken, None when it was dealt with already."""
        arrival = known.get(entry.name)
        if arrival is None:
            return self.store.meet(schedule, entry)
        if arrival.state == "waiting":
            return arrival if is_same(arrival, entry) else self.store.changed(arrival, entry)
        return None if is_same(arrival, entry) else self.store.meet(schedule, entry)

    def _is_whole(self, rules: Rules, arrival: Arrival, there: Mapping[str, Entry]) -> bool:
        why = why_incomplete(rules, arrival, there, now())
        if why is not None:
            self.store.why(arrival, why)
        return why is None

    def _take(
        self, place: Place, schedule: Schedule, arrival: Arrival, entry: Entry, is_ending: IsEnding
    ) -> Arrival | None:
        """The arrival with its landing file; None when it was refused or is known."""
        try:
            check_size(entry, self.settings)
        except FileError as error:
            self.store.end(arrival, "refused", error.as_dict(), after_of(schedule.rules, is_fine=False), None)
            return None
        abort_point("arrival: take", "before")
        landing_id, sha256 = fetch(place, entry, self.landing, is_ending)
        abort_point("arrival: take", "fetched")
        if schedule.rules.reads == "rows":
            try:
                landing_id = opened(landing_id, self.landing, self.keys, self.settings)
            except FileError as error:
                self.store.end(arrival, "refused", error.as_dict(), after_of(schedule.rules, is_fine=False), None)
                return None
        known = self.store.take(arrival, landing_id, sha256, after_of(schedule.rules, is_fine=True))
        abort_point("arrival: take", "after")
        if known is not None:
            self.landing.delete(landing_id)
            return None
        return self.store.arrivals("arrival_no = ?", [arrival.arrival_no])[0]

    def _put_away(self, rules: Mapping[int, Rules], is_ending: IsEnding) -> None:
        """After-load rules that are due, one connection for all files of a place."""
        due = self.store.arrivals("after_next_at <= ?", [now()])
        for name in dict.fromkeys(arrival.place for arrival in due):
            left = [arrival for arrival in due if arrival.place == name]
            try:
                shelves: Shelves = {}
                with self.connect(name) as place:
                    while left and not is_ending():
                        settle(place, left[0], rules[left[0].schedule_id], self.store, shelves)
                        left.pop(0)
            except StateError:
                raise
            except OnrampError as error:
                self.store.unsettled(left, error.message, _wait(left[0].after_attempts if left else 0))

    def _mind_the_clock(self) -> None:
        """A clock that was set back must not keep a schedule from its next time."""
        moment = now()
        for schedule in self.store.schedules("removed_at IS NULL AND next_at > ?", [moment + timedelta(days=1)]):
            regular = self._regular(schedule)
            if regular < schedule.next_at:
                self.store.look_at(schedule.schedule_id, regular)

    def _regular(self, schedule: Schedule) -> datetime:
        """Its next time. However many were missed, they are one."""
        return next_after(schedule.rules, now()) or now() + timedelta(days=365)

    def _again(self, schedule: Schedule, error: OnrampError) -> datetime:
        """After trouble: soon, then less and less often, at its regular time at the latest."""
        regular = self._regular(schedule)
        is_passing = isinstance(error, DeliveryError) and error.is_retryable
        return min(regular, now() + _wait(schedule.attempts)) if is_passing else regular

    def _rest(self) -> float:
        """Seconds until something is due."""
        look, after, is_awaited = self.store.earliest()
        times = [(time - now()).total_seconds() for time in (look, after) if time is not None]
        return max(min([*times, *([AWAITED_SECONDS] if is_awaited else []), 60.0]), 0.0)


def _wait(attempts: int) -> timedelta:
    return min(FIRST_WAIT * (1 << min(attempts, 10)), LONGEST_WAIT)
