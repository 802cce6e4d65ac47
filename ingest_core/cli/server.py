"""The loopback API: commands for the workspace that this process holds, from other processes of this machine.

One small HTTP server on 127.0.0.1 and a free port, apart from the app's, which people may open to their network. It
takes one kind of request, ``POST /command`` with the token of ``api.json``, and answers in lines of JSON:
``{"talk": text}`` as often as the command has something to say to a terminal, then ``{"out", "err", "exit_code"}``. A
client that closes its side of the connection stops its command.
"""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ingest_core import __version__
from ingest_core.cli.address import Address, publish, withdraw
from ingest_core.cli.answering import Answer, answer
from ingest_core.cli.caller import Caller
from ingest_core.cli.serving import Work
from ingest_core.workspace import Workspace

MOST_BYTES = 16 << 20
"""Of one request: the arguments and what comes on standard input."""

MOST_CLIENTS = 32
SILENCE_SECONDS = 10.0
"""A client that is silent for so long before its request is complete is left."""

_LOG = logging.getLogger("onramp.api")


class Api:
    """Takes commands from ``start`` to ``close``."""

    def __init__(self, workspace: Workspace, build_parser: Callable[[], argparse.ArgumentParser]) -> None:
        self._workspace = workspace
        self._server = _Server(workspace, build_parser)
        self.address = Address(os.getpid(), self._server.server_port, secrets.token_urlsafe(32), __version__)
        self._server.address = self.address
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="onramp-api", daemon=True
        )

    def start(self) -> Api:
        """From now on commands are taken."""
        self._thread.start()
        publish(self._workspace.home, self.address)
        return self

    def close(self, seconds: float = 15) -> None:
        """Takes no more commands, stops those under way and waits for them, at most so long."""
        withdraw(self._workspace.home, self.address)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.end_all(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    address: Address

    def __init__(self, workspace: Workspace, build_parser: Callable[[], argparse.ArgumentParser]) -> None:
        self._workspace = workspace
        self._build_parser = build_parser
        self._places = threading.BoundedSemaphore(MOST_CLIENTS)
        self._work: set[Work] = set()
        self._lock = threading.Lock()
        self._is_closing = False
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """As the base's, without asking a name server who we are."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a fault of ours: by its kind only, its text may quote a customer."""
        _LOG.debug("A client of the loopback API was left.")

    def begin(self, caller: Caller, arguments: list[str], user: str) -> Work | None:
        """None where too many are at work, or this process ends."""
        if not self._places.acquire(blocking=False):
            return None
        work = Work(lambda given: self._answer(given, user), caller, arguments, self._end)
        with self._lock:
            if not self._is_closing:
                self._work.add(work)
                work.start()
                return work
        self._places.release()
        return None

    def _answer(self, arguments: list[str], user: str) -> Answer:
        seen = self._workspace.seen_by(user)
        return answer(self._build_parser, arguments, lambda args: args.run(seen, args))

    def _end(self, work: Work) -> None:
        with self._lock:
            self._work.discard(work)
        self._places.release()

    def end_all(self, seconds: float) -> None:
        with self._lock:
            self._is_closing = True
            left = list(self._work)
        for work in left:
            work.stop()
        for work in left:
            work.join(seconds)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "Onramp", ""
    timeout = SILENCE_SECONDS

    def do_POST(self) -> None:
        """One command."""
        self.close_connection = True
        if (refused := self._refusal()) is not None:
            return self._refuse(*refused)
        order = _order(self.rfile.read(int(self.headers["content-length"])))
        if order is None:
            return self._refuse(400, "bad_request")
        work = self.server.begin(order[0], order[1], order[2])
        if work is None:
            return self._refuse(503, "busy")
        with contextlib.suppress(OSError):  # who has gone already is found out by ``tell``
            self.send_response(200)
            self.send_header("content-type", "application/x-ndjson")
            self.send_header("connection", "close")
            self.end_headers()
        work.tell(self.connection)
        return None

    def do_GET(self) -> None:
        """Nothing is to be had without a command."""
        self.close_connection = True
        self._refuse(*(self._refusal() or (405, "bad_method")))

    do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

    def _refusal(self) -> tuple[int, str] | None:
        """Why a request is not looked at further: (status, code). The body is not read before all is well."""
        headers, mine = self.headers, self.server.address
        if headers.get_all("host") != [mine.host] or "origin" in headers or "sec-fetch-site" in headers:
            return 403, "other_site"  # a browser, led here by some page
        given = headers.get("authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, f"Bearer {mine.token}".encode()):
            return 401, "no_token"
        if self.command != "POST" or self.path != "/command":
            return 405, "bad_method"
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
            return 411, "no_length"
        if len(length) > 12 or int(length) > MOST_BYTES:
            return 413, "too_large"
        return (415, "no_json") if headers.get("content-type") != "application/json" else None

    def _refuse(self, status: int, code: str) -> None:
        body = json.dumps({"error": code}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests hold what people typed: nothing is written down here."""


def _order(body: bytes) -> tuple[Caller, list[str], str] | None:
    """(caller, arguments, user) of a request; None where it is none."""
    try:
        given = json.loads(body)
        folder, stdin, user = given["folder"], given["stdin"], given["user"]
        arguments, variables = given["arguments"], given["environment"]
        if not isinstance(arguments, list) or not isinstance(variables, dict):
            return None
        is_one = all(isinstance(text, str) for text in [*arguments, *variables.values(), folder, user])
        if not is_one or not (stdin is None or isinstance(stdin, str)) or not user or not Path(folder).is_absolute():
            return None
        caller = Caller(Path(folder), stdin, variables, is_watched=given["is_watched"] is True)
        return caller, arguments, user[:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
