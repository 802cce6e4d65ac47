"""The exact reader of RFC 4180 records, used wherever quotes look odd.

A quote opens only at the beginning of a cell; elsewhere in an unquoted cell it is a character. A quoted cell may hold
line breaks, up to ``MOST_LINES`` lines and the line limit in bytes for the whole record. Where a quote is never closed,
or text follows a closing quote, the lines up to the one on which that quote opened are rejected, each for itself, and
reading goes on with the next physical line: an open quote never swallows rows (facts.md F4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest_core.files.encoding import readable
from ingest_core.files.parsed import Numbers, Parsed, ragged, table_of
from ingest_core.files.plain_rows import is_utf8
from ingest_core.models import LineReject

MOST_LINES = 1_000
_TRIES = (1, 4, 32, MOST_LINES)  # lines looked at for the end of a record: few first, most records have one
_LINE_ENDS = b"\r\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its cells, or why it has none. ``lines``: physical lines it covers."""

    start: int
    stop: int
    lines: int
    cells: list[bytes] | None


@dataclass(frozen=True, slots=True)
class _Broken:
    opened: int  # offset of the quote
    is_open: bool  # False: text after a closing quote


class ExactReader:
    """Reads records one after another from whole lines.

    ``stops``: offsets behind each line end of ``data``; ``is_closed``: nothing follows that could close a quote.
    """

    def __init__(self, data: bytes, stops: Numbers, delimiter: str, most_bytes: int, *, is_closed: bool) -> None:
        self._data = data
        self._stops: list[int] = stops.tolist()
        self._delimiter = delimiter.encode()
        self._most_bytes = most_bytes
        self._is_closed = is_closed
        self._cell_end = re.compile(b"[\r\n" + re.escape(self._delimiter) + b"]")
        self.has_bare_quote = False
        self.rest = len(data)  # offset from which more data is needed

    def records(self) -> Iterator[Record]:
        """All records that are certain; ``rest`` is set to the first that needs more data."""
        line, start = 0, 0
        while line < len(self._stops):
            record = self._record(line, start)
            if record is None:
                self.rest = start
                return
            yield record
            line += record.lines
            start = record.stop

    def _record(self, line: int, start: int) -> Record | None:
        stop = self._stops[line]
        if self._data.find(b'"', start, stop) < 0:
            text = self._data[start:stop].rstrip(_LINE_ENDS) if stop - start < 3 else self._content(start, stop)
            return Record(start, stop, 1, text.split(self._delimiter))
        found: tuple[list[bytes], int] | _Broken = _Broken(start, True)
        for tried in _TRIES:
            last = min(line + tried, len(self._stops)) - 1
            window = min(self._stops[last], start + self._most_bytes)
            found = self._cells(start, window)
            is_final = window < self._stops[last] or tried == MOST_LINES
            if not isinstance(found, _Broken):
                end = self._line_of(found[1], line)
                return Record(start, self._stops[end], end - line + 1, found[0])
            if not found.is_open or is_final:
                break
            if last == len(self._stops) - 1:
                if not self._is_closed:
                    return None
                break
        end = self._line_of(found.opened + 1, line) if isinstance(found, _Broken) else line
        return Record(start, self._stops[end], end - line + 1, None)

    def _line_of(self, offset: int, line: int) -> int:
        """Index of the line that holds the byte before ``offset``."""
        while self._stops[line] < offset:
            line += 1
        return line

    def _content(self, start: int, stop: int) -> bytes:
        if self._data.endswith(b"\r\n", start, stop):
            return self._data[start : stop - 2]
        return self._data[start : stop - 1]

    def _cells(self, start: int, window: int) -> tuple[list[bytes], int] | _Broken:
        """(cells, offset behind the record's content and at most its line end) or what is broken."""
        data, delimiter = self._data, self._delimiter
        cells: list[bytes] = []
        at = start
        while True:
            if data[at : at + 1] == b'"':
                closing = self._closing(at + 1, window)
                if closing < 0:
                    return _Broken(at, True)
                cells.append(data[at + 1 : closing].replace(b'""', b'"'))
                opened, at = at, closing + 1
                following = data[at : at + 1]
                if at >= window and following not in (b"\r", b"\n", b""):
                    return _Broken(opened, True)
            else:
                end = self._cell_end.search(data, at)
                stop = end.start() if end else len(data)
                cells.append(data[at:stop])
                self.has_bare_quote = self.has_bare_quote or b'"' in cells[-1]
                opened, at = at, stop
                following = data[at : at + 1]
            if following in (b"\r", b"\n", b""):
                return (cells, at + 1) if at < window else _Broken(opened, True)
            if following != delimiter:
                return _Broken(opened, False)
            at += 1

    def _closing(self, at: int, window: int) -> int:
        data = self._data
        while True:
            found = data.find(b'"', at, window)
            if found < 0 or data[found + 1 : found + 2] != b'"':
                return found
            at = found + 2


def parse_exact(
    reader: ExactReader, data: bytes, stops: Numbers, first_line: int, count: int, delimiter: str
) -> Parsed:
    """Everything the reader is certain of as rows, blank lines and rejects."""
    rows: list[list[str]] = []
    numbers: list[int] = []
    rejects: list[LineReject] = []
    blank, index = 0, 0
    for record in reader.records():
        number = first_line + index
        content = data[record.start : record.stop]
        text = readable(without_line_end(content))
        if record.cells is None:
            rejects.extend(open_quotes(data, stops, index, record, first_line))
        elif not is_utf8(content):
            rejects.append(LineReject(number, "bad_encoding", None, text))
        elif not text.strip() and delimiter not in text:
            blank += 1
        elif len(record.cells) != count:
            rejects.append(ragged(number, len(record.cells), count, text))
        else:
            rows.append([cell.decode() for cell in record.cells])
            numbers.append(number)
        index += record.lines
    return Parsed(table_of(rows, count), np.array(numbers, np.int64), blank, rejects)


def open_quotes(data: bytes, stops: Numbers, index: int, record: Record, first_line: int) -> Iterator[LineReject]:
    """One ``open_quote`` reject for each physical line of a broken record."""
    start = record.start
    for line in range(index, index + record.lines):
        stop = int(stops[line])
        yield LineReject(first_line + line, "open_quote", None, readable(without_line_end(data[start:stop])))
        start = stop


def without_line_end(line: bytes) -> bytes:
    """A line or record without its own line end."""
    if line.endswith(b"\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith((b"\n", b"\r")) else line
