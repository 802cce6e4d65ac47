"""argparse with our manners: usage errors are InputErrors, so that ``--json`` stays one JSON document."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

Command = Callable[[Workspace, argparse.Namespace], Any]


class UsageError(InputError):
    """The command line cannot be understood."""


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"The command cannot be understood: {message}.", code="usage", hint=f"See: {self.prog} --help")


def command(group: Any, name: str, help_text: str, run: Command) -> Parser:
    """Adds one command; ``run`` gets the open workspace and the arguments and returns its JSON."""
    parser: Parser = group.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=run)
    return parser


def group(parsers: Any, name: str, help_text: str) -> Any:
    """Adds a command that has commands."""
    parser = parsers.add_parser(name, help=help_text, description=help_text)
    return parser.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND", parser_class=Parser)
