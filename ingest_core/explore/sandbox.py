"""The outside of the process that runs a person's SQL: starts it, gives it tables, asks it, ends it.

Whatever a query does to that process, here it is an error with a name: too slow, too much memory, broken down. One
that does not stop when it is told to is killed. What it says is read with care: a query may have taken it over.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest_core.apart.frames import BYTES, END, ERROR, HEAD, ORDER, VALUE, frame
from ingest_core.engine.apart import too_much_memory
from ingest_core.errors import InputError, OnrampError, StateError, Stopped
from ingest_core.explore.child import INTERRUPTED, STOP, as_bytes

_PROGRAM = "ingest_core.explore.child"
_ROOT = str(Path(__file__).parents[2])
_TICK = 0.05  # seconds between two looks at the clock
_GRACE = 2.0  # seconds to stop by itself
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one query: seconds, rows and bytes of its result. Of the process: bytes of memory, threads, idle seconds."""

    seconds: float = 30.0
    rows: int = 10_000
    result_bytes: int = 32 << 20
    memory: int = 1 << 30
    threads: int = 2
    idle_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Raw:
    """The first rows of a result as the process sent them: columns r0, r1, …"""

    table: pa.Table
    names: tuple[str, ...]
    types: tuple[str, ...]
    is_cut: bool
    seconds: float


class Sandbox:
    """One process with its tables. For one thread at a time, but for ``kill``."""

    def __init__(self, limits: Limits, is_stopped: threading.Event | None = None) -> None:
        """``is_stopped``: set by a person, it ends what runs with ``Stopped``; whoever begins anew clears it.

        StateError ``explore_not_started``.
        """
        self._limits = limits
        self._is_stopped = is_stopped or threading.Event()
        self._process, self._talk = _start()
        self._end = weakref.finalize(self, _end, self._process, self._talk)
        self._number = 0
        self._is_busy = False  # an answer is not read to its end
        self._told_at: float | None = None  # when the process was told to stop the order under way
        terms = {
            "memory": limits.memory,
            "threads": limits.threads,
            "idle_seconds": limits.idle_seconds,
            "cpu_seconds": int((limits.seconds + 60) * limits.threads) if limits.seconds else 0,
        }
        try:
            self._say(ORDER, json.dumps(terms).encode())
            is_ready = self._hear(time.monotonic() + _START_SECONDS)[0] == VALUE
        except InputError:
            is_ready = False
        if not is_ready:
            self.close()
            raise _not_started()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked: its process lives, and has no answer under way."""
        return not self._is_busy and self.is_alive

    @property
    def is_alive(self) -> bool:
        """Whether its process was not closed, killed, or idle for too long."""
        return self._process.poll() is None

    def create(self, name: str, columns: Sequence[tuple[str, str]], *, is_open: bool = True) -> None:
        """A new empty table of (column, SQL type); ``is_open``: queries may name it."""
        self._do({"do": "create", "name": name, "columns": [list(column) for column in columns], "is_open": is_open})

    def view(self, name: str, query: str) -> None:
        """A view that queries may name, of SQL from our own code."""
        self._do({"do": "view", "name": name, "query": query})

    def append(self, name: str, rows: pa.Table) -> None:
        """More rows for a table. InputError ``sql_too_much_memory``."""
        self._do({"do": "append", "name": name}, as_bytes(rows))

    def ask(self, sql: str, rows: int | None = None) -> Raw:
        """The first rows of what a person asks; ``rows`` may be fewer than the limit.

        InputError as ``ApartDatabase.ask``, and ``sql_too_slow``, ``sql_broke``; Stopped. Where the process broke down
        or had to be killed, the sandbox is gone.
        """
        most = self._limits.rows if rows is None else min(rows, self._limits.rows)
        order = {"do": "ask", "sql": sql, "rows": most, "bytes": self._limits.result_bytes}
        data, head = self._do(order, seconds=self._limits.seconds)
        try:
            names, types = (tuple(map(str, head[key])) for key in ("names", "types"))
            return Raw(self._table(b"".join(data)), names, types, bool(head["is_cut"]), float(head["seconds"]))
        except (KeyError, TypeError, ValueError):
            raise self._broke() from None

    def whole(self, name: str) -> Iterator[pa.Table]:
        """All rows of one of its tables, in pieces. Not read to the end, it makes the sandbox useless."""
        self._begin({"do": "whole", "name": name}, b"")
        while (answer := self._answer(None))[0] == BYTES:
            yield self._table(answer[1])

    def kill(self) -> None:
        """Ends the process at once; from any thread. Who waits for an answer meets ``Stopped`` or ``sql_broke``."""
        self._process.kill()

    def close(self) -> None:
        """Ends the process; its tables are gone."""
        self._end()

    def _do(
        self, order: dict[str, Any], data: bytes | pa.Buffer = b"", *, seconds: float = 0
    ) -> tuple[list[bytes], dict[str, Any]]:
        """(pieces of data, last word) of one order; 0 seconds: as long as it likes."""
        self._begin(order, data)
        until = time.monotonic() + seconds if seconds else None
        found: list[bytes] = []
        while True:
            kind, payload = self._answer(until)
            if kind == END:
                return found, self._json(payload)
            found.append(payload)

    def _begin(self, order: dict[str, Any], data: bytes | pa.Buffer) -> None:
        self._number += 1
        self._told_at = None
        self._is_busy = True
        self._say(ORDER, json.dumps({**order, "number": self._number}).encode())
        self._say(BYTES, bytes(data))

    def _answer(self, until: float | None) -> tuple[bytes, bytes]:
        """The next frame of an answer; raises what it tells of."""
        kind, payload = self._hear(until)
        if kind == BYTES:
            return kind, payload
        if kind not in (END, ERROR):
            raise self._broke()
        self._is_busy = False
        if kind == END:
            return kind, payload
        told = self._json(payload)
        if told.get("code") == INTERRUPTED:
            raise self._why_ended()
        words = {name: str(told.get(name, "")) for name in ("message", "code", "hint")}
        raise InputError(words["message"], code=words["code"], hint=words["hint"])

    def _say(self, kind: bytes, payload: bytes) -> None:
        view = memoryview(frame(kind, payload))
        while view:
            try:
                view = view[self._talk.send(view) :]
            except TimeoutError:
                if self._is_stopped.is_set():
                    self.close()
                    raise self._why_ended() from None
            except OSError:
                raise self._broke() from None

    def _hear(self, until: float | None) -> tuple[bytes, bytes]:
        kind, size = HEAD.unpack(self._exactly(HEAD.size, until))
        if size > self._limits.memory:
            raise self._broke()
        return kind, self._exactly(size, until)

    def _exactly(self, size: int, until: float | None) -> bytes:
        data = bytearray(size)
        done = 0
        while done < size:
            try:
                got = self._talk.recv_into(memoryview(data)[done:])
            except TimeoutError:
                self._look_at_clock(until)
                continue
            except OSError:
                got = 0
            if not got:
                raise self._broke()
            done += got
        return bytes(data)

    def _look_at_clock(self, until: float | None) -> None:
        """When time is over or a person says stop, the process is interrupted, and killed if that does not help."""
        now = time.monotonic()
        if not self._is_stopped.is_set() and (until is None or now < until):
            return
        if self._told_at is None:
            self._told_at = now
            self._say(STOP, b"%d" % self._number)
        elif now > self._told_at + _GRACE:
            self.close()
            raise self._why_ended()

    def _why_ended(self) -> OnrampError:
        return stopped() if self._is_stopped.is_set() else _too_slow(self._limits.seconds)

    def _table(self, data: bytes) -> pa.Table:
        try:
            with pa.ipc.open_stream(data) as reader:
                table = reader.read_all()
            table.validate(full=True)
        except (pa.ArrowException, OSError):
            raise self._broke() from None
        return table

    def _json(self, payload: bytes) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            said = json.loads(payload)
            if isinstance(said, dict):
                return said
        raise self._broke()

    def _broke(self) -> OnrampError:
        """The process ended by itself, or said what it never says: it is not used any more."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_TICK * 4)
        code = self._process.returncode
        self.close()
        if self._is_stopped.is_set():
            return stopped()
        if code == -signal.SIGXCPU:
            return _too_slow(self._limits.seconds)
        if code == -signal.SIGKILL:  # not ours: the system's, out of memory
            return too_much_memory()
        return InputError(
            "The query broke the engine down. It ran in a process of its own: nothing else was touched.",
            code="sql_broke",
            hint="Write it another way, or ask for less.",
        )


def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair()
    path = os.pathsep.join([_ROOT, *(entry for entry in sys.path if entry)])
    with theirs:
        process = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
            [sys.executable, "-s", "-P", "-B", "-m", _PROGRAM],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # And nothing else: keys may stand in ours. Few arenas, so that the limit of memory is near what is used.
            env={"PYTHONPATH": path, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
    ours.settimeout(_TICK)
    return process, ours


def _end(process: subprocess.Popen[bytes], talk: socket.socket) -> None:
    process.kill()
    process.wait()
    talk.close()


def _not_started() -> StateError:
    return StateError(
        "The process for queries could not be started. Nothing was changed.",
        code="explore_not_started",
        hint="Free some memory, then try again.",
    )


def stopped() -> Stopped:
    """What is told to whoever waits for a query that a person stopped."""
    told = Stopped()
    told.message, told.hint = "The query was stopped.", "Run it again whenever you like."
    return told


def _too_slow(seconds: float) -> InputError:
    return InputError(
        f"The query took longer than {seconds:g} seconds and was ended.",
        code="sql_too_slow",
        hint="Ask for less, or raise explore_seconds in the settings.",
    )
