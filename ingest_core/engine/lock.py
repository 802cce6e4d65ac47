"""One process owns a workspace: a lock file that says who."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from ingest_core.errors import StateError


class WorkspaceLock:
    """Held from open to close; the kernel releases it when the process dies, however it dies."""

    def __init__(self, home: Path, worker: str) -> None:
        private = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._file: IO[str] = os.fdopen(private, "a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            words = self._file.read().split()
            self._file.close()
            pid, holder = (words[0], words[1]) if len(words) == 2 else ("unknown", "process")
            who = "the app" if holder == "app" else "another command"
            raise StateError(
                f"The workspace is held by {who} (PID {pid}). Nothing was changed.",
                code="workspace_locked",
                hint="Use the app, or close it and run the command again.",
                facts={"pid": int(pid) if pid.isdigit() else None, "holder": holder},
            ) from None
        self._file.seek(0)
        self._file.truncate()
        self._file.write(f"{os.getpid()} {worker}")
        self._file.flush()

    def release(self) -> None:
        self._file.close()
