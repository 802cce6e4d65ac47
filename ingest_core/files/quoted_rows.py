"""Lines with RFC 4180 quoting: Arrow's reader where every quote is in order, the exact reader where one is not."""

from __future__ import annotations

import numpy as np

from ingest_core.files.lines import Block, line_stops
from ingest_core.files.parsed import Numbers, Parsed, join
from ingest_core.files.plain_rows import parse_plain
from ingest_core.files.quoted_exact import ExactReader, parse_exact
from ingest_core.files.quoted_fast import parse_fast
from ingest_core.models import Dialect


class QuotedRows:
    """Blocks of lines → rows. A record that is not complete in its block waits for the next one."""

    def __init__(self, dialect: Dialect, most_bytes: int) -> None:
        self._delimiter = dialect.delimiter
        self._count = len(dialect.columns)
        self._header = dialect.header_line if dialect.has_header else 0
        self._most_bytes = most_bytes
        self._waiting = b""
        self.header_lines = 0

    def take(self, block: Block) -> tuple[Parsed, int]:
        """(rows, physical lines of the data part) of all records that are complete with this block."""
        data, stops, first = block.data, block.stops, block.first_line
        if self._waiting:
            first -= len(line_stops(self._waiting))
            data = self._waiting + data
            stops = line_stops(data)
        parts: list[Parsed] = []
        lines = 0
        at = self._header - first
        if not self.header_lines and 0 <= at < len(stops):
            begin = int(stops[at - 1]) if at else 0
            # Only blank lines stand before the header; they are counted like all others.
            parts.append(self._parse(data[:begin], stops[:at], first, is_closed=True)[0])
            reader = ExactReader(
                data[begin:], stops[at:] - begin, self._delimiter, self._most_bytes, is_closed=block.is_closed
            )
            record = next(reader.records(), None)
            if record is None:
                self._waiting = data[begin:]
                return join(parts, self._count), at
            self.header_lines = record.lines
            lines, first = at, self._header + record.lines
            begin += record.stop
            data, stops = data[begin:], stops[at + record.lines :] - begin
        parsed, rest = self._parse(data, stops, first, is_closed=block.is_closed)
        parts.append(parsed)
        self._waiting = data[rest:]
        return join(parts, self._count), lines + int(np.searchsorted(stops, rest, side="right"))

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
