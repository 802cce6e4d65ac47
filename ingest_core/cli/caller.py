"""Who gave a command, and from where: this process, or a client that asks the process that holds the workspace.

Several commands of several people run in one process then, each in a thread of its own. What belongs to one of them
(its folder, its standard input, its terminal) is asked here and nowhere else; ``tests/rules`` keeps it so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from ingest_core.errors import InputError

STDIN = "-"
"""The value of an argument that is to be read from standard input."""


@dataclass(frozen=True)
class Caller:
    """A client of this process. ``stdin`` None: it sent none; ``talk`` writes to its terminal where it is watched.

    Of its environment only those variables are known that the arguments name.
    """

    folder: Path
    stdin: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    is_watched: bool = False
    talk: Callable[[str], None] | None = None


_CALLER: ContextVar[Caller | None] = ContextVar("onramp_caller", default=None)


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """While this lasts, the command that this thread runs is this client's."""
    before = _CALLER.set(caller)
    try:
        yield
    finally:
        _CALLER.reset(before)


def path_given(name: str | Path) -> Path:
    """A path named on the command line, as seen from the folder in which the command was given."""
    caller = _CALLER.get()
    return Path(name) if caller is None else caller.folder / name


def stdin_given() -> str:
    """Standard input as text: what must not be on the command line, where other users of the machine see it."""
    caller = _CALLER.get()
    if caller is None:
        return sys.stdin.read()
    if caller.stdin is None:
        raise InputError("Nothing came on standard input.", code="usage", hint="Send it with: … < FILE")
    return caller.stdin


def value_given(text: str) -> str:
    """An argument's value; ``-`` reads it from standard input, without its last line end."""
    return stdin_given().removesuffix("\n") if text == STDIN else text


def variable_given(name: str) -> str | None:
    """An environment variable of who gave the command, by which an argument's value is named (``env:NAME``)."""
    caller = _CALLER.get()
    return os.environ.get(name) if caller is None else caller.environment.get(name)


def sent_along(arguments: Sequence[str]) -> tuple[bool, dict[str, str]]:
    """What another process needs to run these arguments: whether standard input, and which variables.

    Values that stand elsewhere are written alone or behind a sign of equality: ``-``, ``password=env:NAME``.
    """
    values = [text.rpartition("=")[2] for text in arguments]
    named = (text.removeprefix("env:") for text in values if text.startswith("env:"))
    return STDIN in values, {name: os.environ[name] for name in named if name in os.environ}


def talk() -> Callable[[str], None] | None:
    """Writes to the terminal on which somebody watches the command; None where nobody does."""
    caller = _CALLER.get()
    if caller is not None:
        return caller.talk
    return _to_terminal if sys.stderr.isatty() else None


def _to_terminal(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
