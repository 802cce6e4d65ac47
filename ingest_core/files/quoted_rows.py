"""Lines with RFC 4180 quoting: Arrow's reader where every quote is in order, the exact reader where one is not."""

from __future__ import annotations

import numpy as np

from ingest_core.files.lines import Block, line_stops
from ingest_core.files.parsed import Numbers, Parsed, empty_parsed, join
from ingest_core.files.plain_rows import parse_plain
from ingest_core.files.quoted_exact import ExactReader, parse_exact
from ingest_core.files.quoted_fast import parse_fast
from ingest_core.models import Dialect


class QuotedRows:
    """Blocks of lines → rows. A record that is not complete in its block waits for the next block or the close."""

    def __init__(self, dialect: Dialect, most_bytes: int) -> None:
        self._delimiter = dialect.delimiter
        self._count = len(dialect.columns)
        self._header = dialect.header_line if dialect.has_header else 0
        self._most_bytes = most_bytes
        self._waiting = b""
        self._waiting_line = 0
        self.header_lines = 0

    def take(self, block: Block) -> tuple[Parsed, int]:
        """(rows, physical lines of the data part) of all records that are complete with this block."""
        if not self._waiting:
            return self._take(block.data, block.stops, block.first_line, is_closed=False)
        data = self._waiting + block.data
        return self._take(data, line_stops(data), self._waiting_line, is_closed=False)

    def close(self) -> tuple[Parsed, int]:
        """What still waits, now that nothing can complete it: the file ended, or its next line was cut out."""
        if not self._waiting:
            return empty_parsed(self._count), 0
        return self._take(self._waiting, line_stops(self._waiting), self._waiting_line, is_closed=True)

    def _take(self, data: bytes, stops: Numbers, first: int, *, is_closed: bool) -> tuple[Parsed, int]:
        parts: list[Parsed] = []
        lines = 0
        at = self._header - first
        if not self.header_lines and 0 <= at < len(stops):
            begin = int(stops[at - 1]) if at else 0
            # Only blank lines stand before the header; they are counted like all others.
            parts.append(self._parse(data[:begin], stops[:at], first, is_closed=True)[0])
            data, stops, lines, first = data[begin:], stops[at:] - begin, at, self._header
            reader = ExactReader(data, stops, self._delimiter, self._most_bytes, is_closed=is_closed)
            header = next(reader.records(), None)
            if header is None:
                self._waiting, self._waiting_line = data, first
                return join(parts, self._count), lines
            self.header_lines = header.lines
            data, stops, first = data[header.stop :], stops[header.lines :] - header.stop, first + header.lines
        parsed, rest = self._parse(data, stops, first, is_closed=is_closed)
        parts.append(parsed)
        complete = int(np.searchsorted(stops, rest, side="right"))
        self._waiting, self._waiting_line = data[rest:], first + complete
        return join(parts, self._count), lines + complete

    def _parse(self, data: bytes, stops: Numbers, first_line: int, *, is_closed: bool) -> tuple[Parsed, int]:
        """(rows, offset of the first record that is not complete)."""
        if b'"' not in data:
            if b"\r" in data:
                data_lf = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
                return parse_plain(data_lf, line_stops(data_lf), first_line, self._delimiter, self._count), len(data)
            return parse_plain(data, stops, first_line, self._delimiter, self._count), len(data)
        fast = parse_fast(data, stops, first_line, self._delimiter, self._count, self._most_bytes, is_closed=is_closed)
        if fast is not None:
            return fast
        reader = ExactReader(data, stops, self._delimiter, self._most_bytes, is_closed=is_closed)
        parsed = parse_exact(reader, data, stops, first_line, self._count, self._delimiter)
        return parsed, reader.rest
