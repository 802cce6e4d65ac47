"""An FTP or FTPS server on loopback in a thread (pyftpdlib), whose faults a test decides."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.certificates import Certificate
from tests.servers.proxy import Fault, Proxy

USER, PASSWORD = "asha", "a pass phrase of Asha's"


@dataclass
class FtpServer:
    """``unknown``: commands it does not know; ``full``: it takes no more bytes than these; ``data_faults``: what the
    next data connections meet.
    """

    port: int
    folder: Path
    certificate: Certificate | None
    unknown: set[str] = field(default_factory=set)
    replies: dict[str, str] = field(default_factory=dict)  # command → what it answers once
    full: int | None = None
    data_faults: list[Fault] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


def start(
    folder: Path, certificate: Certificate | None, *, pasv: str | None = None
) -> tuple[FtpServer, Callable[[], None]]:
    """A running server and what ends it. ``pasv``: the address that it names for data connections."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

    folder.mkdir(parents=True, exist_ok=True)
    made = FtpServer(0, folder, certificate)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    data: Any = TLS_DTPHandler if certificate else DTPHandler
    control: Any = TLS_FTPHandler if certificate else FTPHandler

    class Data(data):  # type: ignore[misc]
        def handle_read_event(self) -> None:
            if made.full is not None and self.receive and self.tot_bytes_received >= made.full:
                self._resp = ("552 Quota of the secret server exceeded.", logging.getLogger("pyftpdlib").debug)
                self.close()
                return
            super().handle_read_event()

    class Control(control):  # type: ignore[misc]
        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            made.commands.append(cmd)
            if cmd in made.unknown:
                self.respond("500 Not known.")
            elif cmd in made.replies:
                self.respond(made.replies.pop(cmd))
            else:
                super().pre_process_command(line, cmd, arg)

        def respond(self, resp: str, *rest: Any, **more: Any) -> None:
            if resp.startswith("227") and made.data_faults:
                high, low = resp[resp.index("(") + 1 : resp.index(")")].split(",")[4:]
                made.proxies.append(Proxy(int(high) * 256 + int(low)))
                made.proxies[-1].ask(*made.data_faults)
                port = made.proxies[-1].port
                resp = f"227 Entering passive mode (127,0,0,1,{port // 256},{port % 256})."
            super().respond(resp, *rest, **more)

    Control.authorizer, Control.dtp_handler, Control.masquerade_address = authorizer, Data, pasv
    Control.banner, Control.use_sendfile, Control.auth_failed_timeout = "ready", False, 0
    if certificate:
        Control.certfile = str(certificate.file)
        Control.tls_control_required = Control.tls_data_required = True
        Control.ssl_context = None
    server = ThreadedFTPServer(("127.0.0.1", 0), Control)
    made.port = server.socket.getsockname()[1]

    def serve() -> None:
        with contextlib.suppress(OSError):  # its sockets are closed under it, which is how it ends
            server.serve_forever(timeout=0.05)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def stop() -> None:
        server.close_all()
        for one in made.proxies:
            one.close()
        thread.join(5)

    return made, stop
