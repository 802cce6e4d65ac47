"""Programs for ``read_apart`` that do what hostile files make readers do; which one, the order says."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

from ingest_core.apart.child import Parent, serve
from ingest_core.errors import FileError


def cage(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """Tells what it has been left with."""
    descriptors = [
        str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in range(3, 64) if Path(f"/proc/self/fd/{fd}").exists()
    ]
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_CORE")}
    parent.send(
        {"environment": dict(os.environ), "descriptors": descriptors, "limits": limits, "home": str(Path.cwd())}
    )


def echo(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """Reads the file from its end to its beginning, then as a whole."""
    for offset in range(order["size"] - 1, -1, -1):
        file.seek(offset)
        parent.send(file.read(1).decode("latin-1"))
    file.seek(0)
    parent.send(file.read().decode("latin-1"))


def hog(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    held = []
    while True:
        held.append(bytes(1 << 20))


def spin(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    while True:
        pass


def sleep(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    parent.send(os.getpid())
    time.sleep(600)


def burn(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGXCPU)


def killed(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    os._exit(0)


def fail(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    raise RuntimeError("anna@example.com")


def flood(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    parent.send("x" * 3_000_000)


def babble(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    os.write(0, b"what is this? it is no frame at all")
    time.sleep(600)


def write(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """Writing a file is a way to do harm."""
    Path(order["where"]).write_bytes(b"x" * 100_000)


def refuse(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    raise FileError("It is damaged.", code="xlsx_damaged", hint="Save it again.", facts={"file": order["name"]})


def deaf(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """Never takes the bytes that it asked for."""
    from ingest_core.apart.frames import PLACE, READ, frame

    os.write(0, frame(READ, PLACE.pack(0, 64 << 20)) * 64)
    time.sleep(600)


def odd(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """A whole frame, but of a kind that a child does not send."""
    from ingest_core.apart.frames import ORDER, frame

    os.write(0, frame(ORDER, b"{}"))
    time.sleep(600)


def flee(parent: Parent, file: IO[bytes], order: dict[str, Any]) -> None:
    """Asks and does not wait for the answer."""
    from ingest_core.apart.frames import PLACE, READ, frame

    os.write(0, frame(READ, PLACE.pack(0, 64 << 20)) * 64)
    os._exit(0)


if __name__ == "__main__":
    serve(lambda parent, file, order: getattr(sys.modules["__main__"], order.get("what", "sleep"))(parent, file, order))
