"""Asks the process that holds the workspace to run a command, as if it ran here."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

from ingest_core import __version__
from ingest_core.cli.address import Address, find
from ingest_core.cli.answering import Answer
from ingest_core.cli.caller import sent_along
from ingest_core.errors import StateError
from ingest_core.workspace import default_user

PATIENCE = 3.0
"""Seconds that a process which has just taken the workspace has to publish its address."""

ANSWER_SECONDS = 10.0
"""Until the first byte of an answer; how long the command takes is another matter."""

STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_HOLDERS = ("app", "worker")


def ask(home: Path, arguments: list[str], locked: StateError) -> Answer:
    """The answer of the holder; ``locked`` says who that is, and is raised when it does not answer.

    Raises KeyboardInterrupt when a signal came and the command has been stopped there. StateError ``other_version``,
    ``answer_lost``.
    """
    connection = _connect(home, locked)
    try:
        _send(connection, arguments, locked)
        try:
            return _read(connection)
        except KeyboardInterrupt:
            _stop(connection)
            raise
    finally:
        connection.connection.close()


class _Connection:
    """A connection that was made, its address, and the answer once it has begun."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=ANSWER_SECONDS)
        self.connection.connect()
        self.response: http.client.HTTPResponse | None = None

    @property
    def socket(self) -> socket.socket:
        return self.connection.sock


def _connect(home: Path, locked: StateError) -> _Connection:
    """Waits a moment for a process that is just starting."""
    end = time.monotonic() + (PATIENCE if locked.facts.get("holder") in _HOLDERS else 0)
    while True:
        address = find(home)
        if address is not None and address.pid == locked.facts.get("pid"):  # else it is a dead process's
            if address.version != __version__:
                raise _other_version(address)
            try:
                return _Connection(address)
            except OSError:
                pass
        if time.monotonic() >= end:
            raise _unanswered(locked)
        time.sleep(_LOOK_SECONDS)


def _send(connection: _Connection, arguments: list[str], locked: StateError) -> None:
    is_stdin_wanted, variables = sent_along(arguments)
    body = {
        "arguments": arguments,
        "folder": str(Path.cwd()),
        "user": default_user(),
        "stdin": sys.stdin.read() if is_stdin_wanted else None,
        "environment": variables,
        "is_watched": sys.stderr.isatty(),
    }
    headers = {
        "host": connection.address.host,
        "authorization": f"Bearer {connection.address.token}",
        "content-type": "application/json",
    }
    try:
        connection.connection.request("POST", "/command", json.dumps(body).encode(), headers)
        sent = connection.socket  # http.client forgets it once the answer says that it closes the connection
        response = connection.response = connection.connection.getresponse()
        connection.connection.sock = sent
    except (OSError, http.client.HTTPException):
        raise _unanswered(locked) from None
    if response.status != 200:
        raise _unanswered(locked)
    sent.settimeout(None)


def _read(connection: _Connection) -> Answer:
    assert connection.response is not None
    try:
        while line := connection.response.readline():
            said: dict[str, Any] = json.loads(line)
            if "exit_code" in said:
                return Answer(said["out"], said["err"], said["exit_code"])
            sys.stderr.write(said["talk"])
            sys.stderr.flush()
    except (OSError, ValueError, KeyError, http.client.HTTPException):
        pass
    raise StateError(
        "The process that holds the workspace ended while it did this. What was not finished is not kept.",
        code="answer_lost",
        hint="The history says what was loaded.",
        facts={"pid": connection.address.pid},
    )


def _stop(connection: _Connection) -> None:
    """Closes our side, which stops the command, and waits until it has ended; a second signal ends this process."""
    try:
        connection.socket.settimeout(STOP_SECONDS)
        connection.socket.shutdown(socket.SHUT_WR)
        while connection.response is not None and connection.response.readline():
            pass
    except (OSError, http.client.HTTPException):
        pass


def _unanswered(locked: StateError) -> StateError:
    if locked.facts.get("holder") in _HOLDERS:
        locked.hint = "It does not answer: it may be just starting, or have much to do. Try again, or end it."
    return locked


def _other_version(address: Address) -> StateError:
    return StateError(
        f"The workspace is held by another version of Onramp ({address.version}, PID {address.pid}; this is "
        f"{__version__}). Nothing was changed.",
        code="other_version",
        hint="Start the app or the worker again, then run the command again.",
        facts={"pid": address.pid, "version": address.version},
    )
