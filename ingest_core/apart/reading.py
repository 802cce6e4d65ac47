"""The outside of reading apart: starts the child, feeds it bytes of the file, hands on what it says.

A child that dies, is too slow or needs too much memory ends the reading with a ``FileError``; this process holds one
frame at a time and nothing else of the file.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ingest_core.apart.caps import Watch, too_slow
from ingest_core.apart.frames import BYTES, END, ERROR, HEAD, ORDER, PLACE, READ, VALUE, frame
from ingest_core.errors import FileError

if TYPE_CHECKING:
    from ingest_core.models import ByteSource

_TICK = 0.5  # seconds between two looks at the clock while the child is silent
_MOST_READ = 64 << 20
_ROOT = str(Path(__file__).parents[2])


@dataclass(frozen=True, slots=True)
class Cage:
    """What the child may use: seconds of clock and of processor (0: no limit), bytes of memory, bytes of one value."""

    seconds: int
    memory: int
    frame: int


def read_apart(
    program: str,
    source: ByteSource,
    order: dict[str, Any],
    cage: Cage,
    tick: Callable[[], None],
) -> Iterator[Any]:
    """The values that the module ``program``, run as a process of its own, sends about the file.

    ``order`` reaches the program as it is; ``tick`` is called twice a second while nothing comes and may raise. Closing
    the iterator ends the process. Raises ``FileError``: ``too_slow``, ``too_much_memory``, ``reader_died``, and what
    the program raises.
    """
    with source.open() as stream, _child(program) as (process, talk):
        call = _Call(process, talk, source.name, cage, tick)
        call.say(ORDER, json.dumps({**order, **_terms(cage, source.size)}).encode())
        while True:
            kind, payload = call.hear()
            if kind == READ:
                call.say(BYTES, _piece(stream, *PLACE.unpack(payload)))
            elif kind == VALUE:
                yield json.loads(payload)
            elif kind == ERROR:
                raise FileError(**_error(json.loads(payload)))
            elif kind == END:
                return
            else:
                raise call.died()


def _terms(cage: Cage, size: int) -> dict[str, int]:
    return {"parent": os.getpid(), "size": size, "seconds": cage.seconds, "memory": cage.memory}


def _piece(stream: IO[bytes], offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(min(size, _MOST_READ))


def _error(said: dict[str, Any]) -> dict[str, Any]:
    return {name: said[name] for name in ("message", "code", "hint", "facts")}


@contextmanager
def _child(program: str) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    ours, theirs = socket.socketpair()
    path = os.pathsep.join([_ROOT, *(entry for entry in sys.path if entry)])
    with ours:
        with theirs:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and module, no shell
                [sys.executable, "-s", "-P", "-B", "-m", program],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                process_group=0,  # Ctrl-C is for the parent to answer
                env={"PYTHONPATH": path},  # and nothing else: keys may stand in ours
            )
        try:
            yield process, ours
        finally:
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


class _Call:
    """The conversation with one child, against the clock."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        talk: socket.socket,
        name: str,
        cage: Cage,
        tick: Callable[[], None],
    ) -> None:
        self._process = process
        self._talk = talk
        self._name = name
        self._cage = cage
        self._tick = tick
        self._watch = Watch(cage.seconds, name)
        talk.settimeout(_TICK)

    def say(self, kind: bytes, payload: bytes) -> None:
        """Sends a frame, unless the child is dead."""
        view = memoryview(frame(kind, payload))
        while view:
            try:
                view = view[self._talk.send(view) :]
            except TimeoutError:
                self._look_at_clock()
            except OSError:
                raise self.died() from None

    def hear(self) -> tuple[bytes, bytes]:
        """(kind, payload) of the next frame."""
        self._look_at_clock(is_silent=False)
        kind, size = HEAD.unpack(self._exactly(HEAD.size))
        if size > self._cage.frame:
            raise self.died()
        return kind, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        done = 0
        while done < size:
            try:
                got = self._talk.recv_into(memoryview(data)[done:])
            except TimeoutError:
                self._look_at_clock()
                continue
            except OSError:
                got = 0
            if not got:
                raise self.died()
            done += got
        return bytes(data)

    def _look_at_clock(self, *, is_silent: bool = True) -> None:
        self._watch.check()
        if is_silent:
            self._tick()

    def died(self) -> FileError:
        """Why there is no more word from the child: its exit code and last words tell."""
        self._talk.close()  # a child that is still there would wait for an answer
        try:
            code = self._process.wait(timeout=_TICK)
        except subprocess.TimeoutExpired:
            return _reader_died(self._name)  # it said what is no frame
        words = self._process.stderr.read(4_096) if self._process.stderr is not None else b""
        if code == -signal.SIGXCPU:
            return too_slow(self._name, self._cage.seconds)
        # A kill that was not ours is the system's, out of memory.
        if code == -signal.SIGKILL or b"MemoryError" in words or b"memory allocation of" in words:
            return _too_much_memory(self._name, self._cage.memory)
        return _reader_died(self._name)


def _too_much_memory(name: str, memory: int) -> FileError:
    return FileError(
        f"Reading the file needed more than {memory:,} bytes of memory and was ended.",
        code="too_much_memory",
        hint="Save it as TSV or CSV, or raise reader_memory_bytes in the settings. Nothing was changed.",
        facts={"file": name, "memory_limit": memory},
    )


def _reader_died(name: str) -> FileError:
    return FileError(
        "The file cannot be read: its reader broke down over it.",
        code="reader_died",
        hint="Save it as TSV or CSV. Nothing was changed.",
        facts={"file": name},
    )
