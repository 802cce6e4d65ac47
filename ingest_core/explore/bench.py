"""The cells of a notebook run in the background, one after another: whoever waits can watch, stop, or go away."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.explore.material import TableInfo
from ingest_core.explore.result import Result
from ingest_core.explore.session import ExploreSession

NO_PROGRESS: tuple[str, int, int | None] = ("", 0, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a query answered, or why it did not. ``sql`` is what was asked; the cell may say something else by now."""

    sql: str
    result: Result | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What goes on, for ``seconds``. ``cell`` None: the data is read, ``done`` of ``total`` in a ``phase``."""

    cell: str | None
    seconds: float
    waiting: int
    phase: str = ""
    done: int = 0
    total: int | None = None


class Bench:
    """Runs queries of one session for one person; results stay here, in memory. Safe for many threads.

    ``version`` grows whenever something ended. A thread works only while there is something to do.
    """

    def __init__(self, session: ExploreSession) -> None:
        self.session = session
        self.version = 0
        self._lock = threading.Lock()
        self._queue: deque[tuple[str | None, str]] = deque()
        self._current: str | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._tables: tuple[TableInfo, ...] = ()
        self._problem: Exception | None = None
        self._thread: threading.Thread | None = None
        self._at: tuple[str | None, float] = (None, 0.0)
        self._progress = NO_PROGRESS
        self._is_stopped = False

    @property
    def tables(self) -> tuple[TableInfo, ...]:
        """What queries may name; empty until the data is read."""
        return self._tables

    @property
    def problem(self) -> Exception | None:
        """Why the data could not be read."""
        return self._problem

    def outcome(self, cell: str) -> Outcome | None:
        """The latest outcome of a cell."""
        return self._outcomes.get(cell)

    def forget(self, cell: str) -> None:
        """Its result is not needed any more."""
        self._outcomes.pop(cell, None)

    def is_waiting(self, cell: str) -> bool:
        """Whether a cell is to run, or runs."""
        with self._lock:
            return self._current == cell or any(key == cell for key, _ in self._queue)

    def work(self) -> Work | None:
        """What goes on at this moment; None when nothing does."""
        with self._lock:
            if self._thread is None:
                return None
            if self._is_stopped:  # a query that had not quite begun when it was told so did not hear it
                self.session.stop()
            cell, since = self._at
            return Work(cell, time.monotonic() - since, len(self._queue), *self._progress)

    def read(self) -> None:
        """Begins to read the data, unless that was done."""
        self.run([(None, "")])

    def again(self) -> None:
        """Reads the data anew: profiles as they are now. What ran before keeps its results."""
        self.stop()
        self.session.close()
        self.read()

    def run(self, cells: Sequence[tuple[str | None, str]]) -> None:
        """Runs (cell, SQL) after those that wait already; one that waits is asked what it says now."""
        with self._lock:
            for cell, sql in cells:
                self._queue = deque(pair for pair in self._queue if pair[0] != cell)
                self._queue.append((cell, sql))
            if self._queue and self._thread is None:
                self._at, self._progress, self._is_stopped = (None, time.monotonic()), NO_PROGRESS, False
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ends what runs and forgets what waits. Returns at once."""
        with self._lock:
            self._queue.clear()
            if self._thread is not None:
                self._is_stopped = True
                self.session.stop()

    def close(self) -> None:
        """Frees the data of the session."""
        self.stop()
        self.session.close()

    def _work(self) -> None:
        while (order := self._next()) is not None:
            cell, sql = order
            outcome = self._asked(cell, sql)
            with self._lock:
                if cell is not None:
                    self._outcomes[cell] = outcome
                self.version += 1

    def _next(self) -> tuple[str | None, str] | None:
        """The next one; None: the end, decided under the lock so that nothing queued is left lying."""
        with self._lock:
            self._is_stopped = False
            self._at, self._progress, self._current = (None, time.monotonic()), NO_PROGRESS, None
            if not self._queue:
                self._thread = None
                return None
            self._current, sql = self._queue.popleft()
            return self._current, sql

    def _asked(self, cell: str | None, sql: str) -> Outcome:
        """The data is read first where that has not been done, or the session was idle for long."""
        try:
            self._tables, self._problem = self.session.tables(self._told), None
        except Exception as error:  # noqa: BLE001  told on the screen, which knows what it may show
            self._problem = error
            return Outcome(sql, error=error)
        if cell is None:
            return Outcome(sql)
        self._at = (cell, time.monotonic())
        try:
            return Outcome(sql, self.session.run(sql))
        except Exception as error:  # noqa: BLE001  likewise
            return Outcome(sql, error=error)

    def _told(self, phase: str, done: int, total: int | None) -> None:
        self._progress = (phase, done, total)
