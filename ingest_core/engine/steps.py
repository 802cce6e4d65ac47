"""Steps: named SQL with a purpose each, run one after the other, seen later in the receipt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ingest_core.engine.boundary import EngineError, out_of_memory
from ingest_core.engine.memory import is_memory, is_panic, require_room
from ingest_core.engine.session import Session
from ingest_core.faults import abort_point
from ingest_core.models import Progress, StepReport


@dataclass(frozen=True, slots=True)
class Step:
    """One statement and why it is there."""

    name: str
    purpose: str
    sql: str


def must_be(found: int, expected: int, what: str) -> None:
    """Inside a transaction: stops a load whose counts do not add up before it can be committed."""
    if found != expected:
        raise EngineError(
            "The database gave an answer that does not add up. Nothing was changed.",
            code="counts_do_not_add_up",
            hint="Start again; if it happens twice, report the code and these figures.",
            facts={"what": what, "found": found, "expected": expected},
        )


def _library_failed() -> EngineError:
    """A library gave up in the middle of a step. Its text may quote a cell and is left out."""
    return EngineError(
        "A library that this step needs failed. Nothing was changed.",
        code="internal_error",
        hint="Start again; if it happens twice, report the step's name.",
        facts={"kind": "PanicException"},
    )


def ignore_progress(phase: str, done: int, total: int | None) -> None:
    """For work nobody watches."""


class Runner:
    """Runs steps in one session, times them, and tells progress; ``reports`` becomes the receipt's ``steps``."""

    def __init__(
        self, session: Session, progress: Progress = ignore_progress, live: dict[str, int] | None = None
    ) -> None:
        self.session = session
        self._progress = progress
        self.live = live if live is not None else {}  # counts so far, for whoever watches
        self.reports: list[StepReport] = []

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Tells how far it is; raises what the one who watches raises, and MemoryError where memory is about to end."""
        require_room()
        self._progress(phase, done, total)

    def run(self, step: Step, parameters: Sequence[object] = ()) -> int | None:
        """Runs one statement; returns how many rows it made, if the engine says so."""
        with self.timed(step.name, step.purpose, step.sql) as done:
            rows = self.session.run(step.sql, parameters)
            done(rows)
        return rows

    def all(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.run(step)

    @contextmanager
    def timed(self, name: str, purpose: str, sql: str = "") -> Iterator[Callable[[int | None], None]]:
        """Reports a piece of work as one step; call the yielded function with the number of rows."""
        rows: list[int | None] = [None]
        try:
            self.progress(name, 0, None)
            abort_point(name, "before")
            begun = time.perf_counter()
            yield rows.append
        except BaseException as error:
            if is_memory(error):
                raise out_of_memory() from None
            if is_panic(error):
                raise _library_failed() from None
            raise
        self.reports.append(
            StepReport(
                name=name, purpose=purpose, sql=sql, seconds=round(time.perf_counter() - begun, 4), rows=rows[-1]
            )
        )
        abort_point(name, "after")
