"""argparse with our manners: usage errors are InputErrors, so that ``--json`` stays one JSON document."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from ingest_core.cli.text import as_text
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

Command = Callable[[Workspace, argparse.Namespace], Any]
Show = Callable[[Any], str]


class UsageError(InputError):
    """The command line cannot be understood."""


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting; options are written in full, so that adding one never breaks a script."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"The command cannot be understood: {message}.", code="usage", hint=f"See: {self.prog} --help")


def command(group: Any, name: str, help_text: str, run: Command, show: Show = as_text) -> Parser:
    """Adds one command.

    ``run`` gets the open workspace and the arguments and returns its JSON; ``show`` turns that into text for people.
    """
    parser: Parser = group.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=run, show=show)
    return parser


def group(parsers: Any, name: str, help_text: str) -> Any:
    """Adds a command that has commands."""
    parser = parsers.add_parser(name, help=help_text, description=help_text)
    return parser.add_subparsers(dest=f"{name}_command", required=True, metavar="COMMAND", parser_class=Parser)
