"""Parses, runs, prints, exits. Exit codes: 0 ok, 1 nothing stored for rejects, 2 usage or input, 3 state, 4 delivery."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ingest_core import __version__
from ingest_core.cli import configure, ingest, look, serve
from ingest_core.cli.parser import Parser
from ingest_core.cli.text import as_text
from ingest_core.errors import OnrampError, StateError
from ingest_core.models import Receipt
from ingest_core.workspace import Workspace


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
    for module in (configure, ingest, look, serve):
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
    is_json = "--json" in given
    try:
        args = build_parser().parse_args(given)
        if not getattr(args, "needs_workspace", True):
            return int(args.run(None, args) or 0)
        with Workspace.open(getattr(args, "home", None)) as workspace:
            result = args.run(workspace, args)
    except OnrampError as error:
        return _complain(error, is_json=is_json)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. Nothing was changed.\n")
        return 130
    except OSError as error:
        return _complain(_os_error(error), is_json=is_json)
    _print(result, is_json=is_json)
    return 1 if isinstance(result, Receipt) and result.status == "Failed" else 0


def _print(result: Any, *, is_json: bool) -> None:
    if is_json:
        json.dump(_plain(result), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(as_text(_plain(result)) + "\n")


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if isinstance(result, list):
        return [_plain(item) for item in result]
    return result


def _complain(error: OnrampError, *, is_json: bool) -> int:
    if is_json:
        json.dump({"error": error.as_dict()}, sys.stdout, ensure_ascii=False, indent=1, default=str)
        sys.stdout.write("\n")
    sys.stderr.write(f"{error.message}\n")
    if error.hint:
        sys.stderr.write(f"{error.hint}\n")
    return error.exit_code


def _os_error(error: OSError) -> StateError:
    if error.errno == errno.ENOSPC:
        return StateError(
            "The disk is full. Nothing was changed.", code="disk_full", hint="Free some space, then start again."
        )
    return StateError(
        f"A file or folder could not be used ({error.strerror or type(error).__name__}). Nothing was changed.",
        code="disk_error",
        hint="Check the path, its permissions and the disk.",
    )
