"""How lines become cells: separator, quoting, header, by evidence from the head of a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice

from ingest_core.errors import FileError
from ingest_core.files.encoding import readable
from ingest_core.files.header_evidence import judge_header
from ingest_core.files.lines import line_stops
from ingest_core.files.opening import Opening, from_facts, from_head, head_text
from ingest_core.files.quoted_exact import ExactReader
from ingest_core.files.spreadsheet import sample_rows
from ingest_core.models import ByteSource, Dialect, FileFacts, FileLimits

_CANDIDATES = ("\t", ",", ";", "|")
_NAMES = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "vertical bar"}
_SAMPLE = 200  # records
_ENOUGH = 0.5  # share of rows that must be as wide as the first one, or hold the separator at all


def sniff(
    source: ByteSource,
    facts: FileFacts | None,
    *,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    limits: FileLimits = FileLimits(),
) -> Dialect:
    """The dialect by evidence from the first MiB; what is given is taken as given.

    Without ``facts`` only the head is read. Raises ``FileError``: ``empty_file``, ``not_a_table``,
    ``too_many_columns``, and what opening a file raises.
    """
    opening = from_facts(facts) if facts is not None else from_head(source, limits, encoding)
    return sniff_opened(source, opening, limits, delimiter=delimiter, has_header=has_header)


def sniff_opened(
    source: ByteSource, opening: Opening, limits: FileLimits, *, delimiter: str | None, has_header: bool | None
) -> Dialect:
    """``sniff`` for a file whose container and encoding are known."""
    if opening.container == "xlsx":
        sample = sample_rows(source, limits, _SAMPLE)
        if not sample:
            raise _empty(source.name)
        records = [row for _, row in sample]
        # The sheet is as wide as its widest row; a filled column without a name is a problem of the header.
        width = max(index for row in records for index, cell in enumerate(row, 1) if cell.strip())
        records = [(row + [""] * width)[:width] for row in records]
        return _dialect(_Reading("\t", False, records), sample[0][0], has_header, "workbook", source.name, limits)
    text, line, is_whole = head_text(source, opening, limits)
    return sniff_text(text, line, limits, source.name, is_whole=is_whole, delimiter=delimiter, has_header=has_header)


def sniff_text(
    text: bytes,
    line: int,
    limits: FileLimits,
    name: str,
    *,
    is_whole: bool,
    delimiter: str | None = None,
    has_header: bool | None = None,
) -> Dialect:
    """The dialect of UTF-8 text whose first line (physical number ``line``) is not blank."""
    data = _whole_lines(text, name, limits, is_whole=is_whole)
    if not data.strip():
        raise _empty(name)
    if delimiter is not None:
        _check_delimiter(delimiter, name)
        reading, why = _read(data, delimiter, is_whole=is_whole), f"{_name(delimiter)} chosen"
    else:
        reading, why = _choose(data, is_whole=is_whole)
    return _dialect(reading, line, has_header, why, name, limits)


def _whole_lines(text: bytes, name: str, limits: FileLimits, *, is_whole: bool) -> bytes:
    cut = max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1
    stops = line_stops(text[:cut])
    first = int(stops[0]) if len(stops) else len(text)
    if first > limits.line + 2 or not (cut or is_whole):
        raise FileError(
            f"The first line is longer than {limits.line:,} bytes: this is not a table.",
            code="not_a_table",
            hint="Check the line ends and the separator of the export. Nothing was changed.",
            facts={"file": name, "line_limit": limits.line},
        )
    if is_whole:
        return text if text.endswith((b"\n", b"\r")) or not text else text + b"\n"
    return text[:cut]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The head as one separator cuts it. Records without cells (broken quotes) are left out but counted."""

    delimiter: str
    quoting: bool
    records: list[list[str]]
    broken: int = 0
    has_bare_quote: bool = False

    @property
    def score(self) -> float:
        """Share of the rows below the first record that are as wide as it."""
        rows = self.records[1:]
        width = len(self.records[0])
        return sum(len(row) == width for row in rows) / (len(rows) + self.broken) if rows else float(not self.broken)

    @property
    def spread(self) -> float:
        """Share of the rows that hold the separator at all."""
        rows = self.records[1:]
        return sum(len(row) > 1 for row in rows) / len(rows) if rows else 1.0


def _read(data: bytes, delimiter: str, *, is_whole: bool) -> _Reading:
    quoting = delimiter != "\t"
    records: list[list[str]] = []
    broken = 0
    if not quoting:
        start = data[: int(line_stops(data)[: _SAMPLE * 2][-1])]
        lines = start.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        records = [readable(line).split("\t") for line in lines if line.strip() or b"\t" in line]
        return _Reading(delimiter, quoting, records[:_SAMPLE])
    reader = ExactReader(data, line_stops(data), delimiter, 1 << 20, is_closed=is_whole)
    for record in islice(reader.records(), _SAMPLE * 2):
        if record.cells is None:
            broken += 1
            if not records:  # a header that cannot be read as quoted is taken as it stands
                records.append(readable(data[record.start : record.stop]).rstrip("\r\n").split(delimiter))
        elif len(record.cells) > 1 or record.cells[0].strip():
            records.append([readable(cell) for cell in record.cells])
        if len(records) + broken >= _SAMPLE:
            break
    return _Reading(delimiter, quoting, records or [[""]], broken, reader.has_bare_quote)


def _choose(data: bytes, *, is_whole: bool) -> tuple[_Reading, str]:
    readings = [_read(data, candidate, is_whole=is_whole) for candidate in _CANDIDATES]
    fitting = [
        reading
        for reading in readings
        if len(reading.records[0]) > 1 and (reading.score > 0 or reading.spread >= _ENOUGH)
    ]
    if not fitting:
        return readings[0], "one column: no separator in the first line"
    best = max(
        fitting, key=lambda reading: (round(reading.score, 2), reading.delimiter == "\t", len(reading.records[0]))
    )
    rows = max(len(best.records) - 1, 0)
    return best, f"{_name(best.delimiter)}: {best.score:.0%} of {rows:,} rows are as wide as the first"


def _dialect(reading: _Reading, line: int, has_header: bool | None, why: str, name: str, limits: FileLimits) -> Dialect:
    records = reading.records
    header, because = (has_header, "chosen") if has_header is not None else judge_header(records)
    width = len(records[0])
    if not header:
        width = Counter(len(record) for record in records).most_common(1)[0][0]
    if width > limits.columns:
        raise FileError(
            f"The table has {width:,} columns; the limit is {limits.columns:,}.",
            code="too_many_columns",
            hint="Export fewer columns, or check the separator. Nothing was changed.",
            facts={"file": name, "columns": width, "limit": limits.columns},
        )
    columns = tuple(records[0]) if header else tuple(f"column_{index}" for index in range(1, width + 1))
    if reading.has_bare_quote:
        why += "; a quote inside an unquoted cell is kept as a character"
    evidence = f"{why}; {'header' if header else 'no header'}: {because}"
    return Dialect(reading.delimiter, reading.quoting, header, line if header else 0, columns, evidence)


def _check_delimiter(delimiter: str, name: str) -> None:
    if len(delimiter) == 1 and delimiter.isascii() and delimiter not in '\r\n"\0':
        return
    raise FileError(
        f"{delimiter!r} cannot separate cells.",
        code="wrong_delimiter",
        hint="Choose one character, such as a tab, comma, semicolon or vertical bar. Nothing was changed.",
        facts={"file": name},
    )


def _name(delimiter: str) -> str:
    return _NAMES.get(delimiter, repr(delimiter))


def _empty(name: str) -> FileError:
    return FileError(
        "The file holds nothing but blank lines.",
        code="empty_file",
        hint="Export it again. Nothing was changed.",
        facts={"file": name},
    )
