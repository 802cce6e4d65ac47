"""One Explore session: tables, and queries over them, in a process that is started again when it had to be ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from ingest_core.clock import now
from ingest_core.explore.material import Material, TableInfo, ignore
from ingest_core.explore.result import Result
from ingest_core.explore.sandbox import Limits, Sandbox, stopped
from ingest_core.models import Progress

_PATIENCE = 5.0  # seconds to wait for a query whose process was killed


class ExploreSession:
    """Made by ``Explore``. Queries of several threads run one after another; ``stop`` and ``close`` come from any.

    A session holds a process with a copy of its data until it is closed, was idle for long, or others need its place;
    the next query makes it anew from the same file, or from the profiles of that moment.
    """

    def __init__(self, material: Material, limits: Limits, make_room: Callable[[], None]) -> None:
        self._material = material
        self._limits = limits
        self._make_room = make_room
        self._sandbox: Sandbox | None = None
        self._tables: tuple[TableInfo, ...] = ()
        self._turn = threading.Lock()
        self._is_stopped = threading.Event()
        self.used_at = time.monotonic()
        self.filled_at: datetime | None = None
        """When its tables were made (UTC); None: not yet."""

    @property
    def is_running(self) -> bool:
        """Whether a query, or the reading of its tables, is under way."""
        return self._turn.locked()

    @property
    def is_loaded(self) -> bool:
        """Whether its process holds the tables at this moment."""
        return self._sandbox is not None and self._sandbox.is_alive

    def tables(self, progress: Progress = ignore) -> tuple[TableInfo, ...]:
        """What queries may name; reads the data where that has not been done. Raises as ``Material.fill``."""
        with self._at_work():
            self._ready(progress)
            return self._tables

    def run(self, sql: str, rows: int | None = None) -> Result:
        """The first rows that a query answers, at most ``rows`` and the limit of the settings.

        InputError ``sql_empty``, ``sql_wrong``, ``sql_no_table``, ``sql_not_allowed``, ``sql_failed``,
        ``sql_too_slow``, ``sql_too_much_memory``, ``sql_too_large``, ``sql_broke``; Stopped. No message holds a value
        of the data; ``sql_wrong`` may quote the query.
        """
        with self._at_work():
            return Result.of(self._ready(ignore).ask(sql, rows))

    def whole(self, table: str) -> Iterator[pa.Table]:
        """All rows of one of its tables, in pieces; holds the session until it is read or closed."""
        with self._at_work():
            yield from self._ready(ignore).whole(table)

    def stop(self) -> None:
        """Ends what runs at this moment with Stopped. Returns at once."""
        self._is_stopped.set()

    def close(self) -> None:
        """Frees the process and its data; a query that runs is lost."""
        self.stop()
        if self._sandbox is not None:
            self._sandbox.kill()
        if self._turn.acquire(timeout=_PATIENCE):
            self._free()
            self._turn.release()

    def free_if_idle(self) -> bool:
        """Gives its place to another session, unless it is at work."""
        if not self._turn.acquire(blocking=False):
            return False
        self._free()
        self._turn.release()
        return True

    def _ready(self, progress: Progress) -> Sandbox:
        if self._sandbox is not None and self._sandbox.is_usable:
            return self._sandbox
        self._free()
        self._make_room()
        sandbox = Sandbox(self._limits, self._is_stopped)
        try:
            self._tables = tuple(self._material.fill(sandbox, self._watched(progress)))
        except BaseException:
            sandbox.close()
            raise
        self._sandbox, self.filled_at = sandbox, now()
        return sandbox

    def _watched(self, progress: Progress) -> Progress:
        def told(phase: str, done: int, total: int | None) -> None:
            if self._is_stopped.is_set():
                raise stopped()
            progress(phase, done, total)

        return told

    def _free(self) -> None:
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._turn:
            self._is_stopped.clear()
            try:
                yield
            finally:
                self.used_at = time.monotonic()
