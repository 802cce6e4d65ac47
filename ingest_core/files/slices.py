"""A file as slices of text rows with an exact account of every line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from ingest_core.errors import FileError
from ingest_core.files.dialect import sniff_opened
from ingest_core.files.lines import LineCutter
from ingest_core.files.opening import from_facts, from_head, head_text, text_chunks
from ingest_core.files.parsed import Parsed, empty_table
from ingest_core.files.plain_rows import PlainRows
from ingest_core.files.quoted_rows import QuotedRows
from ingest_core.files.spreadsheet import workbook_slices
from ingest_core.models import ByteSource, Dialect, FileFacts, FileLimits, LineReject, Progress, Slice


def read_slices(
    source: ByteSource,
    facts: FileFacts,
    dialect: Dialect,
    limits: FileLimits,
    *,
    slice_bytes: int = 8 << 20,
    progress: Progress | None = None,
) -> Iterator[Slice]:
    """Rows as text, in file order, and every line that did not become one.

    Over all slices ``lines_seen`` = rows + ``blank`` + rejects = lines of the file without the header; blank lines
    before the header count as blank. A damaged row is a ``LineReject``, never an exception and never repaired. Raises
    ``FileError`` ``changed_while_reading`` when the bytes are not those that ``facts`` were taken from, and what
    ``receive`` raises for damaged containers.
    """
    if source.size != facts.size:
        raise _changed(facts)
    if facts.container == "xlsx":
        yield from workbook_slices(source, dialect, limits, progress)
        return
    chunks = _watched(text_chunks(source, from_facts(facts), limits, slice_bytes), facts, progress)
    reader = QuotedRows(dialect, limits.line) if dialect.quoting else PlainRows(dialect)
    lines_read = 0
    for part in _slices(chunks, reader, dialect, limits):
        lines_read += part.physical_lines
        yield part
    if lines_read + reader.header_lines != facts.physical_lines:
        raise _changed(facts)


def _watched(chunks: Iterator[bytes], facts: FileFacts, progress: Progress | None) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        if progress is not None:
            progress("read", done, None if facts.encoding.startswith("utf-16") else facts.text_bytes)
        yield chunk


def _slices(
    chunks: Iterator[bytes],
    reader: PlainRows | QuotedRows,
    dialect: Dialect,
    limits: FileLimits,
    *,
    first_line: int = 1,
    is_whole: bool = True,
) -> Iterator[Slice]:
    cutter = LineCutter(limits.line, to_lf=not dialect.quoting, first_line=first_line)
    pending: list[LineReject] = []
    for item in cutter.cut(chunks):
        if isinstance(item, LineReject):
            pending.append(item)
            continue
        parsed, physical_lines = reader.take(item)
        yield _slice(parsed, pending, physical_lines, item.size)
        pending = []
    if pending:
        nothing = Parsed(empty_table(len(dialect.columns)), np.zeros(0, np.int64))
        yield _slice(nothing, pending, 0, 0)


def _slice(parsed: Parsed, before: list[LineReject], physical_lines: int, size: int) -> Slice:
    rejects = sorted([*before, *parsed.rejects], key=lambda reject: reject.line)
    return Slice(
        table=parsed.table,
        lines=pa.array(parsed.lines, pa.int64()),
        blank=parsed.blank,
        rejects=tuple(rejects),
        lines_seen=parsed.table.num_rows + parsed.blank + len(rejects),
        physical_lines=physical_lines + len(before),
        bytes_read=size,
    )


def head(
    source: ByteSource,
    *,
    rows: int = 50,
    facts: FileFacts | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    limits: FileLimits = FileLimits(),  # noqa: B008 - frozen
) -> tuple[Dialect, Slice]:
    """The dialect and the first ``rows`` rows, from the first MiB of text: fast for a file of any size.

    The account of the slice covers the lines up to its last row. Raises ``FileError`` as ``sniff`` does.
    """
    opening = from_facts(facts) if facts is not None else from_head(source, limits, encoding)
    dialect = sniff_opened(source, opening, limits, delimiter=delimiter, has_header=has_header)
    if opening.container == "xlsx":
        parts = list(islice(workbook_slices(source, dialect, limits, None), 1))
        return dialect, _first_rows(parts, rows, dialect)
    text, line, is_whole = head_text(source, opening, limits)
    if not is_whole:
        text = text[: max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1]
    reader = QuotedRows(dialect, limits.line) if dialect.quoting else PlainRows(dialect)
    parts = list(_slices(iter([text]), reader, dialect, limits, first_line=line, is_whole=is_whole))
    return dialect, _first_rows(parts, rows, dialect)


def _first_rows(parts: list[Slice], rows: int, dialect: Dialect) -> Slice:
    count = len(dialect.columns)
    table = pa.concat_tables([part.table for part in parts]) if parts else empty_table(count)
    lines = np.concatenate([part.lines.to_numpy() for part in parts]) if parts else np.zeros(0, np.int64)
    rejects = [reject for part in parts for reject in part.rejects]
    blank = sum(part.blank for part in parts)
    physical = sum(part.physical_lines for part in parts)
    if table.num_rows > rows:
        table, after = table.slice(0, rows), int(lines[rows])
        lines = lines[:rows]
        rejects = [reject for reject in rejects if reject.line < after]
        blank, physical = 0, rows + len(rejects)
    return Slice(
        table=table,
        lines=pa.array(lines, pa.int64()),
        blank=blank,
        rejects=tuple(rejects),
        lines_seen=len(lines) + blank + len(rejects),
        physical_lines=physical,
        bytes_read=sum(part.bytes_read for part in parts),
    )


def _changed(facts: FileFacts) -> FileError:
    return FileError(
        "The file is not the one that was looked at before: it changed.",
        code="changed_while_reading",
        hint="Wait until it is written completely, then start again. Nothing was changed.",
        facts={"file": facts.name, "size": facts.size},
    )
