"""What one stretch of lines became: rows, and an account of everything that did not become a row."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from ingest_core.models import LineReject

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Rows as a table of c0 …, with the physical line number of each, blank lines and rejects."""

    table: pa.Table
    lines: Numbers
    blank: int = 0
    rejects: list[LineReject] = field(default_factory=list)


def column_names(count: int) -> list[str]:
    """c0, c1, …"""
    return [f"c{index}" for index in range(count)]


def empty_table(count: int) -> pa.Table:
    """A table of ``count`` text columns without rows."""
    return pa.table({name: pa.array([], pa.string()) for name in column_names(count)})


def table_of(rows: list[list[str]], count: int) -> pa.Table:
    """A table of rows that all have ``count`` cells."""
    if not rows:
        return empty_table(count)
    columns = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
    return pa.table(columns, names=column_names(count))


def empty_parsed(count: int) -> Parsed:
    """No rows of ``count`` columns, and nothing else either."""
    return Parsed(empty_table(count), np.zeros(0, np.int64))


def ragged(line: int, found: int, count: int, text: str) -> LineReject:
    """The reject of a row with ``found`` cells instead of ``count``; ``column`` is the first that is wrong."""
    if found < count:
        return LineReject(line, "missing_cell", found, text)
    return LineReject(line, "extra_cell", count, text)


def arrow_rows(data: bytes, delimiter: str, count: int, *, quoting: bool) -> tuple[pa.Table, dict[int, int]]:
    """Parse whole records of valid UTF-8 with Arrow's reader.

    Returns (rows of the right width, {record index: its number of cells} of the others). An empty line is a record of
    empty cells here; telling it from a row is the caller's work.
    """
    names = column_names(count)
    wrong: dict[int, int] = {}
    if not data:
        return empty_table(count), wrong
    if data.startswith(codecs.BOM_UTF8):  # Arrow drops one; here it is a character of the first cell
        data = codecs.BOM_UTF8 + data
    table = pacsv.read_csv(
        pa.BufferReader(data),
        # One thread and one block: only then does the reader tell the number of an invalid record.
        read_options=pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoting else False,
            double_quote=quoting,
            escape_char=False,
            newlines_in_values=quoting,
            ignore_empty_lines=False,
            invalid_row_handler=_collect(wrong),
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return table, wrong


def _collect(wrong: dict[int, int]) -> Callable[[pacsv.InvalidRow], str]:
    def skip(row: pacsv.InvalidRow) -> str:
        wrong[row.number - 1] = row.actual_columns
        return "skip"

    return skip


def join(parts: list[Parsed], count: int) -> Parsed:
    """Several stretches in file order as one."""
    filled = [part for part in parts if part.table.num_rows]
    return Parsed(
        pa.concat_tables([part.table for part in filled]) if filled else empty_table(count),
        np.concatenate([part.lines for part in filled]) if filled else np.zeros(0, np.int64),
        sum(part.blank for part in parts),
        [reject for part in parts for reject in part.rejects],
    )
