"""The first sheet of an XLSX workbook as rows of text: a program for ``read_apart``.

Sends the name of the sheet, then lists of [row number, cells]. Its library holds the whole sheet as a dense grid and is
told nothing but "this file", which is why it works in a process of its own.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from ingest_core.apart.caps import check_unpacked
from ingest_core.apart.child import Parent, serve
from ingest_core.errors import FileError

_MOST_UNPACKED = 1 << 30  # a workbook is held whole, so its cap is lower than that of a stream
_MOST_CELLS = 30_000_000  # the sheet is held as a dense grid, 32 bytes a cell
_BATCH_ROWS = 1_000
_BATCH_CHARACTERS = 1 << 18
_SHOWN = 1_000  # characters that a person sees of a row that is too long
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{0,3})([0-9]{1,7})["']""")
_OVERLAP = 32
_EXACT_INTEGERS = 2.0**53


@dataclass(frozen=True, slots=True)
class _Order:
    name: str
    size: int
    unpacked: int
    ratio: int
    line: int


def read_workbook(parent: Parent, file: IO[bytes], said: dict[str, Any]) -> None:
    """Sends the sheet. Raises ``FileError``: ``xlsx_damaged``, ``compression_bomb``, ``empty_file``."""
    order = _Order(*(said[name] for name in _Order.__slots__))
    _check(file, order)
    file.seek(0)
    with _refusing(order.name):
        sheet = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
    if sheet.start is None or not sheet.height:
        raise FileError(
            "The first sheet of the workbook is empty.",
            code="empty_file",
            hint="Move the table to the first sheet. Nothing was changed.",
            facts={"file": order.name},
        )
    parent.send(sheet.name)
    for batch in _batches(sheet, order):
        parent.send(batch)


def _batches(sheet: CalamineSheet, order: _Order) -> Iterator[list[tuple[int, list[str]]]]:
    """Rows with their numbers, some at a time; a row over the line limit is cut, but stays over it."""
    rows = iter(sheet.iter_rows())  # rows above the first used one come as empty cells
    batch: list[tuple[int, list[str]]] = []
    number = total = held = 0
    while True:
        with _refusing(order.name):
            row = next(rows, None)
        if row is None:
            break
        number += 1
        cells = [cell_text(cell) for cell in row]
        size = sum(map(len, cells))
        total += size
        if size > order.line:
            cells, size = _cut(cells, max(order.line, _SHOWN) + 1)
        batch.append((number, cells))
        held += size
        if held >= _BATCH_CHARACTERS or len(batch) >= _BATCH_ROWS:
            # One text that many cells share unpacks here, not in the archive.
            check_unpacked(total, order.size, order.name, order)
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _cut(cells: list[str], most: int) -> tuple[list[str], int]:
    """The first ``most`` characters of a row."""
    kept = []
    left = most
    for cell in cells:
        kept.append(cell[:left])
        left -= len(kept[-1])
    return kept, most - left


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Whatever calamine cannot read is ``xlsx_damaged``; its panics are no ``Exception`` and have no type to import."""
    try:
        yield
    except (CalamineError, OSError, IndexError, ValueError) as error:
        raise _damaged(name) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(name) from error


def cell_text(value: object) -> str:
    """A cell as text: dates in ISO form, whole numbers without ``.0``, others in the 15 digits a sheet holds."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case float():
            return _number_text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        case _:
            return str(value)


def _number_text(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    short = format(value, ".15g")
    if "e" not in short:
        return short
    digits = format(value, ".15e")
    mantissa, exponent = float(digits.split("e")[0]), int(digits.split("e")[1])
    places = max(0, len(repr(mantissa).rstrip("0").partition(".")[2]) - exponent)
    return format(value, f".{min(places, 40)}f")


def _check(file: IO[bytes], order: _Order) -> None:
    """Every part is whole and the sheets are not larger than memory: calamine would trust both."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir()]
            size = sum(part.file_size for part in parts)
            check_unpacked(size, order.size, order.name, order)
            if size > _MOST_UNPACKED:
                raise _bomb(order.name, size)
            for part in parts:
                is_sheet = part.filename.startswith("xl/worksheets/")
                with archive.open(part) as content:
                    cells = _measure(content) if is_sheet else _drain(content)
                if cells > _MOST_CELLS:
                    raise _bomb(order.name, size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise _damaged(order.name) from error


def _drain(content: IO[bytes]) -> int:
    while content.read(1 << 20):
        pass
    return 0


def _measure(content: IO[bytes]) -> int:
    """Cells of the rectangle that a sheet's cell references span."""
    columns, rows, tail = 1, 1, b""
    while chunk := content.read(1 << 20):
        data = tail + chunk
        for letters, digits in _REFERENCE.findall(data):
            rows = max(rows, int(digits))
            columns = max(columns, _column_number(letters))
        tail = data[-_OVERLAP:]
    return columns * rows


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _bomb(name: str, size: int) -> FileError:
    return FileError(
        "The workbook is too large to open.",
        code="compression_bomb",
        hint="Save the sheet as TSV or CSV. Nothing was changed.",
        facts={"file": name, "unpacked_bytes": size, "cell_limit": _MOST_CELLS},
    )


def _damaged(name: str) -> FileError:
    return FileError(
        "The workbook is damaged and cannot be read.",
        code="xlsx_damaged",
        hint="Open it in a spreadsheet program and save it again. Nothing was changed.",
        facts={"file": name},
    )


if __name__ == "__main__":
    serve(read_workbook)
