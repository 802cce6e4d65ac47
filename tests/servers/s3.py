"""An S3 server on loopback (moto) in a thread, with faults between the network and it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[str, list[tuple[str, str]], bytes]
Fault = Callable[[dict[str, Any]], Answer | None]

BUCKET = "audiences"


@dataclass
class S3Server:
    """``faults`` look at every request before the server does; the first that answers wins. ``dress`` may change the
    headers of an answer.
    """

    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    dress: Callable[[dict[str, Any], list[tuple[str, str]]], list[tuple[str, str]]] = lambda _, headers: headers
    requests: list[tuple[str, str]] = field(default_factory=list)  # method, path with query
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client of the test itself."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id="test", aws_secret_access_key="test",
            region_name="us-east-1",
        )  # fmt: skip

    def fail(
        self, method: str, part: str = "", *, status: str = "503 Slow Down", times: int = 1, code: str = "SlowDown"
    ) -> None:
        """The next ``times`` requests of this method whose path or query holds ``part`` are answered so."""
        left = [times]

        def fault(environ: dict[str, Any]) -> Answer | None:
            asked = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
            if environ["REQUEST_METHOD"] != method or part not in asked or not left[0]:
                return None
            left[0] -= 1
            body = f"<Error><Code>{code}</Code><Message>secret words of the server</Message></Error>".encode()
            return status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body

        self.faults.append(fault)


def start() -> tuple[S3Server, Callable[[], None]]:
    """A running server with an empty bucket, and what ends it."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = S3Server()
    app = DomainDispatcherApplication(create_backend_app)

    def outside(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        server.requests.append((environ["REQUEST_METHOD"], f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"))
        server.headers.append({name: str(value) for name, value in environ.items() if name.startswith("HTTP_")})
        for fault in list(server.faults):
            if (answer := fault(environ)) is not None:
                status, headers, body = answer
                _drain(environ)
                start_response(status, headers)
                return [body]

        def dressed(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, server.dress(environ, headers), *rest)

        return app(environ, dressed)

    made = make_server("127.0.0.1", 0, outside, threaded=True)
    server.port = made.server_port
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()

    def stop() -> None:
        made.shutdown()
        thread.join()

    return server, stop


def _drain(environ: dict[str, Any]) -> None:
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (data := environ["wsgi.input"].read(min(left, 65536))):
        left -= len(data)
