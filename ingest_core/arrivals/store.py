"""Schedules and arrivals in the database: each change is one short transaction under the queue's lock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from ingest_core.arrivals import telling
from ingest_core.arrivals.schedule import Arrival, Rules, Schedule
from ingest_core.clock import now, to_utc
from ingest_core.engine import Engine, Session
from ingest_core.transport.port import Entry

_SCHEDULES = """
SELECT schedule_id, source_id, source.name AS source, rules, is_paused, next_at, attempts, looked_at, error,
       schedule.created_at, schedule.created_by, removed_at, source.archived_at
FROM schedule JOIN source USING (source_id)
"""

_ARRIVALS = """
SELECT arrival_no, schedule_id, source_id, source.name AS source, place, path, file, size, modified, version, state,
       reason, seen_at, unchanged_since, sha256, landing, taken_at, request_id, ended_at, after, after_attempts,
       after_next_at, after_note,
       (SELECT rules ->> '$.reads' FROM schedule WHERE schedule.schedule_id = arrival.schedule_id) AS reads
FROM arrival JOIN source USING (source_id)
"""

_SAME_BYTES = """
SELECT arrival_no, request_id FROM arrival
WHERE source_id = ? AND file = ? AND sha256 = ? AND arrival_no <> ? AND state IN ('taken', 'submitted', 'loaded')
ORDER BY arrival_no DESC LIMIT 1"""
"""The ledger: what was taken for a source under this name with these bytes, unless it failed."""


class Store:
    """The two tables of a workspace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ── schedules ──────────────────────────────────────────────────────────────────────────────────────

    def schedules(self, where: str = "true", parameters: Sequence[object] = ()) -> list[Schedule]:
        """Those that were not removed, by source and number; ``where`` is SQL of ours."""
        with self._engine.session() as session:
            rows = session.records(
                f"{_SCHEDULES} WHERE {where} ORDER BY lower(source.name), schedule_id", list(parameters)
            )
        return [_schedule(row) for row in rows]

    def due(self, moment: datetime) -> list[Schedule]:
        """Those whose time has come, the longest due first."""
        found = self.schedules(
            "removed_at IS NULL AND NOT is_paused AND source.archived_at IS NULL AND next_at <= ?", [moment]
        )
        return sorted(found, key=lambda schedule: (schedule.next_at, schedule.schedule_id))

    def looked(self, schedule: Schedule, next_at: datetime) -> None:
        """A look went through."""
        self._run(
            "UPDATE schedule SET next_at = ?, attempts = 0, looked_at = ?, error = NULL WHERE schedule_id = ?",
            [next_at, now(), schedule.schedule_id],
        )

    def troubled(self, schedule: Schedule, error: dict[str, Any], next_at: datetime) -> None:
        """A look did not go through; it is tried again."""
        with self._change() as session:
            session.run(
                "UPDATE schedule SET next_at = ?, attempts = attempts + 1, error = ? WHERE schedule_id = ?",
                [next_at, json.dumps(error), schedule.schedule_id],
            )
            telling.troubled(session, schedule.schedule_id, schedule.attempts + 1, error)

    def look_at(self, schedule_id: int, moment: datetime) -> None:
        """When to look next."""
        self._run("UPDATE schedule SET next_at = ? WHERE schedule_id = ?", [moment, schedule_id])

    # ── arrivals ───────────────────────────────────────────────────────────────────────────────────────

    def arrivals(
        self,
        where: str = "true",
        parameters: Sequence[object] = (),
        *,
        order: str = "arrival_no",
        limit: int = 1 << 30,
        offset: int = 0,
    ) -> list[Arrival]:
        """Arrivals; ``where`` and ``order`` are SQL of ours."""
        with self._engine.session() as session:
            rows = session.records(
                f"{_ARRIVALS} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?", [*parameters, limit, offset]
            )
        return [_arrival(row) for row in rows]

    def count(self, where: str, parameters: Sequence[object]) -> int:
        """How many."""
        with self._engine.session() as session:
            return int(session.value(f"SELECT count(*) FROM arrival WHERE {where}", parameters))

    def newest(self, schedule_id: int) -> dict[str, Arrival]:
        """Path → the newest arrival that this schedule met under it, of those whose file is there still."""
        found = self.arrivals(
            "schedule_id = ? AND state <> 'gone' AND (after IS NULL OR after_next_at IS NOT NULL)", [schedule_id]
        )
        return {arrival.path: arrival for arrival in found}

    def meet(self, schedule: Schedule, entry: Entry) -> Arrival:
        """A file that was not there before: it waits until it is complete."""
        moment = now()
        with self._change() as session:
            number = int(session.value("SELECT coalesce(max(arrival_no), 0) + 1 FROM arrival"))
            session.run(
                """INSERT INTO arrival BY NAME SELECT ? AS arrival_no, ? AS schedule_id, ? AS source_id, ? AS place,
                ? AS path, ? AS file, ? AS size, ?::TIMESTAMP AS modified, ?::VARCHAR AS version, 'waiting' AS state,
                ?::TIMESTAMP AS seen_at, ?::TIMESTAMP AS unchanged_since, 0 AS after_attempts""",
                [
                    number, schedule.schedule_id, schedule.source_id, schedule.rules.place, entry.name,
                    entry.name.rpartition("/")[2], entry.size, moment_of(entry), entry.version, moment, moment,
                ],
            )  # fmt: skip
        return self.arrivals("arrival_no = ?", [number])[0]

    def changed(self, arrival: Arrival, entry: Entry) -> Arrival:
        """A file that waits is another one than it was."""
        self._run(
            "UPDATE arrival SET size = ?, modified = ?, version = ?, unchanged_since = ? WHERE arrival_no = ?",
            [entry.size, moment_of(entry), entry.version, now(), arrival.arrival_no],
        )
        return self.arrivals("arrival_no = ?", [arrival.arrival_no])[0]

    def why(self, arrival: Arrival, reason: dict[str, Any] | None) -> None:
        """Why it still waits."""
        if reason != arrival.reason:
            self._run(
                "UPDATE arrival SET reason = ? WHERE arrival_no = ?",
                [json.dumps(reason) if reason else None, arrival.arrival_no],
            )

    def gone(self, arrival: Arrival) -> None:
        """It went away before it was taken."""
        self._run("UPDATE arrival SET state = 'gone', ended_at = ? WHERE arrival_no = ?", [now(), arrival.arrival_no])

    def take(self, arrival: Arrival, landing: str, sha256: str, after: str | None) -> tuple[int, str | None] | None:
        """It lies in the landing zone now; or, when the ledger knows it, (arrival, Request ID) of the former one.

        ``after``: what becomes of a known one at its place.
        """
        with self._change() as session:
            known = session.row(_SAME_BYTES, [arrival.source_id, arrival.file, sha256, arrival.arrival_no])
            if known is None:
                session.run(
                    "UPDATE arrival SET state = 'taken', sha256 = ?, landing = ?, taken_at = ?, reason = NULL "
                    "WHERE arrival_no = ?",
                    [sha256, landing, now(), arrival.arrival_no],
                )
                return None
            reason = _known(*known)
            session.run("UPDATE arrival SET sha256 = ? WHERE arrival_no = ?", [sha256, arrival.arrival_no])
            _end(session, arrival, "skipped", reason, after, known[1])
        return int(known[0]), known[1]

    def fetch_again(self, arrival: Arrival) -> None:
        """What was received is gone or damaged: it waits to be taken once more."""
        self._run(
            "UPDATE arrival SET state = 'waiting', landing = NULL, sha256 = NULL, taken_at = NULL WHERE arrival_no = ?",
            [arrival.arrival_no],
        )

    def submitted(self, arrival: Arrival, request_id: str) -> None:
        """An upload has it."""
        self._run(
            "UPDATE arrival SET state = 'submitted', request_id = ?, landing = NULL WHERE arrival_no = ? "
            "AND state = 'taken'",
            [request_id, arrival.arrival_no],
        )

    def end(
        self, arrival: Arrival, state: str, reason: dict[str, Any] | None, after: str | None, request_id: str | None
    ) -> None:
        """Its last state, and what is to be done with the file at its place."""
        with self._change() as session:
            _end(session, arrival, state, reason, after, request_id)

    def settled(self, arrival: Arrival, note: str) -> None:
        """What was to be done at its place is done."""
        self._run(
            "UPDATE arrival SET after_next_at = NULL, after_note = ? WHERE arrival_no = ?", [note, arrival.arrival_no]
        )

    def unsettled(self, arrivals: Sequence[Arrival], note: str, wait: timedelta) -> None:
        """It could not be done now; tried again after a while."""
        for arrival in arrivals:
            self._run(
                "UPDATE arrival SET after_attempts = after_attempts + 1, after_note = ?, after_next_at = ? "
                "WHERE arrival_no = ?",
                [note, now() + wait, arrival.arrival_no],
            )

    def ended_uploads(self) -> list[tuple[Arrival, str, dict[str, Any] | None]]:
        """(arrival, status, error) of arrivals whose upload came to its end."""
        with self._engine.session() as session:
            rows = session.rows(
                "SELECT arrival_no, upload.status, upload.error FROM arrival JOIN upload USING (request_id) "
                "WHERE state = 'submitted' AND upload.status IN ('Completed', 'Failed')"
            )
        ended = {number: (status, json.loads(error) if error else None) for number, status, error in rows}
        if not ended:
            return []
        found = self.arrivals("arrival_no IN (SELECT unnest(?::BIGINT[]))", [list(ended)])
        return [(arrival, *ended[arrival.arrival_no]) for arrival in found]

    def mark(self, source_id: int | None) -> str:
        """What schedules and arrivals of a source (None: of all) have come to, as a short text."""
        with self._engine.session() as session:
            schedules = session.value(
                "SELECT sum(hash(schedule_id, is_paused, looked_at, error, removed_at)) FROM schedule "
                "WHERE ? IS NULL OR source_id = ?",
                [source_id, source_id],
            )
            arrivals = session.value(
                "SELECT sum(hash(arrival_no, state, reason, after_note)) FROM arrival WHERE ? IS NULL OR source_id = ?",
                [source_id, source_id],
            )
        return f"{schedules} {arrivals}"

    def earliest(self) -> tuple[datetime | None, datetime | None, bool]:
        """(when the next schedule is due, when the next file is to be put away, whether an upload is awaited)."""
        with self._engine.session() as session:
            look = session.value(
                "SELECT min(next_at) FROM schedule JOIN source USING (source_id) "
                "WHERE removed_at IS NULL AND NOT is_paused AND archived_at IS NULL"
            )
            after, is_awaited = session.rows(
                "SELECT min(after_next_at), count(*) FILTER (WHERE state IN ('taken', 'submitted')) > 0 FROM arrival"
            )[0]
        return look, after, bool(is_awaited)

    def _run(self, sql: str, parameters: Sequence[object]) -> None:
        with self._change() as session:
            session.run(sql, parameters)

    @contextmanager
    def _change(self) -> Iterator[Session]:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            yield session


def moment_of(entry: Entry) -> datetime | None:
    """When the place says it was changed, as the database keeps it."""
    return None if entry.modified is None else to_utc(entry.modified)


def is_same(arrival: Arrival, entry: Entry) -> bool:
    """Whether a file is as it was when this arrival was last looked at."""
    return (arrival.size, arrival.modified, arrival.version) == (entry.size, moment_of(entry), entry.version)


def _end(
    session: Session,
    arrival: Arrival,
    state: str,
    reason: dict[str, Any] | None,
    after: str | None,
    request_id: str | None,
) -> None:
    moment = now()
    session.run(
        "UPDATE arrival SET state = ?, reason = ?, after = ?, after_next_at = ?, ended_at = ?, landing = NULL, "
        "request_id = coalesce(?, request_id) WHERE arrival_no = ?",
        [
            state,
            json.dumps(reason) if reason else None,
            after,
            moment if after else None,
            moment,
            request_id,
            arrival.arrival_no,
        ],
    )
    if state == "refused":
        telling.refused(session, arrival, reason or {})


def _known(number: int, request_id: str | None) -> dict[str, Any]:
    return {
        "code": "taken_before",
        "message": "This very file was taken before under this name. It was not loaded again.",
        "hint": "Load it by hand if it is to be loaded once more.",
        "facts": {"arrival": number, "request_id": request_id},
    }


def _schedule(row: dict[str, Any]) -> Schedule:
    rules, error = row.pop("rules"), row.pop("error")
    return Schedule(**row, rules=Rules.model_validate_json(rules), error=json.loads(error) if error else None)


def _arrival(row: dict[str, Any]) -> Arrival:
    reason = row.pop("reason")
    return Arrival(**row, reason=json.loads(reason) if reason else None)
