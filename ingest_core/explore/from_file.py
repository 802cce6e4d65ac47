"""A file as tables: read by our own reader, every cell as it stands (``file``), and with types (``typed``).

Before a mapping exists everything may be PII: nothing of it is written anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.engine import quote
from ingest_core.explore.material import TableInfo
from ingest_core.explore.sandbox import Sandbox
from ingest_core.files import PLAIN_TABLES, Tables, read_slices, repair_names
from ingest_core.mapping.statistics import TableCollector
from ingest_core.mapping.types import data_type
from ingest_core.models import ByteSource, ColumnStatistics, FileFacts, FileLimits, LineReject, Progress, TypeContext
from ingest_core.reasons import REASONS

JUDGED_ROWS = 5_000
"""The first rows say which type a column has; a value further down that does not fit is NULL in ``typed``."""
MOST_REJECTS = 10_000
_TYPES = {"number", "integer", "boolean", "date", "datetime"}
_WHITE = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
_DATA = "data"  # the table behind both views


@dataclass(frozen=True, slots=True)
class FileMaterial:
    """The first ``most_rows`` rows of a file, at most ``most_bytes`` of them."""

    source: ByteSource
    limits: FileLimits
    context: TypeContext
    most_rows: int
    most_bytes: int
    facts: FileFacts | None = None
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool | None = None
    tables: Tables = PLAIN_TABLES

    def fill(self, sandbox: Sandbox, progress: Progress) -> list[TableInfo]:
        """Tables ``file``, ``typed`` and ``rejects``. Raises FileError."""
        facts = self.facts or self.tables.receive(self.source, self.limits, encoding=self.encoding, progress=progress)
        dialect = self.tables.sniff(
            self.source,
            facts,
            delimiter=self.delimiter,
            has_header=self.has_header,
            encoding=self.encoding,
            limits=self.limits,
        )
        slices = read_slices(self.source, facts, dialect, self.limits, progress=progress)
        first = next(slices, None)
        columns = _judged(first.table if first else None, dialect.columns, self.context)
        columns.define(sandbox)
        rejects: list[LineReject] = []
        rows = size = 0
        part, is_cut = first, False
        while part is not None and not is_cut:
            kept = part.table.slice(0, self.most_rows - rows)
            is_cut = kept.num_rows < part.table.num_rows
            lines = part.lines.slice(0, kept.num_rows)
            sandbox.append(_DATA, columns.stored(kept, lines))
            rejects += _until(part.rejects, lines[-1].as_py() if is_cut else None)[: MOST_REJECTS - len(rejects)]
            rows, size = rows + kept.num_rows, size + kept.nbytes
            part = next(slices, None)
            is_cut = is_cut or (part is not None and (rows >= self.most_rows or size >= self.most_bytes))
        sandbox.append("rejects", _reject_table(rejects))
        return columns.told(rows, len(rejects), facts.physical_lines - int(dialect.has_header), is_cut=is_cut)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a file: shown names, the line last; of those that have a type, position → (type, format)."""

    names: tuple[str, ...]
    typed: dict[int, tuple[str, str | None]]
    context: TypeContext

    def define(self, sandbox: Sandbox) -> None:
        """The tables, still empty."""
        sandbox.create(_DATA, self._stored(), is_open=False)
        as_text = [quote(f"c{at}") for at in range(len(self.names) - 1)]
        typed = [quote(f"t{at}") if at in self.typed else _filled(text) for at, text in enumerate(as_text)]
        for name, columns in (("file", as_text), ("typed", typed)):
            shown = (f"{sql} AS {quote(shown)}" for sql, shown in zip([*columns, "line"], self.names, strict=True))
            sandbox.view(name, f"SELECT {', '.join(shown)} FROM {_DATA}")
        sandbox.create("rejects", _REJECT_COLUMNS)

    def stored(self, table: pa.Table, lines: pa.Array) -> pa.Table:
        """Rows as they are stored."""
        arrays = {f"c{at}": table.column(at) for at in range(table.num_columns)}
        for at, (kind, form) in self.typed.items():
            values = pc.utf8_trim_whitespace(table.column(at).combine_chunks())
            values = pc.if_else(pc.equal(pc.binary_length(values), 0), pa.scalar(None, pa.string()), values)
            arrays[f"t{at}"] = data_type(kind).convert(values, form, self.context).text
        arrays["line"] = lines
        return pa.table({name: arrays[name] for name, _ in self._stored()})

    def told(self, rows: int, rejected: int, lines: int, *, is_cut: bool) -> list[TableInfo]:
        """What the tables hold."""
        part = f"the first {rows:,} rows of {lines:,} lines" if is_cut else f"all {rows:,} rows"
        kinds = [data_type(self.typed[at][0]).sql_type if at in self.typed else "VARCHAR" for at in self._positions()]
        texts = ["VARCHAR"] * len(kinds)
        return [
            TableInfo(
                name, tuple(zip(self.names, [*types, "BIGINT"], strict=True)), rows, f"{part}, {how}", is_cut=is_cut
            )
            for name, types, how in (
                ("file", texts, "every cell as it stands in the file"),
                ("typed", kinds, "numbers, dates and so on; NULL where a cell is blank or does not fit"),
            )
        ] + [TableInfo("rejects", _REJECT_COLUMNS, rejected, "lines that are no row of the table")]

    def _positions(self) -> range:
        return range(len(self.names) - 1)

    def _stored(self) -> list[tuple[str, str]]:
        texts = [(f"c{at}", "VARCHAR") for at in self._positions()]
        typed = [(f"t{at}", data_type(kind).sql_type) for at, (kind, _) in self.typed.items()]
        return [*texts, *typed, ("line", "BIGINT")]


_REJECT_COLUMNS = (("line", "BIGINT"), ("reason", "VARCHAR"), ("title", "VARCHAR"), ("text", "VARCHAR"))


def _judged(head: pa.Table | None, columns: Sequence[str], context: TypeContext) -> _Columns:
    """Which columns have a type, by the first rows. Where only a person can decide how to read them, none."""
    names = repair_names([*columns, "line"])
    found: tuple[ColumnStatistics, ...] = ()
    if head is not None:
        collector = TableCollector(columns, names[:-1], context)
        collector.add(head.slice(0, JUDGED_ROWS))
        found = collector.finish().columns
    typed = {
        at: (column.type, column.formats.get(column.type))
        for at, column in enumerate(found)
        if column.type in _TYPES and not column.questions
    }
    return _Columns(names, typed, context)


def _filled(column: str) -> str:
    """SQL: a text without outer white space, NULL where nothing is left."""
    return f"nullif(trim({column}, '{_WHITE}'), '')"


def _until(rejects: Sequence[LineReject], line: int | None) -> list[LineReject]:
    """Those up to a line; None: all."""
    return [reject for reject in rejects if line is None or reject.line <= line]


def _reject_table(rejects: Sequence[LineReject]) -> pa.Table:
    return pa.table(
        {
            "line": pa.array([reject.line for reject in rejects], pa.int64()),
            "reason": pa.array([reject.code for reject in rejects], pa.string()),
            "title": pa.array([REASONS[reject.code].title for reject in rejects], pa.string()),
            "text": pa.array([reject.text for reject in rejects], pa.string()),
        }
    )
