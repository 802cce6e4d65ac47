"""What the tables of an Explore session are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ingest_core.explore.sandbox import Sandbox
from ingest_core.models import Progress


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table that queries may name: (column, SQL type) of each column, its rows, and in words what it holds.

    ``is_cut``: it holds only a part of what there is; ``about`` says which.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    about: str
    is_cut: bool = False


class Material(Protocol):
    """Fills a new sandbox with tables; may be asked again, when the sandbox had to be ended."""

    def fill(self, sandbox: Sandbox, progress: Progress) -> list[TableInfo]:
        """The tables made. Raises FileError, InputError ``sql_too_much_memory``; Stopped."""
        ...


def ignore(phase: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""
