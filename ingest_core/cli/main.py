"""Parses, runs, prints, exits.

Exit codes: 0 done, 1 nothing stored for too many rejects, or a checked file is not fine (or a fault of ours), 2 usage
or input, 3 state, 4 delivery, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ingest_core import __version__
from ingest_core.audience_manager.check_report import CheckReport
from ingest_core.catalog.trials import Trial
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
    schedules,
    segments,
    serve,
    settings,
    sources,
    undo,
)
from ingest_core.cli.parser import Parser
from ingest_core.cli.signals import Signals
from ingest_core.engine.boundary import out_of_memory
from ingest_core.engine.memory import is_memory
from ingest_core.errors import OnrampError, StateError, Stopped
from ingest_core.models import Receipt
from ingest_core.workspace import Workspace

_MODULES = (
    sources, attributes, mappings, inbox, ingest, explore, look, undo, segments, macros, audience, operate, settings,
    destinations, pgp, deliveries, notices, schedules, serve,
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
            code = _answer(given, signals)
        except KeyboardInterrupt:
            code = _complain(_stopped(), is_json="--json" in given)
        return code if signals.received is None else 128 + signals.received


def _answer(given: list[str], signals: Signals) -> int:
    is_json = "--json" in given  # a command line that cannot be parsed is answered in JSON, too
    _speak_unicode(is_json=is_json)
    try:
        args = build_parser().parse_args(given)
        is_json = getattr(args, "json", False)
        result = _run(args, signals)
    except SystemExit as done:  # --help, --version, and the app that ended
        return int(done.code or 0)
    except OnrampError as error:
        return _complain(error, is_json=is_json)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  a library's panic, too; its text may quote a customer's line
        return _complain(_foreign(error), is_json=is_json)
    if result is None:
        return 0
    text = json.dumps(_plain(result), ensure_ascii=False, indent=1) if is_json else args.show(_fields(result))
    if not _write(text):
        return StateError.exit_code
    return 1 if _has_failed(result) else 0


def _has_failed(result: Any) -> bool:
    """Whether the work is done and its result says no: exit code 1."""
    if isinstance(result, CheckReport):
        return not result.valid
    if isinstance(result, Trial):
        return not result.is_working
    return isinstance(result, Receipt) and result.status == "Failed"


def _run(args: argparse.Namespace, signals: Signals) -> Any:
    if not getattr(args, "needs_workspace", True):
        return args.run(None, args)
    with Workspace.open(getattr(args, "home", None)) as workspace:
        signals.watch(workspace.engine)
        return args.run(workspace, args)


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


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if isinstance(result, list):
        return [_plain(item) for item in result]
    return result


def _fields(result: Any) -> Any:
    """As ``_plain``, but times stay times."""
    if isinstance(result, BaseModel):
        return result.model_dump()
    if isinstance(result, list):
        return [_fields(item) for item in result]
    return result


def _complain(error: OnrampError, *, is_json: bool) -> int:
    if is_json:
        _write(json.dumps({"error": error.as_dict()}, ensure_ascii=False, indent=1, default=str))
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{error.message}\n")
        if error.hint:
            sys.stderr.write(f"{error.hint}\n")
    return error.exit_code


def _stopped() -> Stopped:
    """Of a signal that came at any moment, perhaps when all was done: what was kept, the history knows."""
    stopped = Stopped()
    stopped.message = "The command was stopped. What was not finished is not kept."
    stopped.hint = "The history says what was loaded."
    return stopped


def _foreign(error: BaseException) -> OnrampError:
    """What is told of an exception that is not ours."""
    if is_memory(error):
        return out_of_memory()
    return _os_error(error) if isinstance(error, OSError) else _internal(error)


def _os_error(error: OSError) -> StateError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StateError(
            "The disk is full. Nothing was changed.", code="disk_full", hint="Free some space, then start again."
        )
    return StateError(
        f"A file or folder could not be used ({error.strerror or type(error).__name__}). Nothing was changed.",
        code="disk_error",
        hint="Check the path, its permissions and the disk.",
    )


def _internal(error: BaseException) -> OnrampError:
    if os.environ.get("ONRAMP_DEBUG"):
        raise error
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "ingest_core" in frame.filename]
    place = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "unknown"
    return OnrampError(
        f"A fault of ours: {type(error).__name__} at {place}. Nothing was changed.",
        code="internal_error",
        hint="Report this line. Set ONRAMP_DEBUG=1 to see more; that output may hold personal data.",
        facts={"kind": type(error).__name__, "place": place},
    )
