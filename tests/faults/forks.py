"""A process that has everything imported and forks one child per command: a real process to kill, in half the time.

Reads requests from stdin, one JSON a line, and answers each with one:

    arguments, environment   the command, and what is set in its environment
    waiting                  instead of a command: a worker that loads what waits in this workspace, then ends
    file_size                no file the child writes may be larger, which is how a disk that is full looks to it
    strace, stop_at          arguments for ``strace``, which is attached before the command or where that step begins

    code, out, err, peak     how it ended (``code`` is negative for a signal, ``peak`` its memory in bytes)
    points, calls            the abort points it reached, each [step, when, seconds]; the system calls that were traced
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ingest_core.cli.main as command_line
from ingest_core import faults
from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace


def serve() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as points:
        child = os.fork()
        if child == 0:
            run(request, out.fileno(), err.fileno(), points.fileno())
        calls = traced(child, request["strace"]) if request.get("strace") else 0
        _, status, usage = os.wait4(child, 0)
        for stream in (out, err, points):
            stream.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(),
            "err": err.read().decode(),
            "peak": usage.ru_maxrss * 1024,
            "points": [json.loads(line) for line in points],
            "calls": calls,
        }


def run(request: dict[str, Any], out: int, err: int, points: int) -> None:
    """In the child: never returns."""
    code = 99
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.environ.update({"ONRAMP_FAULT": "watch"} | request.get("environment", {}))
        is_traced = bool(request.get("strace"))
        watch(points, request.get("stop_at") if is_traced else None)
        if limit := request.get("file_size"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if is_traced and request.get("stop_at") is None:
            os.kill(os.getpid(), signal.SIGSTOP)
        code = load_waiting(request["waiting"]) if "waiting" in request else command_line.main(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def load_waiting(home: str) -> int:
    """What the server's worker does."""
    try:
        with Workspace.open(Path(home), worker="app") as workspace:
            workspace.jobs.run_waiting()
    except OnrampError as error:
        print(json.dumps({"error": error.as_dict()}))
        return error.exit_code
    return 0


def watch(points: int, stop_at: str | None) -> None:
    """Notes every abort point before it is obeyed; stops the process where a tracer is to be attached."""
    obey, begun = faults._obey, time.perf_counter()

    def watched(wanted: str, step: str, when: str) -> None:
        os.write(points, json.dumps([step, when, time.perf_counter() - begun]).encode() + b"\n")
        if (step, when) == (stop_at, "before"):
            os.kill(os.getpid(), signal.SIGSTOP)
        obey(wanted, step, when)

    faults._obey = watched


def traced(child: int, arguments: list[str]) -> int:
    """Attaches ``strace`` to the child once it has stopped, and lets it go on; how many calls were seen."""
    met = os.waitid(os.P_PID, child, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if met is None or met.si_code != os.CLD_STOPPED:
        return 0  # it ended before that step
    with tempfile.NamedTemporaryFile() as seen:
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-s", "0", "-o", seen.name, "-p", str(child), *arguments])
        while tracer.poll() is None and not all(is_traced(task) for task in Path(f"/proc/{child}/task").iterdir()):
            time.sleep(0.002)
        os.kill(child, signal.SIGCONT)
        tracer.wait()
        return sum(b"(" in line for line in seen)


def is_traced(task: Path) -> bool:
    status = (task / "status").read_text()
    return "TracerPid:\t0\n" not in status


if __name__ == "__main__":
    serve()
