"""The arrivals of a workspace: schedules are made and changed here, the log is read here, a round does the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest_core.arrivals.batches import BatchTaker
from ingest_core.arrivals.doors import Doors
from ingest_core.arrivals.folders import check_folder, entries_of
from ingest_core.arrivals.names import check_pattern, matching
from ingest_core.arrivals.schedule import AUTO, LATEST, Arrival, Rules, Schedule
from ingest_core.arrivals.store import Store
from ingest_core.arrivals.submitting import Submitter
from ingest_core.arrivals.watch import Watch
from ingest_core.arrivals.when import check_when, next_after
from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.catalog import Mappings, Sources
from ingest_core.catalog.addresses import check_addresses
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.errors import DeliveryError, InputError, StateError
from ingest_core.jobs.jobs import Jobs
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Source
from ingest_core.segments.segments import check_option
from ingest_core.settings import Settings
from ingest_core.transport.port import Entry
from ingest_core.vault import LandingZone

STATES = ("waiting", "taken", "submitted", "loaded", "failed", "skipped", "refused", "gone")


@dataclass(frozen=True)
class Filters:
    """Which arrivals of the log; what is None does not narrow."""

    source_id: int | None = None
    schedule_id: int | None = None
    states: tuple[str, ...] = ()
    name: str | None = None
    place: str | None = None

    def where(self) -> tuple[str, list[object]]:
        """As SQL with its values."""
        wanted: list[tuple[str, object]] = [
            ("arrival.source_id = ?", self.source_id),
            ("schedule_id = ?", self.schedule_id),
            ("state IN (SELECT unnest(?::VARCHAR[]))", list(self.states) or None),
            ("contains(lower(file), lower(?))", self.name),
            ("place = ?", self.place),
        ]
        given = [(text, value) for text, value in wanted if value is not None]
        return " AND ".join(text for text, _ in given) or "true", [value for _, value in given]


class Arrivals:
    """Schedules and their log. ``watch`` is the round that looks after them."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        sources: Sources,
        mappings: Mappings,
        landing: LandingZone,
        jobs: Jobs,
        audience: AudienceManager,
        pgp_keys: PgpKeys,
        doors: Doors,
        user: str,
    ) -> None:
        self._engine = engine
        self._sources = sources
        self._mappings = mappings
        self.doors = doors
        self._user = user
        self._store = store = Store(engine)
        submitter = Submitter(store, sources, mappings, landing, jobs)
        batches = BatchTaker(engine, store, landing, audience)
        self.watch = Watch(store, doors.connect, landing, settings, submitter, batches, pgp_keys.private)

    # ── schedules ──────────────────────────────────────────────────────────────────────────────────────

    def add(self, source: Source, rules: Rules) -> Schedule:
        """A new schedule, which looks at its next time; one that is there already is that one. Raises as ``check``."""
        rules = self.check(source, rules)
        moment = now()
        with self._engine.queue, self._engine.session() as session, session.transaction():
            known = [one for one in self.schedules(source.source_id) if one.rules == rules]
            if known:
                return known[0]
            number = int(session.value("SELECT coalesce(max(schedule_id), 0) + 1 FROM schedule"))
            session.run(
                """INSERT INTO schedule BY NAME SELECT ? AS schedule_id, ? AS source_id, ? AS rules,
                false AS is_paused, ?::TIMESTAMP AS next_at, 0 AS attempts, ?::TIMESTAMP AS created_at,
                ? AS created_by""",
                [number, source.source_id, rules.model_dump_json(), next_after(rules, moment), moment, self._user],
            )
            write_audit(session, self._user, "schedule add", str(number), {"source": source.name})
        return self.get(number)

    def change(self, schedule_id: int, rules: Rules) -> Schedule:
        """Other rules from now on; what was taken already keeps its way."""
        schedule = self.get(schedule_id)
        rules = self.check(self._sources.get(schedule.source_id), rules)
        self._write(
            schedule_id,
            "schedule change",
            "rules = ?, next_at = ?, attempts = 0, error = NULL",
            [rules.model_dump_json(), next_after(rules, now())],
        )
        return self.get(schedule_id)

    def check(self, source: Source, rules: Rules) -> Rules:
        """The rules as they are kept.

        InputError ``no_such_destination``, ``bad_cron``, ``bad_interval``, ``bad_zone``, ``bad_pattern``,
        ``bad_file_name``, ``bad_folder``, ``bad_control``, ``no_such_mapping``, ``bad_address``,
        ``bad_segment_option``; what a segment that cannot be added to raises.
        """
        self.doors.require(rules.place)
        check_when(rules, now())
        check_pattern(rules)
        folder = check_folder(rules.folder)
        if not rules.control.isprintable() or not 0 < len(rules.control) <= 40 or "/" in rules.control:
            raise InputError(
                "The ending of the control file cannot be used. Nothing was changed.",
                code="bad_control",
                hint="Such as .done or .ctl",
            )
        if rules.mapping not in (LATEST, AUTO) and rules.reads == "rows":
            self._mappings.version(source, int(rules.mapping))
        self._check_segment(rules)
        notify = None if rules.notify is None else check_addresses(rules.notify)
        return rules.model_copy(update={"folder": folder, "notify": notify})

    def _check_segment(self, rules: Rules) -> None:
        if rules.segment is None:
            return
        if not rules.segment.startswith("add:"):
            raise InputError(
                "A schedule adds to a segment that is there. Nothing was changed.",
                code="bad_segment_option",
                hint="Create the segment first, then use add:NAME.",
            )
        with self._engine.session() as session:
            check_option(session, rules.segment)

    def schedules(self, source_id: int | None = None) -> list[Schedule]:
        """Schedules by source and number."""
        where = "removed_at IS NULL AND (? IS NULL OR source_id = ?)"
        return self._store.schedules(where, [source_id, source_id])

    def get(self, schedule_id: int) -> Schedule:
        """One schedule. InputError ``no_such_schedule``."""
        found = self._store.schedules("removed_at IS NULL AND schedule_id = ?", [schedule_id])
        if not found:
            raise InputError(
                "There is no such schedule. Nothing was changed.",
                code="no_such_schedule",
                hint="See the numbers with: schedule list",
            )
        return found[0]

    def pause(self, schedule_id: int) -> Schedule:
        """It does not look until it is resumed; what was taken goes its way. Pausing twice changes nothing."""
        self.get(schedule_id)
        self._write(schedule_id, "schedule pause", "is_paused = true", [])
        return self.get(schedule_id)

    def resume(self, schedule_id: int) -> Schedule:
        """It looks again, at its next time."""
        schedule = self.get(schedule_id)
        if schedule.is_paused:
            moment = next_after(schedule.rules, now())
            self._write(
                schedule_id, "schedule resume", "is_paused = false, next_at = ?, attempts = 0, error = NULL", [moment]
            )
        return self.get(schedule_id)

    def remove(self, schedule_id: int) -> None:
        """It looks no more; its log stays, and what was taken goes its way."""
        self.get(schedule_id)
        self._write(schedule_id, "schedule remove", "removed_at = ?", [now()])

    def _write(self, schedule_id: int, action: str, what: str, values: list[object]) -> None:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            session.run(f"UPDATE schedule SET {what} WHERE schedule_id = ?", [*values, schedule_id])
            write_audit(session, self._user, action, str(schedule_id), {})

    # ── looking ────────────────────────────────────────────────────────────────────────────────────────

    def matching(self, rules: Rules) -> list[Entry]:
        """The files that a schedule with these rules would take, by name. DeliveryError as the place raises."""
        check_pattern(rules)
        return matching(rules, self.entries(rules))

    def entries(self, rules: Rules) -> list[Entry]:
        """Everything that lies where a schedule with these rules looks. DeliveryError as the place raises."""
        rules = rules.model_copy(update={"folder": check_folder(rules.folder)})
        with self.doors.connect(rules.place) as connected:
            return entries_of(connected, rules)

    def ask(self, schedule_id: int) -> Schedule:
        """It looks at once, in the process that watches. StateError ``schedule_paused``."""
        schedule = self.get(schedule_id)
        if schedule.is_paused:
            raise StateError(
                "This schedule is paused. Nothing was looked at.", code="schedule_paused", hint="Resume it first."
            )
        self._store.look_at(schedule_id, now())
        return self.get(schedule_id)

    def raise_trouble(self, schedule: Schedule) -> None:
        """What went wrong with its last look, as the error that it was. DeliveryError."""
        error = schedule.error or {}
        raise DeliveryError(
            str(error.get("message", "")),
            code=str(error.get("code", "")),
            hint=str(error.get("hint", "")),
            facts=error.get("facts"),
        )

    def run_now(self, schedule_id: int, load: Callable[[], object], rest: Callable[[float], object]) -> list[Arrival]:
        """Looks, takes, submits and loads in this process until nothing of the schedule is under way.

        ``load`` loads what waits in the queue, ``rest`` waits so many seconds. Returns the arrivals it met.
        """
        before = self._store.count("true", [])
        open_before = {arrival.arrival_no for arrival in self._open(schedule_id)}
        self.ask(schedule_id)
        tries = 0
        while True:
            seconds = self.watch.turn(lambda: False)
            load()
            self.watch.turn(lambda: False)
            tries += 1
            if self.get(schedule_id).error or tries >= _MOST_TURNS or not self._is_settling(schedule_id):
                break
            rest(min(max(seconds, 0.2), 12.0))
        mine = self._store.arrivals("schedule_id = ?", [schedule_id])
        return [one for one in mine if one.arrival_no > before or one.arrival_no in open_before]

    def _open(self, schedule_id: int) -> list[Arrival]:
        return self._store.arrivals("schedule_id = ? AND state IN ('waiting', 'taken', 'submitted')", [schedule_id])

    def _is_settling(self, schedule_id: int) -> bool:
        """Whether a file waits only because it may still be growing."""
        return any((arrival.reason or {}).get("code") == "still_settling" for arrival in self._open(schedule_id))

    def mark(self, source_id: int | None = None) -> str:
        """Another text whenever a schedule or an arrival changed: whether a screen is to be drawn again."""
        return self._store.mark(source_id)

    # ── log ────────────────────────────────────────────────────────────────────────────────────────────

    def log(self, filters: Filters = Filters(), *, limit: int = 100, offset: int = 0) -> list[Arrival]:
        """Arrivals, newest first."""
        where, values = filters.where()
        return self._store.arrivals(where, values, order="arrival_no DESC", limit=limit, offset=offset)

    def count(self, filters: Filters = Filters()) -> int:
        """How many arrivals the log has."""
        return self._store.count(*filters.where())

    def of_upload(self, request_id: str) -> Arrival | None:
        """How the file of an upload came, None when it did not come by itself."""
        found = self._store.arrivals("request_id = ? AND state <> 'skipped'", [request_id])
        return found[0] if found else None


_MOST_TURNS = 8


def arrival_json(arrival: Arrival) -> dict[str, Any]:
    """As the command line prints it."""
    return arrival.model_dump(mode="json", exclude={"source_id"})


def schedule_json(schedule: Schedule) -> dict[str, Any]:
    """As the command line prints it."""
    shown: dict[str, Any] = json.loads(schedule.model_dump_json(exclude={"source_id", "rules", "removed_at"}))
    return {**shown, **json.loads(schedule.rules.model_dump_json())}
