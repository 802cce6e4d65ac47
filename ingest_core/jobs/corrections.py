"""Rejected rows as cells, changes to many of them at once, and the small file that corrected ones become."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO

from ingest_core.ledger.reject_files import split_line
from ingest_core.models import RejectedRow

Cells = tuple[str, ...]


@dataclass(frozen=True)
class BrokenRow:
    """A rejected row as cells to correct. ``cells`` are as many as the file has columns; ``surplus`` did not fit."""

    line: int
    codes: tuple[str, ...]
    column: str | None
    title: str
    fix: str
    cells: Cells
    surplus: Cells


class MemoryFile:
    """A ``ByteSource`` of bytes that are never written anywhere."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self.size = len(data)

    def open(self) -> IO[bytes]:
        """A fresh binary stream at offset 0."""
        return io.BytesIO(self.data)


def broken(row: RejectedRow, width: int, delimiter: str) -> BrokenRow:
    """A rejected row taken apart; missing cells are empty ones."""
    cells = split_line(row.text, delimiter)
    padded = (*cells[:width], *[""] * (width - len(cells)))
    return BrokenRow(row.line, row.codes, row.column, row.title, row.fix, padded, tuple(cells[width:]))


def with_cells(row: BrokenRow, cells: Cells | None) -> BrokenRow:
    """The row with other cells; None = as it came."""
    return row if cells is None else replace(row, cells=cells)


def trimmed(rows: Sequence[BrokenRow], at: int) -> dict[int, Cells]:
    """Line → cells of the rows whose cell has white space around it, without it. ``at``: which column, from 0."""
    return _changed(rows, at, lambda text: text.strip())


def replaced(rows: Sequence[BrokenRow], at: int, old: str, new: str) -> dict[int, Cells]:
    """Line → cells of the rows whose cell holds ``old``, with ``new`` instead, as often as it occurs."""
    return _changed(rows, at, lambda text: text.replace(old, new)) if old else {}


def emptied(rows: Sequence[BrokenRow], at: int) -> dict[int, Cells]:
    """Line → cells of the rows whose cell holds anything, with nothing there."""
    return _changed(rows, at, lambda _: "")


def _changed(rows: Sequence[BrokenRow], at: int, change: Callable[[str], str]) -> dict[int, Cells]:
    made = {row.line: (*row.cells[:at], change(row.cells[at]), *row.cells[at + 1 :]) for row in rows}
    return {row.line: made[row.line] for row in rows if made[row.line] != row.cells}


def as_file(name: str, header: Sequence[str], fixed: Mapping[int, Sequence[str]]) -> tuple[MemoryFile, dict[int, int]]:
    """Corrected rows (line → cells) as a CSV file, and which line of it is which line they came from."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    came_from: dict[int, int] = {}
    begins = 2  # a row begins where the former one ends: a cell may hold line breaks
    for line in sorted(fixed):
        cells = [_tidy(cell) for cell in fixed[line]]
        writer.writerow(cells)
        came_from[begins] = line
        begins += 1 + sum(cell.count("\n") for cell in cells)
    return MemoryFile(name, text.getvalue().encode()), came_from


def _tidy(cell: str) -> str:
    """A cell as a file can hold it: no NUL, one kind of line break."""
    return cell.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
