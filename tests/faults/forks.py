"""A process that has everything imported and forks one child per command: a real process to kill, in half the time.

Reads requests from stdin, one JSON a line: ``{arguments, environment, file_size}``; answers each with
``{code, out, err, peak}`` (``code`` is negative for a signal, ``peak`` the child's memory in bytes). ``file_size``
limits the size of any file the child writes, which is how a disk that is full looks to it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from typing import Any

import ingest_core.cli.main as command_line


def serve() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            run(request, out.fileno(), err.fileno())
        _, status, usage = os.wait4(child, 0)
        for stream in (out, err):
            stream.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(),
            "err": err.read().decode(),
            "peak": usage.ru_maxrss * 1024,
        }


def run(request: dict[str, Any], out: int, err: int) -> None:
    """In the child: never returns."""
    code = 99
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.environ.update(request.get("environment", {}))
        if limit := request.get("file_size"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        code = command_line.main(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
