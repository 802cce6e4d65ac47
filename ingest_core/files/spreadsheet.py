"""The first sheet of an XLSX workbook, values only, as rows of text."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import IO

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from ingest_core.errors import FileError
from ingest_core.files.gzip_members import check_unpacked
from ingest_core.files.parsed import table_of
from ingest_core.files.zip_member import open_archive
from ingest_core.models import ByteSource, Dialect, FileLimits, LineReject, Progress, Slice

_MOST_UNPACKED = 1 << 30  # a workbook is read whole, so its cap is lower than that of a stream
_MOST_CELLS = 30_000_000  # the sheet is held as a dense grid, 32 bytes a cell
_SLICE_ROWS = 20_000
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{0,3})([0-9]{1,7})["']""")
_OVERLAP = 32
_EXACT_INTEGERS = 2.0**53

Row = list[str]


def sheet_rows(source: ByteSource, limits: FileLimits) -> tuple[str, Iterator[tuple[int, Row]]]:
    """(name of the first sheet, its rows with their numbers in the workbook, 1-based).

    Raises ``FileError``: ``xlsx_damaged``, ``compression_bomb``, ``empty_file``.
    """
    with source.open() as stream:
        _check(stream, source, limits)
        stream.seek(0)
        with _refusing(source.name):
            sheet = CalamineWorkbook.from_filelike(stream).get_sheet_by_index(0)
    if sheet.start is None or not sheet.height:
        raise FileError(
            "The first sheet of the workbook is empty.",
            code="empty_file",
            hint="Move the table to the first sheet. Nothing was changed.",
            facts={"file": source.name},
        )
    return sheet.name, _numbered(sheet, source.name)


def _numbered(sheet: CalamineSheet, name: str) -> Iterator[tuple[int, Row]]:
    rows = iter(sheet.iter_rows())  # rows above the first used one come as empty cells
    for number in count(1):
        with _refusing(name):
            row = next(rows, None)
        if row is None:
            return
        yield number, [cell_text(cell) for cell in row]


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


def _check(stream: IO[bytes], source: ByteSource, limits: FileLimits) -> None:
    """Every part is whole and the sheets are not larger than memory: calamine would trust both."""
    with open_archive(stream, source.name) as archive:
        parts = [part for part in archive.infolist() if not part.is_dir()]
        size = sum(part.file_size for part in parts)
        check_unpacked(size, source.size, source.name, limits)
        if size > _MOST_UNPACKED:
            raise _bomb(source.name, size)
        try:
            for part in parts:
                is_sheet = part.filename.startswith("xl/worksheets/")
                with archive.open(part) as content:
                    cells = _measure(content) if is_sheet else _drain(content)
                if cells > _MOST_CELLS:
                    raise _bomb(source.name, size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise _damaged(source.name) from error


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


def count_rows(source: ByteSource, limits: FileLimits) -> tuple[str, int, int, int]:
    """(sheet name, rows, text bytes, longest row in bytes) of the first sheet."""
    name, rows = sheet_rows(source, limits)
    last = size = longest = 0
    for number, row in rows:
        length = len("\t".join(row).encode())
        last, size, longest = number, size + length + 1, max(longest, length)
    return name, last, size, longest


def sample_rows(source: ByteSource, limits: FileLimits, most: int) -> list[tuple[int, Row]]:
    """The first rows that are not blank."""
    sample: list[tuple[int, Row]] = []
    for number, row in sheet_rows(source, limits)[1]:
        if any(cell.strip() for cell in row):
            sample.append((number, row))
        if len(sample) >= most:
            break
    return sample


def workbook_slices(
    source: ByteSource,
    dialect: Dialect,
    limits: FileLimits,
    progress: Progress | None,
    *,
    slice_rows: int = _SLICE_ROWS,
) -> Iterator[Slice]:
    """The data rows as slices; ``lines`` are row numbers of the sheet.

    Cells right of the header that are empty in a row do not count; filled ones are an ``extra_cell``.
    """
    width = len(dialect.columns)
    gathered = _Gathered(width)
    for number, row in sheet_rows(source, limits)[1]:
        if dialect.has_header and number == dialect.header_line:
            continue
        gathered.add(number, row, limits)
        if gathered.seen >= slice_rows:
            if progress is not None:
                progress("read", number, None)
            yield gathered.slice()
            gathered = _Gathered(width)
    if gathered.seen:
        yield gathered.slice()


class _Gathered:
    def __init__(self, count: int) -> None:
        self._count = count
        self._rows: list[Row] = []
        self._numbers: list[int] = []
        self._rejects: list[LineReject] = []
        self._blank = self._size = self.seen = 0

    def add(self, number: int, row: Row, limits: FileLimits) -> None:
        """File one sheet row under rows, blank or rejects."""
        self.seen += 1
        text = "\t".join(row)
        self._size += len(text)
        if not text.strip():
            self._blank += 1
        elif len(text.encode()) > limits.line:
            self._rejects.append(LineReject(number, "line_too_long", None, text[:1_000] + "…"))
        elif any(row[self._count :]):
            self._rejects.append(LineReject(number, "extra_cell", self._count, text))
        else:
            cells = row[: self._count]
            self._rows.append(cells + [""] * (self._count - len(cells)))
            self._numbers.append(number)

    def slice(self) -> Slice:
        """What was gathered."""
        return Slice(
            table=table_of(self._rows, self._count),
            lines=pa.array(np.array(self._numbers, np.int64), pa.int64()),
            blank=self._blank,
            rejects=tuple(self._rejects),
            lines_seen=self.seen,
            physical_lines=self.seen,
            bytes_read=self._size,
        )


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
