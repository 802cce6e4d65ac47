"""The process in which SQL of a person runs: it holds the tables of one session and can reach nothing else.

It has no descriptor but the conversation with its parent, and can open none: no file, no folder, no network, whatever
the engine would let through. It has no key and no environment, a limit of memory, leaves no core, and ends when its
parent is gone or has been silent for long. What cannot be interrupted is killed by the parent.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest_core.apart.frames import BYTES, END, ERROR, HEAD, ORDER, VALUE, frame
from ingest_core.engine.apart import ApartDatabase, Interrupted, too_much_memory
from ingest_core.errors import InputError

STOP = b"s"
"""A frame from the parent: interrupt the order whose number is its payload."""

INTERRUPTED = "interrupted"
"""Code of an answer: the order was interrupted as asked."""

_INSIST_SECONDS = 0.02
_DEEPEST = 20_000  # levels of a parsed query; the engine has its own, lower limit


class Parent:
    """The other side of the conversation."""

    def __init__(self, talk: socket.socket) -> None:
        self._talk = talk

    def hear(self) -> tuple[bytes, bytes]:
        """(kind, payload) of the next frame; the process ends when the parent is gone."""
        kind, size = HEAD.unpack(self._exactly(HEAD.size))
        return kind, self._exactly(size)

    def say(self, kind: bytes, payload: bytes | pa.Buffer) -> None:
        """Sends one frame."""
        with suppress(OSError):  # the listener ends the process
            self._talk.sendall(frame(kind, bytes(payload)))

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        done = 0
        while done < size:
            try:
                got = self._talk.recv_into(memoryview(data)[done:])
            except OSError:
                got = 0
            if not got:
                os._exit(1)
            done += got
        return bytes(data)


class Desk:
    """Takes the orders one by one; a second thread hears the parent meanwhile."""

    def __init__(self, parent: Parent, database: ApartDatabase, cpu_seconds: int) -> None:
        self._parent = parent
        self._database = database
        self._cpu_seconds = cpu_seconds
        self._orders: queue.Queue[tuple[dict[str, Any], bytes]] = queue.Queue()
        self._at: int | None = None  # number of the order under way

    def serve(self, idle_seconds: float) -> None:
        """Answers until the parent is silent for so long."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            try:
                order, payload = self._orders.get(timeout=idle_seconds)
            except queue.Empty:
                return
            self._limit_processor()
            self._at = order["number"]
            try:
                self._answer(order, payload)
            finally:
                self._at = None

    def _answer(self, order: dict[str, Any], payload: bytes) -> None:
        does: dict[str, Callable[[dict[str, Any], bytes], dict[str, Any] | None]] = {
            "create": self._create, "view": self._view, "append": self._append, "ask": self._ask, "whole": self._whole,
        }  # fmt: skip
        try:
            value = does[order["do"]](order, payload)
        except Interrupted:
            self._parent.say(ERROR, json.dumps({"code": INTERRUPTED}).encode())
        except InputError as error:
            self._parent.say(ERROR, json.dumps(error.as_dict()).encode())
        except MemoryError:
            self._parent.say(ERROR, json.dumps(too_much_memory().as_dict()).encode())
        except BaseException:  # noqa: BLE001  the engine is lost, or we are: the parent starts another process
            os._exit(3)
        else:
            self._parent.say(END, json.dumps(value or {}).encode())

    def _create(self, order: dict[str, Any], _: bytes) -> None:
        self._database.create(order["name"], order["columns"], is_open=order["is_open"])

    def _view(self, order: dict[str, Any], _: bytes) -> None:
        self._database.view(order["name"], order["query"])

    def _append(self, order: dict[str, Any], payload: bytes) -> None:
        with pa.ipc.open_stream(payload) as reader:
            self._database.append(order["name"], reader.read_all())

    def _ask(self, order: dict[str, Any], _: bytes) -> dict[str, Any]:
        begun = time.perf_counter()
        answer = self._database.ask(order["sql"], order["rows"], order["bytes"])
        seconds = time.perf_counter() - begun
        self._parent.say(BYTES, as_bytes(answer.table))
        return {"names": answer.names, "types": answer.types, "is_cut": answer.is_cut, "seconds": seconds}

    def _whole(self, order: dict[str, Any], _: bytes) -> None:
        for batch in self._database.whole(order["name"]):
            self._parent.say(BYTES, as_bytes(pa.Table.from_batches([batch])))

    def _listen(self) -> None:
        while True:
            kind, payload = self._parent.hear()
            if kind == ORDER:
                self._orders.put((json.loads(payload), self._parent.hear()[1]))
            elif kind == STOP:
                threading.Thread(target=self._insist, args=[int(payload)], daemon=True).start()

    def _insist(self, number: int) -> None:
        """The engine forgets an interruption that comes just before a statement begins: told again and again."""
        while self._at == number:
            self._database.interrupt()
            time.sleep(_INSIST_SECONDS)

    def _limit_processor(self) -> None:
        """The parent's clock runs first; this one is for a parent that stands still."""
        if self._cpu_seconds:
            _limit(resource.RLIMIT_CPU, int(time.process_time()) + self._cpu_seconds)


def as_bytes(table: pa.Table) -> pa.Buffer:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _warm_up(database: ApartDatabase) -> None:
    """Everything is loaded before nothing can be opened any more."""
    database.create("warm up", [("a", "BIGINT"), ("b", "VARCHAR")], is_open=False)
    database.append("warm up", pa.table({"a": ["1"], "b": ["x"]}))
    for sql in ("SELECT now(), DATE '2027-01-31', sum(i), uuid() FROM range(3) r(i)", "EXPLAIN SELECT 1", "SELECT no"):
        with suppress(InputError):
            as_bytes(database.ask(sql, 1, 1 << 20).table)
    list(database.whole("warm up"))


def _close_everything(memory: int) -> None:
    size = _size() if sys.platform == "linux" else 0
    _limit(resource.RLIMIT_CORE, 0)  # a core would hold people's data
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 0)
    if sys.platform == "linux":
        _limit(resource.RLIMIT_AS, size + 2 * memory)


def _limit(what: int, value: int) -> None:
    """A limit from here on; of the processor it may be set anew, so there the hard one stays."""
    hard = resource.getrlimit(what)[1] if what == resource.RLIMIT_CPU else value
    with suppress(ValueError, OSError):  # not every system limits everything
        resource.setrlimit(what, (value, hard))


def _size() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()


def main() -> None:
    """Hears its terms, makes the database, closes the door, serves."""
    parent = Parent(socket.socket(fileno=0))
    terms = json.loads(parent.hear()[1])
    sys.setrecursionlimit(_DEEPEST)
    database = ApartDatabase(terms["memory"], terms["threads"])
    _warm_up(database)
    _close_everything(terms["memory"])
    parent.say(VALUE, b"{}")
    Desk(parent, database, terms["cpu_seconds"]).serve(terms["idle_seconds"])
    os._exit(0)


if __name__ == "__main__":
    main()
