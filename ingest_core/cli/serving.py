"""One command of a client: run in a thread of its own, while the client is told, and watched for going away."""

from __future__ import annotations

import json
import queue
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ingest_core.cli.answering import Answer
from ingest_core.cli.caller import Caller, called_by
from ingest_core.engine.stopping import Stop, working_for

Command = Callable[[list[str]], Answer]

_SEND_SECONDS = 60.0
"""A client that takes nothing for so long has lost its answer."""


class Work:
    """A command under way. ``on_end`` is called when it has ended, whether or not its client was still there."""

    def __init__(self, command: Command, caller: Caller, arguments: list[str], on_end: Callable[[Work], None]) -> None:
        self._command = command
        self._caller = replace(caller, talk=self._say if caller.is_watched else None)
        self._arguments = arguments
        self._on_end = on_end
        self._stop = Stop()
        self._lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._heard, self._bell = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="onramp-command", daemon=True)

    def start(self) -> None:
        """Begins it."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to stop, as Ctrl-C does where a command runs in its own process."""
        self._stop.ask()

    def join(self, seconds: float) -> None:
        """Until it has ended, at most so long."""
        self._thread.join(seconds)

    def tell(self, client: socket.socket) -> None:
        """Sends what it says to the client until it has ended; a client that closes its side stops it."""
        client.settimeout(_SEND_SECONDS)
        with self._heard, self._bell, selectors.DefaultSelector() as ready:
            ready.register(self._heard, selectors.EVENT_READ)
            ready.register(client, selectors.EVENT_READ)
            while True:
                events = {key.fileobj for key, _ in ready.select()}
                if client in events:
                    ready.unregister(client)
                    self.stop()
                if self._heard in events and not self._send(client, len(self._heard.recv(4096))):
                    return

    def _send(self, client: socket.socket, lines: int) -> bool:
        """False after the last line."""
        for _ in range(lines):
            line = self._lines.get()
            if line is None:
                return False
            try:
                client.sendall(json.dumps(line).encode() + b"\n")
            except OSError:
                self.stop()  # nobody is there any more; the end is waited for all the same
        return True

    def _run(self) -> None:
        found = Answer(None, "", 1)
        try:
            with called_by(self._caller), working_for(self._stop):
                found = self._command(self._arguments)
        finally:
            self._put({"out": found.out, "err": found.err, "exit_code": found.exit_code})
            self._put(None)
            self._on_end(self)

    def _say(self, text: str) -> None:
        self._put({"talk": text})

    def _put(self, line: dict[str, Any] | None) -> None:
        self._lines.put(line)
        with suppress(OSError):  # nobody listens
            self._bell.send(b".")
