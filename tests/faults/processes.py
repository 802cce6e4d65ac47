"""Commands in processes of their own, so that they can die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Died:
    """How a process ended: ``code`` is negative for a signal, ``peak`` its memory in bytes.

    ``points`` are the abort points it reached as (step, when, seconds), ``calls`` how many system calls were traced.
    """

    code: int
    out: str
    err: str
    peak: int
    points: list[tuple[str, str, float]]
    calls: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Processes:
    """Runs each command in a process of its own, forked from one that has everything imported (see forks.py)."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, home: Path, *arguments: object, **how: Any) -> Died:
        """One ``--json`` command; ``how`` as for ``ask``."""
        return self.ask(arguments=["--json", "--home", str(home), *map(str, arguments)], **how)

    def ask(
        self,
        *,
        arguments: list[str] | None = None,
        waiting: Path | None = None,
        fault: str | None = None,
        file_size: int | None = None,
        strace: list[str] | None = None,
        stop_at: str | None = None,
        **settings: object,
    ) -> Died:
        """A command, or a worker on a workspace's queue; ``settings`` are settings of the workspace."""
        request = {
            "environment": {f"ONRAMP_{name.upper()}": str(value) for name, value in settings.items()}
            | ({"ONRAMP_FAULT": fault} if fault else {}),
            "arguments": arguments,
            "file_size": file_size,
            "strace": strace,
            "stop_at": stop_at,
        }
        if waiting is not None:
            request["waiting"] = str(waiting)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._turn:
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            return Died(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        self._server.communicate(timeout=30)
