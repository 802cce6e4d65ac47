"""Where the process that holds a workspace takes commands: ``api.json`` in its folder, readable by its owner alone.

Who can read the file may give commands, as whoever can read the folder may do with it what they like.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "api.json"


@dataclass(frozen=True, slots=True)
class Address:
    """A port of the loopback address 127.0.0.1, and the token that opens it; both are new for each process."""

    pid: int
    port: int
    token: str
    version: str

    @property
    def host(self) -> str:
        """The only value of the Host header that is answered."""
        return f"127.0.0.1:{self.port}"


def publish(home: Path, address: Address) -> None:
    """Writes the file as a whole, with mode 0600 from its first byte on."""
    draft = home / f".{NAME}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        draft.replace(home / NAME)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def withdraw(home: Path, address: Address) -> None:
    """Removes the file, unless it is another process's by now."""
    if find(home) == address:
        (home / NAME).unlink(missing_ok=True)


def find(home: Path) -> Address | None:
    """What the file says; None where there is none, or none of ours. It may be that of a process that was killed."""
    try:
        found = json.loads((home / NAME).read_text("utf-8"))
        address = Address(int(found["pid"]), int(found["port"]), str(found["token"]), str(found["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return address if 0 < address.port < 65536 and address.pid > 0 else None
