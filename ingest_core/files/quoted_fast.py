"""Quoted records at full speed: only where numpy can show that every quote is where RFC 4180 wants it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest_core.files.parsed import Numbers, Parsed, arrow_rows, ragged
from ingest_core.files.plain_rows import is_utf8
from ingest_core.files.quoted_exact import MOST_LINES, without_line_end

_LF, _CR, _QUOTE = 10, 13, 34


def parse_fast(
    data: bytes, stops: Numbers, first_line: int, delimiter: str, count: int, most_bytes: int, *, is_closed: bool
) -> tuple[Parsed, int] | None:
    """(rows, offset of the first record that is not complete), or None where the exact reader is needed."""
    codes = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(codes == _QUOTE)
    # A line end is the end of a record where an even number of quotes stands before it.
    ends = np.flatnonzero((np.searchsorted(quotes, stops) & 1) == 0)
    if not len(ends):
        return None
    rest = int(stops[ends[-1]])
    if is_closed and rest < len(data):
        return None
    quotes = quotes[: int(np.searchsorted(quotes, rest))]
    if not _is_in_order(codes, quotes, ord(delimiter)) or not is_utf8(data[:rest]):
        return None
    lines = np.diff(ends, prepend=-1)
    record_stops = stops[ends]
    if int(lines.max()) > MOST_LINES or int(np.diff(record_stops, prepend=0).max()) > most_bytes:
        return None
    if len(data) - rest > most_bytes or len(stops) - ends[-1] > MOST_LINES:
        return None  # what is left open is too much for one record
    numbers = np.concatenate(([0], ends[:-1] + 1)) + first_line
    parsed = _rows(data[:rest], record_stops, numbers, delimiter, count)
    return None if parsed is None else (parsed, rest)


def _is_in_order(codes: NDArray[np.uint8], quotes: Numbers, delimiter: int) -> bool:
    """Whether quotes open at the beginning of a cell, close at its end, and are doubled inside; an even number."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = codes[opening - 1]  # of offset 0 it is the last byte, a line end
    after = codes[closing + 1]
    is_doubled = np.zeros(len(opening), np.bool_)
    is_doubled[1:] = opening[1:] == closing[:-1] + 1
    is_begin = (before == delimiter) | (before == _LF) | (before == _CR) | (opening == 0)
    is_end = (after == delimiter) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    return bool((is_begin | is_doubled).all() and is_end.all())


def _rows(data: bytes, stops: Numbers, numbers: Numbers, delimiter: str, count: int) -> Parsed | None:
    starts = np.concatenate(([0], stops[:-1]))
    table, wrong = arrow_rows(data, delimiter, count, quoting=True)
    if table.num_rows + len(wrong) != len(stops):
        return None
    is_blank = np.zeros(len(stops), np.bool_)
    rejects = []
    short = np.flatnonzero(stops - starts <= 2) if count > 1 else np.arange(len(stops))
    for index in sorted({*short.tolist(), *wrong}):
        text = without_line_end(data[int(starts[index]) : int(stops[index])]).decode()
        if not text.strip() and delimiter not in text:
            is_blank[index] = True
        elif index in wrong:
            rejects.append(ragged(int(numbers[index]), wrong[index], count, text))
    is_row = np.ones(len(stops), np.bool_)
    is_row[list(wrong)] = False
    keep = ~is_blank[is_row]
    return Parsed(table.filter(keep), numbers[is_row][keep], int(is_blank.sum()), rejects)
