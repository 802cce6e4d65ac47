"""A real receiver of webhooks on loopback that keeps what arrives."""

from __future__ import annotations

import http.server
import threading
import time
from dataclasses import dataclass, field

import pytest


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """What arrived, and how to answer."""

    received: list[Received] = field(default_factory=list)
    status: int = 204
    location: str | None = None
    is_dropping: bool = False
    drip_seconds: float = 0.0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/onramp?token=abc"


def _handler(hook: Hook) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append(Received(self.path, dict(self.headers), body))
            if hook.is_dropping:
                self.close_connection = True
                return
            if hook.drip_seconds:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(50):
                    self.wfile.write(b"x")
                    time.sleep(hook.drip_seconds)
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    return Handler


@pytest.fixture
def hook():
    """A receiver; its address is ``hook.url``."""
    made = Hook()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.handle_error = lambda *_: None  # whoever hangs up on us is what some tests are about
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
