"""Inside the process that reads a file apart: limits first, then one conversation with its parent, then gone.

It has no descriptor but that conversation (stdin), no key, no environment, writes no file and leaves no core. It
imports little, so that it starts in hundredths of a second, and it never outlives its parent.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from ingest_core.apart.frames import BYTES, END, ERROR, HEAD, ORDER, PLACE, READ, VALUE, frame
from ingest_core.errors import FileError

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_BUFFER = 1 << 20


class Parent:
    """The other side: gives bytes of the file, takes values."""

    def __init__(self, talk: socket.socket) -> None:
        self._talk = talk

    def hear(self, expected: bytes) -> bytes:
        """The payload of the next frame; leaves when the parent is gone."""
        kind, size = HEAD.unpack(self._exactly(HEAD.size))
        if kind != expected:
            os._exit(2)
        return self._exactly(size)

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file; fewer than ``size`` only at its end."""
        self._talk.sendall(frame(READ, PLACE.pack(offset, size)))
        return self.hear(BYTES)

    def send(self, value: object) -> None:
        """One value that JSON knows."""
        self._talk.sendall(frame(VALUE, json.dumps(value, ensure_ascii=False).encode()))

    def end(self, error: FileError | None) -> None:
        """The last word."""
        last = frame(END, b"") if error is None else frame(ERROR, json.dumps(error.as_dict()).encode())
        self._talk.sendall(last)

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        done = 0
        while done < size:
            got = self._talk.recv_into(memoryview(data)[done:])
            if not got:
                os._exit(1)
            done += got
        return bytes(data)


class RemoteFile(io.RawIOBase):
    """The file, byte for byte from the parent, seekable."""

    def __init__(self, parent: Parent, size: int) -> None:
        self._parent = parent
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")  # as a file on disk says it
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._parent.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def readall(self) -> bytes:
        parts = []
        while part := self._parent.read(self._at, _BUFFER):
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)


def serve(work: Callable[[Parent, IO[bytes], dict[str, Any]], None]) -> None:
    """Runs ``work(parent, file, order)`` for the one order of this process. A ``FileError`` goes to the parent."""
    _die_with_parent()
    parent = Parent(socket.socket(fileno=0))
    order = json.loads(parent.hear(ORDER))
    if os.getppid() != order["parent"]:
        os._exit(1)  # it died before the wish to die with it was heard
    _limit(order["seconds"], order["memory"])
    try:
        with io.BufferedReader(RemoteFile(parent, order["size"]), _BUFFER) as file:
            work(parent, file, order)
    except FileError as error:
        parent.end(error)
    else:
        parent.end(None)
    sys.stderr.flush()
    os._exit(0)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _limit(seconds: int, memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold people's data
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(ValueError, OSError):  # not every system limits these two; the parent's clock always runs
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if seconds:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
