"""worker: what the app does beside its pages, without the app.

``python -m ingest_core.cli.worker HOME`` is the process itself; the command keeps it running.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from ingest_core.cli.parser import command
from ingest_core.cli.supervisor import LEAVE, Supervisor
from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace, home_given

_LOG = logging.getLogger("onramp.worker")


class Worked(BaseModel):
    """What ``worker --once`` did: uploads by how they ended; ``waiting`` of them wait for a person now."""

    completed: int
    failed: int
    waiting: int
    trouble: dict[str, str]

    @property
    def has_failed(self) -> bool:
        """Whether a person has to look: exit code 1."""
        return bool(self.failed or self.trouble)


def add_commands(parsers: Any) -> None:
    """Registers the command that works without the app."""
    worker = command(parsers, "worker", "Load what waits and do what comes again, without the app.", _worker, _worked)
    worker.add_argument("--once", action="store_true", help="do what is due now, then end")
    worker.set_defaults(needs_workspace=False)


def _worker(_: object, args: argparse.Namespace) -> Any:
    home = home_given(getattr(args, "home", None))
    _log_to_stderr()
    if args.once:
        return _once(home)
    child = [sys.executable, "-m", "ingest_core.cli.worker", str(home)]
    raise SystemExit(Supervisor(_LOG.info).run(child, child, Path(__file__).resolve().parents[2]))


def _once(home: Path) -> Worked:
    with _at_work(home) as workspace:
        workspace.work_off()
        while not workspace.jobs.has_ended(0.2):
            pass
        workspace.engine.require_working()
        ended = workspace.jobs.ended
        return Worked(
            completed=ended["Completed"],
            failed=ended["Failed"],
            waiting=ended["Scheduled"],
            trouble=workspace.trouble(),
        )


def _worked(result: Any) -> str:
    lines = [f"{result['completed']:,} uploads completed, {result['failed']:,} failed."]
    if result["waiting"]:
        lines.append(f"{result['waiting']:,} wait for approval: queue list")
    return "\n".join([*lines, *(f"{name} cannot go on: {code}" for name, code in result["trouble"].items())])


@contextmanager
def _at_work(home: Path) -> Iterator[Workspace]:
    """The open workspace, reached by commands; at the end an upload under way is left for the next one."""
    from ingest_core.cli.main import build_parser  # which has this module's command, too
    from ingest_core.cli.server import Api

    with Workspace.open(home, worker="worker") as workspace:
        api = Api(workspace, build_parser).start()
        try:
            yield workspace
        finally:
            api.close()
            if not workspace.stop_work():
                leave("The work under way could not be ended.")


def run(home: Path) -> int:
    """The process that works until it is told to end; its exit code."""
    _log_to_stderr()
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        with _at_work(home) as workspace:
            workspace.start_work(on_broken=lambda: leave("The database stopped."))
            _LOG.info("The worker has the workspace (PID %d). Commands reach it; Ctrl-C ends it.", os.getpid())
            ending.wait()
            _LOG.info("The worker ends. An upload under way waits for the next one.")
    except OnrampError as error:
        _LOG.error("%s %s", error.message, error.hint)
        return error.exit_code
    return 0


def leave(why: str) -> NoReturn:
    """Ends a process that cannot go on, at once: what is committed is safe, the rest waits for the next one."""
    _LOG.error("%s The worker leaves (exit code %d) and has to be started again.", why, LEAVE)
    logging.shutdown()
    os._exit(LEAVE)


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    logging.getLogger("onramp").setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
