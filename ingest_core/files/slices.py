"""A file as slices of text rows with an exact account of every line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa

from ingest_core.errors import FileError
from ingest_core.files.dialect import sniff_opened
from ingest_core.files.lines import Block, LineCutter, line_stops
from ingest_core.files.opening import from_facts, from_head, head_text, text_chunks
from ingest_core.files.parsed import Parsed, empty_parsed
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
        raise changed(facts)
    if dialect.grammar is not None:
        yield from dialect.grammar.slices(source, facts, dialect.columns, limits, slice_bytes, progress)
        return
    if facts.container == "xlsx":
        yield from workbook_slices(source, dialect, limits, progress)
        return
    chunks = _watched(text_chunks(source, from_facts(facts), limits, slice_bytes), facts, progress)
    reader = _reader(dialect, limits)
    cutter = LineCutter(limits.line, to_lf=not dialect.quoting)
    lines_read = 0
    for part in _slices(cutter, gathered(chunks, slice_bytes), reader):
        lines_read += part.physical_lines
        if part.lines_seen:
            yield part
    parsed, lines = reader.close()
    if lines:
        lines_read += lines
        yield _slice(parsed, [], lines, 0)
    if lines_read + reader.header_lines != facts.physical_lines:
        raise changed(facts)


class _Reader(Protocol):
    """Turns blocks of lines into rows; knows which lines were the header."""

    header_lines: int

    def take(self, block: Block) -> tuple[Parsed, int]: ...

    def close(self) -> tuple[Parsed, int]: ...


def _reader(dialect: Dialect, limits: FileLimits) -> _Reader:
    return QuotedRows(dialect, limits.line) if dialect.quoting else PlainRows(dialect)


def gathered(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Chunks of at least ``size`` bytes: what comes out of a decompressor or decoder may be small."""
    parts: list[bytes] = []
    held = 0
    for chunk in chunks:
        parts.append(chunk)
        held += len(chunk)
        if held >= size:
            yield b"".join(parts)
            parts, held = [], 0
    if parts:
        yield b"".join(parts)


def _watched(chunks: Iterator[bytes], facts: FileFacts, progress: Progress | None) -> Iterator[bytes]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        if progress is not None:
            progress("read", done, None if facts.encoding.startswith("utf-16") else facts.text_bytes)
        yield chunk


def _slices(cutter: LineCutter, chunks: Iterator[bytes], reader: _Reader) -> Iterator[Slice]:
    """One slice per block. Records that are still open after the last chunk are left to ``reader.close``."""
    pending: list[LineReject] = []
    for item in cutter.cut(chunks):
        if isinstance(item, LineReject):
            parsed, lines = reader.close()
            pending.append(item)
            if lines:
                yield _slice(parsed, pending, lines, 0)
                pending = []
            continue
        parsed, lines = reader.take(item)
        yield _slice(parsed, pending, lines, item.size)
        pending = []
    if pending:
        yield _slice(reader.close()[0], pending, 0, 0)


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
    limits: FileLimits = FileLimits(),
) -> tuple[Dialect, Slice]:
    """The dialect and the first ``rows`` rows, from the first MiB of text: fast for a file of any size.

    The account of the slice covers the lines before the next row. Raises ``FileError`` as ``sniff`` does.
    """
    opening = from_facts(facts) if facts is not None else from_head(source, limits, encoding)
    dialect = sniff_opened(source, opening, limits, delimiter=delimiter, has_header=has_header)
    if opening.container == "xlsx":
        return dialect, next(workbook_slices(source, dialect, limits, None, slice_rows=rows), _nothing(dialect))
    text, line, is_whole = head_text(source, opening, limits)
    if not is_whole:
        text = text[: max(text.rfind(b"\n"), text.rfind(b"\r", 0, max(len(text) - 1, 0))) + 1]
    first = _text_slice(text, line, dialect, limits, is_whole=is_whole)
    if first.table.num_rows > rows:
        # Read again what stands before the row that is too many: then the account of that stretch is exact.
        stop = line_stops(text)[first.lines[rows].as_py() - line - 1]
        first = _text_slice(text[:stop], line, dialect, limits, is_whole=True)
    return dialect, first


def _text_slice(text: bytes, line: int, dialect: Dialect, limits: FileLimits, *, is_whole: bool) -> Slice:
    """All of a text in memory as one slice; lines before ``line`` are blank."""
    reader = _reader(dialect, limits)
    cutter = LineCutter(limits.line, to_lf=not dialect.quoting, first_line=line)
    parts = list(_slices(cutter, iter([text]), reader))
    if is_whole:
        parsed, lines = reader.close()
        parts.append(_slice(parsed, [], lines, 0))
    return Slice(
        table=pa.concat_tables([part.table for part in parts]) if parts else _nothing(dialect).table,
        lines=pa.array(np.concatenate([np.zeros(0, np.int64), *(part.lines.to_numpy() for part in parts)])),
        blank=line - 1 + sum(part.blank for part in parts),
        rejects=tuple(reject for part in parts for reject in part.rejects),
        lines_seen=line - 1 + sum(part.lines_seen for part in parts),
        physical_lines=line - 1 + sum(part.physical_lines for part in parts),
        bytes_read=len(text),
    )


def _nothing(dialect: Dialect) -> Slice:
    return _slice(empty_parsed(len(dialect.columns)), [], 0, 0)


def changed(facts: FileFacts) -> FileError:
    """The bytes are others than those that were looked at."""
    return FileError(
        "The file is not the one that was looked at before: it changed.",
        code="changed_while_reading",
        hint="Wait until it is written completely, then start again. Nothing was changed.",
        facts={"file": facts.name, "size": facts.size},
    )
