"""The first sheet of an XLSX workbook, values only, as rows of text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ingest_core.apart.reading import Cage, read_apart
from ingest_core.files.parsed import table_of
from ingest_core.models import ByteSource, Dialect, FileLimits, LineReject, Progress, Slice

_PROGRAM = "ingest_core.apart.workbook"
_FRAME_BYTES = 16 << 20
_SLICE_ROWS = 20_000
_SLICE_CHARACTERS = 8 << 20

Row = list[str]


class Told:
    """Tells progress how many rows were read; also while the process that reads them is silent."""

    def __init__(self, phase: str, progress: Progress | None) -> None:
        self._phase = phase
        self._progress = progress
        self.rows = 0

    def __call__(self) -> None:
        """May raise ``Stopped``."""
        if self._progress is not None:
            self._progress(self._phase, self.rows, None)


def sheet_rows(source: ByteSource, limits: FileLimits, told: Told) -> tuple[str, Iterator[tuple[int, Row]]]:
    """(name of the first sheet, its rows with their numbers in the workbook, 1-based), read by a process of its own.

    Raises ``FileError``: ``xlsx_damaged``, ``compression_bomb``, ``empty_file``, ``too_slow``, ``too_much_memory``,
    ``reader_died``.
    """
    order = {"name": source.name, "unpacked": limits.unpacked, "ratio": limits.ratio, "line": limits.line}
    cage = Cage(limits.seconds, limits.memory, _FRAME_BYTES + 8 * limits.line)
    said = read_apart(_PROGRAM, source, order, cage, told)
    return next(said), _numbered(said)


def _numbered(said: Iterator[list[tuple[int, Row]]]) -> Iterator[tuple[int, Row]]:
    for batch in said:
        yield from batch


def count_rows(source: ByteSource, limits: FileLimits, progress: Progress | None) -> tuple[str, int, int, int]:
    """(sheet name, rows, text bytes, longest row in bytes) of the first sheet."""
    told = Told("receive", progress)
    name, rows = sheet_rows(source, limits, told)
    last = size = longest = 0
    for number, row in rows:
        length = len("\t".join(row).encode())
        last, size, longest = number, size + length + 1, max(longest, length)
        told.rows = number
    return name, last, size, longest


def sample_rows(source: ByteSource, limits: FileLimits, most: int) -> list[tuple[int, Row]]:
    """The first rows that are not blank."""
    sample: list[tuple[int, Row]] = []
    for number, row in sheet_rows(source, limits, Told("read", None))[1]:
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
    told = Told("read", progress)
    for number, row in sheet_rows(source, limits, told)[1]:
        if dialect.has_header and number == dialect.header_line:
            continue
        gathered.add(number, row, limits)
        if gathered.seen >= slice_rows or gathered.size >= _SLICE_CHARACTERS:
            told.rows = number
            told()
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
        self._blank = self.size = self.seen = 0

    def add(self, number: int, row: Row, limits: FileLimits) -> None:
        """File one sheet row under rows, blank or rejects."""
        self.seen += 1
        text = "\t".join(row)
        self.size += len(text)
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
            bytes_read=self.size,
        )
