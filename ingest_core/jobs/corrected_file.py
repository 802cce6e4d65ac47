"""A reject file that a person corrected in an editor or a spreadsheet: which rows of it are other than they came."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from ingest_core.errors import InputError
from ingest_core.files.table_file import neutral
from ingest_core.jobs.corrections import BrokenRow, Cells
from ingest_core.ledger.reject_files import COLUMNS


def corrected_rows(text: str, rows: Iterable[BrokenRow], columns: Sequence[str], delimiter: str) -> dict[int, Cells]:
    """Line → cells of the rows that differ from how they came. ``text``: the whole file, of either kind.

    Rows that were taken out of the file, or left as they were, stay rejected. InputError ``not_a_reject_file``.
    """
    text = text.removeprefix("\ufeff")  # a file for spreadsheets begins with this mark
    table = _table(text, "," if text.startswith(",".join(COLUMNS)) else delimiter)
    if not table or table[0][: len(COLUMNS)] != list(COLUMNS) or len(table[0]) != len(COLUMNS) + len(columns):
        raise _not_one()
    came = {row.line: (*row.cells, *row.surplus) for row in rows}
    found: dict[int, Cells] = {}
    for number, *rest in table[1:]:
        if not number.isascii() or not number.isdigit():
            raise _not_one()
        line, cells = int(number), tuple(rest[len(COLUMNS) - 1 :])
        before = came.get(line, ())
        cells = tuple(  # a cell that only a spreadsheet is protected from is as it came
            before[at] if at < len(before) and cell == neutral(before[at]) else cell for at, cell in enumerate(cells)
        )
        if _full(cells, len(columns)) != _full(before, len(columns)):
            found[line] = cells
    return found


def _full(cells: Cells, width: int) -> Cells:
    """With an empty cell where one is missing."""
    return (*cells, *[""] * (width - len(cells)))


def _table(text: str, delimiter: str) -> list[list[str]]:
    if delimiter == "\t":
        return [line.removesuffix("\r").split("\t") for line in text.split("\n") if line]
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def _not_one() -> InputError:
    return InputError(
        "This is not a file of rejected rows of this upload. Nothing was loaded.",
        code="not_a_reject_file",
        hint="Write one with: rejects ID --out FILE. Correct its cells and keep its first five columns.",
    )
