"""Runs: a sequence of files that was made, and brought to its place whole (Audience Manager spec §15.4–§15.6).

A large run of a build first *needs a second look* (approvals.py); it has no files then, and may end *declined* or
*withdrawn*. A run is *prepared* with what its receiver will know, in one transaction, and *delivered* when the last of
its files is there. In between nobody knows what the receiver has; so a prepared run is brought to its end, byte for
byte the same, before the next one of the same definition is made.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any, Literal, Protocol

from ingest_core.audience_manager.outbound.parts import Part
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import DeliveryError, InputError, StateError
from ingest_core.faults import abort_point
from ingest_core.files.in_memory import InMemory
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.uploads import new_request_id, utc
from ingest_core.models import ByteSource, Model, Progress
from ingest_core.transport.connecting import connect
from ingest_core.transport.control_file import SentFile, control_file
from ingest_core.transport.places import AnyPlace, FolderPlace
from ingest_core.transport.port import Place
from ingest_core.vault import LandingZone

Kind = Literal["export", "build"]
PREPARED, DELIVERED, NOTHING, GIVEN_UP = "prepared", "delivered", "nothing new", "given up"


class RunFile(Part):
    """A file of a run under its name, which may begin with folders."""

    name: str
    location: str | None = None


class Run(Model):
    """One run as it stands. ``place``: {destination} or {folder}."""

    run_no: int
    run_id: str
    kind: Kind
    definition: str
    mode: str
    requested_by: str
    created_at: datetime
    status: str
    place: dict[str, str]
    files: tuple[RunFile, ...] = ()
    control: str | None = None
    counts: dict[str, Any] = {}
    delivered_at: datetime | None = None
    purged_at: datetime | None = None
    error: dict[str, Any] | None = None


class Named(Protocol):
    """What is asked of a destination."""

    @property
    def place(self) -> AnyPlace:
        """What is known of its place."""


class Connecting(Protocol):
    """What is asked of the destinations."""

    def get(self, key: int | str, /) -> Named:
        """One of them. InputError ``no_such_destination``."""

    def connect(self, key: int | str, /) -> Place:
        """The place, connected; a context manager."""


Listed = list[Run]
"""Inside the class, ``list`` is its method."""


def named(parts: Sequence[Part], names: Sequence[str]) -> tuple[RunFile, ...]:
    """Parts with their names."""
    return tuple(RunFile(**part.model_dump(), name=name) for part, name in zip(parts, names, strict=True))


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one workspace, one object for everybody who works in it. ``zone`` holds files on their way."""

    engine: Engine
    zone: LandingZone
    destinations: Connecting
    at_work: threading.Lock = field(default_factory=threading.Lock)  # one run is made at a time

    def insert(
        self, session: Session, kind: Kind, definition: str, mode: str, user: str, place: Mapping[str, str], *,
        files: Sequence[RunFile] = (), control: str | None = None, counts: Mapping[str, Any],
    ) -> int:  # fmt: skip
        """A new run in the caller's transaction; without files there is nothing to bring anywhere. Its number."""
        number = int(session.value("SELECT coalesce(max(run_no), 0) + 1 FROM am_run"))
        session.run(
            "INSERT INTO am_run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
            [
                number, new_request_id(), kind, definition, mode, user, now(), PREPARED if files else NOTHING,
                json.dumps(dict(place)), json.dumps([json.loads(file.model_dump_json()) for file in files]),
                control if files else None, json.dumps(dict(counts)),
            ],
        )  # fmt: skip
        about = {"definition": definition, "mode": mode, "files": len(files)}
        write_audit(session, user, f"am {kind}", definition, about)
        return number

    def prepare(self, session: Session, run_no: int, files: Sequence[RunFile], counts: Mapping[str, Any]) -> int:
        """A run that waited for a second look gets its files, in the caller's transaction; its number."""
        self._change(session, run_no, {
            "status": PREPARED if files else NOTHING, "counts": json.dumps(dict(counts)),
            "files": json.dumps([json.loads(file.model_dump_json()) for file in files]),
        })  # fmt: skip
        return run_no

    def last_told(self, session: Session, kind: Kind, definition: str) -> int | None:
        """The last run that arrived."""
        found = session.value(
            "SELECT max(run_no) FROM am_run WHERE kind = ? AND definition = ? AND status = ?",
            [kind, definition, DELIVERED],
        )
        return None if found is None else int(found)

    def waiting(self, kind: Kind, definition: str) -> Run | None:
        """The prepared run of a definition, if there is one."""
        found = self._runs("kind = ? AND definition = ? AND status = ? ORDER BY run_no", [kind, definition, PREPARED])
        return found[0] if found else None

    def take_up(self) -> None:
        """At opening, and only then: files of runs that were never kept, or have arrived, go."""
        if found := self.zone.ids():
            needed = {file.landing for run in self._runs("status = ?", [PREPARED]) for file in run.files}
            for landing in found:
                if landing not in needed:
                    self.zone.delete(landing)

    def get(self, key: str | int) -> Run:
        """By run id or number. InputError ``no_such_run``."""
        column = "run_no" if isinstance(key, int) else "run_id"
        found = self._runs(f"{column} = ?", [key])
        if not found:
            raise InputError("There is no such run. Nothing was changed.", code="no_such_run", hint="See: am runs")
        return found[0]

    def list(
        self, kind: Kind | None = None, definition: str | Sequence[str] | None = None, limit: int = 100,
        offset: int = 0, status: str | None = None,
    ) -> Listed:  # fmt: skip
        """The newest first. ``definition``: one, or all of several."""
        values = [*_of(kind, definition, status), limit, offset]
        return self._runs(f"{_OF} ORDER BY run_no DESC LIMIT ? OFFSET ?", values)

    def count(
        self, kind: Kind | None = None, definition: str | Sequence[str] | None = None, status: str | None = None
    ) -> int:
        """How many ``list`` has in all."""
        with self.engine.session() as session:
            return int(session.value(f"SELECT count(*) FROM am_run WHERE {_OF}", _of(kind, definition, status)))

    def latest(self, kind: Kind) -> dict[str, Run]:
        """Definition → its newest run."""
        newest = "QUALIFY row_number() OVER (PARTITION BY definition ORDER BY run_no DESC) = 1"
        return {run.definition: run for run in self._runs(f"kind = ? {newest}", [kind])}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One run is made or sent at a time. StateError ``export_runs`` while another one is."""
        if not self.at_work.acquire(blocking=False):
            raise StateError(
                "Another export is being made. Nothing was changed.", code="export_runs", hint="Wait until it is done."
            )
        try:
            yield
        finally:
            self.at_work.release()

    def send_again(self, key: str | int, progress: Progress = ignore_progress) -> Run:
        """Brings a prepared run to its end; one that arrived meanwhile stays as it is.

        StateError ``not_prepared``, ``export_runs``, ``bytes_gone``; DeliveryError as the place.
        """
        with self.alone():
            run = self.get(key)
            if run.status == DELIVERED:
                return run
            return self.deliver(_prepared(run), progress)

    def deliver(self, run: Run, progress: Progress = ignore_progress) -> Run:
        """Leaves every file at its place, the control file last; what is there already stays as it is.

        DeliveryError as the port; the run is prepared still then, and the next try sends the same bytes. StateError
        ``bytes_gone`` where they are not here any more: a restored backup has none that were on their way.
        """
        if not {file.landing for file in run.files} <= {*self.zone.ids()}:
            raise StateError(
                "Files of a run that did not arrive are not here any more. Nothing was sent.",
                code="bytes_gone",
                hint=f"End it with: am give-up {run.run_id}. Then send everything once.",
                facts={"run": run.run_id},
            )
        try:
            with self._connected(run.place) as place:
                abort_point("am deliver", "before")
                found = []
                for n, file in enumerate(run.files):
                    progress("send", n, len(run.files))
                    found.append(place.put(file.name, _Named(file.name, self.zone.open(file.landing))))
                if run.control is not None:
                    place.put(run.control, InMemory(run.control, control_bytes(run)))
                abort_point("am deliver", "after")
        except DeliveryError as error:
            self._set(run.run_no, {"error": json.dumps(error.as_dict(), default=str)})
            raise
        files = [file.model_copy(update={"location": one.location}) for file, one in zip(run.files, found, strict=True)]
        self._confirm(run, files)
        for file in run.files:
            self.zone.delete(file.landing)
        return self.get(run.run_no)

    def forget(self, session: Session, kind: Kind, definition: str) -> None:
        """What its runs have told counts no more, and they go by another name; in the caller's transaction."""
        for table in ("am_known", "am_built"):
            session.run(_FORGET.format(table=table), [kind, definition, 1 << 30])
        session.run(
            "UPDATE am_run SET definition = definition || ' (before)' WHERE kind = ? AND definition = ?",
            [kind, definition],
        )
        session.run("DELETE FROM am_errand WHERE kind = ? AND definition = ?", [kind, definition])

    def give_up(self, run: Run, user: str) -> Run:
        """A prepared run is not sent any more. Its receiver may have some of it: the next run has to tell everything.

        StateError ``not_prepared``, ``export_runs``.
        """
        with self.alone():
            run = _prepared(self.get(run.run_no))
            with self.engine.queue, self.engine.session() as session, session.transaction():
                self._change(session, run.run_no, {"status": GIVEN_UP})
                write_audit(session, user, "give up am run", run.run_id, {"definition": run.definition})
            for file in run.files:
                self.zone.delete(file.landing)
            return self.get(run.run_no)

    def needs_full(self, session: Session, kind: Kind, definition: str) -> bool:
        """Whether a run was given up since the last one that arrived: nobody knows what the receiver has."""
        given_up = session.value(
            "SELECT max(run_no) FROM am_run WHERE kind = ? AND definition = ? AND status = ?",
            [kind, definition, GIVEN_UP],
        )
        return given_up is not None and int(given_up) > (self.last_told(session, kind, definition) or 0)

    def purge(self, kind: Kind, definition: str, days: int) -> int:
        """Deletes files that this definition left more than so many days ago, and their control file; how many runs."""
        old = [
            run
            for run in self._runs("kind = ? AND definition = ? AND status = ? AND purged_at IS NULL ORDER BY run_no",
                                  [kind, definition, DELIVERED])
            if run.delivered_at is not None and run.delivered_at < _aware(now() - timedelta(days=days))
        ]  # fmt: skip
        for run in old:
            with self._connected(run.place) as place:
                for name in [*([run.control] if run.control else []), *(file.name for file in run.files)]:
                    place.delete(name)
            self._set(run.run_no, {"purged_at": now()})
        return len(old)

    def _confirm(self, run: Run, files: Sequence[RunFile]) -> None:
        with self.engine.queue, self.engine.session() as session, session.transaction():
            abort_point("am confirm", "before")
            for table in ("am_known", "am_built"):
                session.run(_FORGET.format(table=table), [run.kind, run.definition, run.run_no])
            self._change(session, run.run_no, {
                "status": DELIVERED, "delivered_at": now(), "error": None,
                "files": json.dumps([json.loads(file.model_dump_json()) for file in files]),
            })  # fmt: skip
        abort_point("am confirm", "after")

    def _set(self, run_no: int, values: Mapping[str, object]) -> None:
        with self.engine.queue, self.engine.session() as session:
            self._change(session, run_no, values)

    @staticmethod
    def _change(session: Session, run_no: int, values: Mapping[str, object]) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        session.run(f"UPDATE am_run SET {names} WHERE run_no = ?", [*values.values(), run_no])

    def _runs(self, where: str, values: Sequence[object]) -> Listed:
        with self.engine.session() as session:
            return [_made(row) for row in session.records(f"SELECT * FROM am_run WHERE {where}", values)]

    def _connected(self, place: Mapping[str, str]) -> Place:
        if folder := place.get("folder"):
            return connect(FolderPlace(path=folder))
        return self.destinations.connect(place["destination"])


_FORGET = """DELETE FROM {table} WHERE run_no IN (
    SELECT run_no FROM am_run WHERE kind = ? AND definition = ? AND run_no < ?)"""
"""What earlier runs of the definition had told."""


_OF = (
    "(?::VARCHAR IS NULL OR kind = ?) AND (?::VARCHAR[] IS NULL OR list_contains(?::VARCHAR[], definition)) "
    "AND (?::VARCHAR IS NULL OR status = ?)"
)


def _of(kind: Kind | None, definition: str | Sequence[str] | None, status: str | None) -> tuple[object, ...]:
    names = [definition] if isinstance(definition, str) else None if definition is None else [*definition]
    return kind, kind, names, names, status, status


def _prepared(run: Run) -> Run:
    if run.status != PREPARED:
        raise StateError(f"This run is {run.status}. Nothing was changed.", code="not_prepared", hint="See: am runs")
    return run


def control_bytes(run: Run) -> bytes:
    """The control file of a run: the same bytes at each try. Names stand in it without folders."""
    sent = [SentFile(file.name.rpartition("/")[2], file.size, file.lines, file.md5) for file in run.files]
    root = str(run.control).rpartition("/")[2].removesuffix(".info")
    return control_file(f"{root}.sync", sent)


def _made(row: dict[str, Any]) -> Run:
    read = {name: json.loads(row[name]) for name in ("place", "files", "counts")}
    times = {name: utc(row[name]) for name in ("created_at", "delivered_at", "purged_at")}
    error = json.loads(row["error"]) if row["error"] else None
    return Run(**{**row, **read, **times, "error": error})


def _aware(moment: datetime) -> datetime:
    made = utc(moment)
    assert made is not None
    return made


class _Named:
    """The bytes of a waiting file under another name."""

    def __init__(self, name: str, file: ByteSource) -> None:
        self.name = name
        self.size = file.size
        self._file = file

    def open(self) -> IO[bytes]:
        return self._file.open()
