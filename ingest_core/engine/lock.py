"""One process owns a workspace: a lock file that says who, and since when."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest_core.clock import now
from ingest_core.errors import StateError

_LOOKS, _LOOK_SECONDS = 20, 0.02  # a process that has just taken the lock has not written its name yet


class WorkspaceLock:
    """Held from open to close; the kernel releases it when the process dies, however it dies.

    The lock is the lease of everything that this process has begun: who gets it knows that the one before is gone.
    What the file says is only told to people; it is never believed without the kernel's lock.
    """

    def __init__(self, home: Path, worker: str) -> None:
        self._file = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _holder(self._file)
            os.close(self._file)
            raise holder.refusal() from None
        with contextlib.suppress(OSError):  # a full disk keeps nobody out; the file is then as long as it was
            name = f"{os.getpid()} {worker} {now():%Y-%m-%dT%H:%M:%S}".encode()
            os.pwrite(self._file, name, 0)
            os.ftruncate(self._file, len(name))

    def release(self) -> None:
        """Lets other processes in; a second time does nothing."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a workspace, as far as it is known. ``since`` is UTC."""

    pid: int | None = None
    worker: str = "process"
    since: datetime | None = None

    def refusal(self) -> StateError:
        who = {"app": "the app", "worker": "a worker", "process": "another process"}.get(self.worker, "another command")
        pid = "a PID that is not seen from here" if self.pid is None else f"PID {self.pid}"
        since = f", since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return StateError(
            f"The workspace is held by {who} ({pid}{since}). Nothing was changed.",
            code="workspace_locked",
            hint="Use the app, or close it and run the command again."
            if self.worker == "app"
            else "Wait until it is done, or stop it, and run the command again.",
            facts={
                "pid": self.pid,
                "holder": self.worker,
                "since": self.since.isoformat() + "Z" if self.since else None,
            },
        )


def _holder(file: int) -> _Holder:
    """What the file says once it names a living process: the one before may have been killed a moment ago."""
    for _ in range(_LOOKS):
        found = _parse(os.pread(file, 200, 0).decode("utf-8", "replace"))
        if found.pid is not None and _is_alive(found.pid):
            return found
        time.sleep(_LOOK_SECONDS)
    return _Holder()


def _parse(text: str) -> _Holder:
    try:
        pid, worker, since = text.split()
        return _Holder(int(pid), worker, datetime.fromisoformat(since))
    except ValueError:
        return _Holder()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it lives, and belongs to somebody else
        pass
    return pid > 0
