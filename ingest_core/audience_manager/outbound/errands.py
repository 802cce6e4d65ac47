"""Errands: runs that a person asked for on a screen, made and sent in the background, one after the other.

An errand is *waiting*, then *working*, and gone when its run is there: the run tells the rest. One that could not make
a run has *failed* and says why until the same is asked for again. One that was killed at work is not begun anew by
itself: a run that was made already is prepared, and said so; otherwise nothing was sent, and that is said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from ingest_core.audience_manager.outbound.runs import Kind, Run, Runs
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import DeliveryError, OnrampError, StateError, Stopped
from ingest_core.ledger.uploads import utc
from ingest_core.models import Model, Progress

NAME = "exports"
LONG = 3_600.0
"""Seconds until it looks again by itself; whoever asks wakes it."""

SOON = 2.0
"""Seconds until it tries again while a command makes a run."""


class Errand(Model):
    """One errand. ``wanted``: what the maker of its kind takes, such as {mode: full}, or {again: run id}."""

    errand_no: int
    kind: Kind
    definition: str
    wanted: dict[str, Any]
    requested_by: str
    asked_at: datetime
    state: Literal["waiting", "working", "failed"]
    error: dict[str, Any] | None = None


@dataclass
class Doing:
    """How far the errand under way is: a phase, and how much of it."""

    errand_no: int
    phase: str = ""
    done: int = 0
    total: int | None = None


class Maker(Protocol):
    """Makes a run of a definition and brings it to its place."""

    def __call__(self, definition: str, wanted: Mapping[str, Any], user: str, progress: Progress, /) -> Run: ...


_OPEN = "state IN ('waiting', 'working')"
_NEXT = "SELECT min(errand_no) FROM am_errand WHERE state = 'waiting'"


class Errands:
    """Keeps them, and is the round that does them, see jobs/rounds.py."""

    name = NAME

    def __init__(self, engine: Engine, runs: Runs, makers: Mapping[Kind, Maker]) -> None:
        self._engine = engine
        self._runs = runs
        self._makers = makers
        self._stopping: set[int] = set()
        self.doing: Doing | None = None
        self.on_asked: Callable[[], None] = lambda: None

    def ask(self, kind: Kind, definition: str, wanted: Mapping[str, Any], user: str) -> Errand:
        """Lets it wait for its turn. While one of the same definition waits or works, that one: two clicks are one."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            found = _errands(session, f"kind = ? AND definition = ? AND {_OPEN}", [kind, definition])
            if not found:
                session.run("DELETE FROM am_errand WHERE kind = ? AND definition = ?", [kind, definition])
                number = int(session.value("SELECT coalesce(max(errand_no), 0) + 1 FROM am_errand"))
                values = [number, kind, definition, json.dumps(dict(wanted)), user, now()]
                session.run("INSERT INTO am_errand VALUES (?, ?, ?, ?, ?, ?, 'waiting', NULL)", values)
                found = _errands(session, "errand_no = ?", [number])
        self.on_asked()
        return found[0]

    def list(self, kind: Kind | None = None) -> list[Errand]:
        """All that wait, work or have failed, in the order of their turns."""
        with self._engine.session() as session:
            return _errands(session, "(?::VARCHAR IS NULL OR kind = ?)", [kind, kind])

    def of(self, kind: Kind, definition: str) -> Errand | None:
        """The one of a definition, if there is one."""
        with self._engine.session() as session:
            found = _errands(session, "kind = ? AND definition = ?", [kind, definition])
        return found[-1] if found else None

    def stop(self, errand_no: int) -> None:
        """It is not begun any more, or ends soon; what was prepared already stays so. One that is gone is no error."""
        with self._engine.queue, self._engine.session() as session:
            session.run("DELETE FROM am_errand WHERE errand_no = ? AND state <> 'working'", [errand_no])
        self._stopping.add(errand_no)

    def turn(self, is_ending: Callable[[], bool]) -> float:
        """Does all that waits."""
        while not is_ending():
            errand = self._take_next()
            if errand is None:
                return LONG
            if not self._do(errand, is_ending):
                return SOON
        return LONG

    def take_up(self) -> None:
        """At opening, and only then: what the end of the process cut off is said, not begun anew."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            for errand in _errands(session, "state = 'working'", []):
                if self._runs.waiting(errand.kind, errand.definition) is not None:
                    session.run("DELETE FROM am_errand WHERE errand_no = ?", [errand.errand_no])
                else:
                    _fail(session, errand, _CUT_OFF)

    def _take_next(self) -> Errand | None:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            number = session.value(_NEXT)
            if number is None:
                return None
            session.run("UPDATE am_errand SET state = 'working', error = NULL WHERE errand_no = ?", [number])
            return _errands(session, "errand_no = ?", [number])[0]

    def _do(self, errand: Errand, is_ending: Callable[[], bool]) -> bool:
        """False: it has to wait longer. Whatever happens, the errand is waiting, failed or gone afterwards."""
        doing = self.doing = Doing(errand.errand_no)

        def tell(phase: str, done: int, total: int | None) -> None:
            doing.phase, doing.done, doing.total = phase, done, total
            if is_ending() or errand.errand_no in self._stopping:
                raise Stopped

        try:
            self._work(errand, tell)
        except Stopped:
            return self._stopped(errand)
        except OnrampError as error:
            if error.code == "export_runs":  # a command makes one at this moment
                self._wait(errand)
                return False
            self._end(errand, error)
        except BaseException:
            self._end(errand, _FAULT)
            raise
        else:
            self._end(errand, None)
        finally:
            self.doing = None
            self._stopping.discard(errand.errand_no)
        return True

    def _work(self, errand: Errand, progress: Progress) -> None:
        if run_id := errand.wanted.get("again"):
            self._runs.send_again(str(run_id), progress)
        else:
            self._makers[errand.kind](errand.definition, errand.wanted, errand.requested_by, progress)

    def _stopped(self, errand: Errand) -> bool:
        """A person's stop ends it; the end of the process lets it wait for the next start, if it made nothing yet."""
        if errand.errand_no in self._stopping or self._runs.waiting(errand.kind, errand.definition) is not None:
            self._end(errand, None)
        else:
            self._wait(errand)
        return True

    def _wait(self, errand: Errand) -> None:
        with self._engine.queue, self._engine.session() as session:
            session.run("UPDATE am_errand SET state = 'waiting' WHERE errand_no = ?", [errand.errand_no])

    def _end(self, errand: Errand, error: OnrampError | None) -> None:
        """A run that was prepared tells by itself why it did not arrive."""
        told_by_run = isinstance(error, DeliveryError) and self._runs.waiting(errand.kind, errand.definition)
        with self._engine.queue, self._engine.session() as session:
            if error is None or told_by_run:
                session.run("DELETE FROM am_errand WHERE errand_no = ?", [errand.errand_no])
            else:
                _fail(session, errand, error)


_CUT_OFF = StateError(
    "The app ended before this run was made. Nothing was sent.",
    code="cut_off",
    hint="Start it again.",
)
_FAULT = StateError(
    "The run ended by a fault of ours.",
    code="internal_error",
    hint="Start it again; if it happens twice, report the code.",
)


def _fail(session: Session, errand: Errand, error: OnrampError) -> None:
    told = json.dumps(error.as_dict(), default=str)
    session.run("UPDATE am_errand SET state = 'failed', error = ? WHERE errand_no = ?", [told, errand.errand_no])


def _errands(session: Session, where: str, values: list[object]) -> list[Errand]:
    rows = session.records(f"SELECT * FROM am_errand WHERE {where} ORDER BY errand_no", values)
    return [
        Errand(**{
            **row, "wanted": json.loads(row["wanted"]), "asked_at": utc(row["asked_at"]),
            "error": json.loads(row["error"]) if row["error"] else None,
        })
        for row in rows
    ]  # fmt: skip
