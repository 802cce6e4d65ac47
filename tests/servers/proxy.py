"""A fault proxy: passes bytes between a client and a server, and breaks the connection the way a test asks for.

It listens on a free port of loopback, one thread per direction. Faults are asked for before the client connects.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

BLOCK = 16_384


@dataclass
class Fault:
    """What happens to connections. Bytes are counted per direction and connection.

    ``after``: so many bytes of that direction pass first; ``times``: so many connections, then all is well again;
    ``skip``: so many connections are left alone first.
    """

    kind: str  # cut | stall | half_close | corrupt | delay | refuse
    direction: str = "down"  # down: what the server says; up: what the client sends
    after: int = 0
    times: int = 1
    skip: int = 0
    seconds: float = 0.0


class Proxy:
    """Passes connections on to ``port`` of loopback; a context manager."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.connections = 0
        self.passed = {"up": 0, "down": 0}
        self._faults: list[Fault] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return self._socket.getsockname()[1]

    def ask(self, *faults: Fault) -> None:
        """From now on, instead of what was asked for before."""
        with self._lock:
            self._faults = list(faults)
            self.connections = 0

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends every connection."""
        self._is_closed = True
        self._socket.close()
        for one in self._open:
            _reset(one)

    def _next(self) -> Fault | None:
        with self._lock:
            self.connections += 1
            for fault in self._faults:
                if fault.skip:
                    fault.skip -= 1
                    return None
                if fault.times:
                    fault.times -= 1
                    return fault
        return None

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            fault = self._next()
            if fault is not None and fault.kind == "refuse":
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                _reset(client)
                continue
            self._open += [client, server]
            for direction, source, sink in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._pass, args=(direction, source, sink, fault), daemon=True).start()

    def _pass(self, direction: str, source: socket.socket, sink: socket.socket, fault: Fault | None) -> None:
        mine = fault if fault is not None and fault.direction == direction else None
        done = 0
        with contextlib.suppress(OSError):
            while data := source.recv(mine.after - done if mine and 0 < mine.after - done < BLOCK else BLOCK):
                if mine is not None and done >= mine.after:
                    data = self._break(mine, data, source, sink)
                    if not data:
                        return
                sink.sendall(data)
                done += len(data)
                self.passed[direction] += len(data)
            sink.shutdown(socket.SHUT_WR)

    def _break(self, fault: Fault, data: bytes, source: socket.socket, sink: socket.socket) -> bytes:
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return data
        if fault.kind == "corrupt":
            fault.after = 1 << 62  # one bit, once
            return bytes([data[0] ^ 0x20]) + data[1:]
        if fault.kind == "half_close":
            sink.shutdown(socket.SHUT_WR)
        elif fault.kind == "cut":
            _reset(source)
            _reset(sink)
        else:  # stall: the connection is there, and nothing comes any more
            while not self._is_closed and source.fileno() >= 0:
                time.sleep(0.05)
        return b""


def _reset(one: socket.socket) -> None:
    """Closes with RST, as a connection that breaks does."""
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RD)  # wakes who reads it and sends nothing
    with contextlib.suppress(OSError):
        one.close()
