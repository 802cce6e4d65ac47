"""Parses, runs, prints, exits.

Exit codes: 0 done, 1 nothing stored for too many rejects, or a checked file is not fine (or a fault of ours), 2 usage
or input, 3 state, 4 delivery, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingest_core import __version__
from ingest_core.cli import (
    attributes,
    audience,
    deliveries,
    destinations,
    explore,
    inbox,
    ingest,
    look,
    macros,
    mappings,
    notices,
    operate,
    pgp,
    queued,
    schedules,
    segments,
    serve,
    settings,
    sources,
    undo,
    worker,
)
from ingest_core.cli.answering import Answer, answer, complaint
from ingest_core.cli.client import ask
from ingest_core.cli.parser import Parser
from ingest_core.cli.signals import Signals
from ingest_core.errors import StateError, Stopped
from ingest_core.workspace import Workspace, home_given

_MODULES = (
    sources, attributes, mappings, inbox, ingest, explore, look, undo, segments, macros, audience, operate, settings,
    destinations, pgp, deliveries, notices, schedules, serve, queued, worker,
)  # fmt: skip


def build_parser() -> Parser:
    """All commands of the contract that this version has."""
    shared = Parser(add_help=False)
    shared.add_argument("--home", type=Path, default=argparse.SUPPRESS, help="the workspace folder")
    shared.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
    parser = Parser(
        prog="python -m ingest_core", description="Onramp: files in, unified profiles out.", parents=[shared]
    )
    parser.add_argument("--version", action="version", version=f"Onramp {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for module in _MODULES:
        module.add_commands(parsers)
    _accept_anywhere(parser, parsers)
    return parser


def _accept_anywhere(parser: Parser, parsers: Any) -> None:
    """``--json`` and ``--home`` may stand after the command too."""
    for child in set(parsers.choices.values()):
        child.add_argument("--home", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        child.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        for action in child._actions:
            if isinstance(action, argparse._SubParsersAction):
                _accept_anywhere(parser, action)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with Signals() as signals:
        try:
            _speak_unicode(is_json="--json" in given)
            code = _print(answer(build_parser, given, lambda args: _run(args, given, signals)))
        except KeyboardInterrupt:
            code = _print(complaint(_stopped(), is_json="--json" in given))
        return code if signals.received is None else 128 + signals.received


def _run(args: argparse.Namespace, given: list[str], signals: Signals) -> Any:
    """The command's result, by this process or by the one that holds the workspace."""
    if not getattr(args, "needs_workspace", True):
        return args.run(None, args)
    home = home_given(getattr(args, "home", None))
    with contextlib.ExitStack() as closing:
        try:
            workspace = closing.enter_context(Workspace.open(home))
        except StateError as locked:
            if locked.code != "workspace_locked":
                raise
            return ask(home, given, locked)
        signals.watch(workspace.engine)
        return args.run(workspace, args)


def _print(found: Answer) -> int:
    """Writes the answer to this process's streams; returns the exit code."""
    is_written = found.out is None or _write(found.out)
    with contextlib.suppress(OSError):
        sys.stderr.write(found.err)
    return found.exit_code if is_written or found.err else StateError.exit_code


def _speak_unicode(*, is_json: bool) -> None:
    """JSON is UTF-8 wherever it is written; text shows what the terminal can and never fails over the rest."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                if is_json and stream is sys.stdout:
                    stream.reconfigure(encoding="utf-8", errors="backslashreplace")
                else:
                    stream.reconfigure(errors="replace")


def _write(text: str) -> bool:
    """One document on stdout; False when it could not be written.

    Whoever closes the pipe early (``| head``) has seen enough: no error.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more when it ends; that must have somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"The command is done, but its result could not be written ({error.strerror}).\n")
        return False
    return True


def _stopped() -> Stopped:
    """Of a signal that came at any moment, perhaps when all was done: what was kept, the history knows."""
    stopped = Stopped()
    stopped.message = "The command was stopped. What was not finished is not kept."
    stopped.hint = "The history says what was loaded."
    return stopped
