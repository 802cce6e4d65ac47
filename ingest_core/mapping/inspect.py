"""What a file is, before anything is stored: encoding, columns, evidence, problems, suggestions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest_core.files import PLAIN_TABLES, Tables, header_problems, read_slices, repair_names
from ingest_core.files.opening import from_head
from ingest_core.mapping.statistics import TableCollector
from ingest_core.mapping.suggest import suggest
from ingest_core.models import (
    Attribute,
    ByteSource,
    ColumnStatistics,
    Dialect,
    FileFacts,
    FileLimits,
    Inspection,
    Mapping,
    Problem,
    Progress,
    Slice,
    SourceSettings,
    TypeContext,
)
from ingest_core.reasons import REASONS

HEAD_ROWS = 500
HEAD_CELLS = 20_000
"""A first look judges this many cells at most: the wider the table, the fewer of its first rows."""
HEAD_FEWEST = 50
SLICE_BYTES = 8 << 20
EVENTS_SHARE = 0.2
"""Share of rows that repeat an identifier above which a file looks like a list of events (domain.md §4)."""
EVENTS_ROWS = 10
LIKELY = 0.5
"""Confidence from which a suggestion counts for what is said about the whole file."""

_SEPARATORS = {",": "comma separated", ";": "semicolon separated", "|": "separated by |"}


def inspect_file(
    source: ByteSource,
    attributes: Sequence[Attribute],
    former: Sequence[Mapping] = (),
    settings: SourceSettings | None = None,
    *,
    limits: FileLimits,
    facts: FileFacts | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    head_only: bool = False,
    strict_header: bool = True,
    tables: Tables = PLAIN_TABLES,
    progress: Progress | None = None,
) -> Inspection:
    """Looks at every row in one streaming pass, or with ``head_only`` at the first rows of a file of any size.

    ``former``: earlier mappings of the source; without ``strict_header`` column names that break the rules are no
    problem; ``tables``: who reads the file. Raises ``FileError`` for what is no table at all; everything else is
    a problem of the result.
    """
    context = TypeContext(phone_country=settings.phone_country if settings else None)
    seen: _Seen
    if head_only:
        seen = _look_at_head(tables, source, context, limits, facts, encoding, delimiter, has_header)
    else:
        facts = facts or tables.receive(source, limits, encoding=encoding, progress=progress)
        dialect = tables.sniff(
            source, facts, delimiter=delimiter, has_header=has_header, encoding=encoding, limits=limits
        )
        seen = _Seen(dialect, context, Opened.of(facts))
        seen.take(read_slices(source, facts, dialect, limits, slice_bytes=SLICE_BYTES, progress=progress))
    return _inspection(source, facts, seen, attributes, former, is_complete=not head_only, strict=strict_header)


@dataclass(frozen=True, slots=True)
class Opened:
    """How the bytes became text."""

    container: str
    encoding: str
    evidence: str
    has_bom: bool

    @classmethod
    def of(cls, facts: FileFacts) -> Opened:
        """From a full pass."""
        return cls(facts.container, facts.encoding, facts.encoding_evidence, facts.has_bom)


@dataclass(slots=True)
class _Seen:
    """The account of all lines and the statistics of all columns."""

    dialect: Dialect
    context: TypeContext
    opened: Opened
    collector: TableCollector = field(init=False)
    rows: int = 0
    lines: int = 0
    blank: int = 0
    rejects: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        columns = self.dialect.columns
        self.collector = TableCollector(columns, repair_names(columns), self.context)

    def take(self, slices: Iterable[Slice], most_rows: int | None = None) -> None:
        for part in slices:
            self.rows += part.table.num_rows
            self.lines += part.lines_seen
            self.blank += part.blank
            self.rejects.update(reject.code for reject in part.rejects)
            self.collector.add(part.table.slice(0, most_rows))


def _look_at_head(
    tables: Tables,
    source: ByteSource,
    context: TypeContext,
    limits: FileLimits,
    facts: FileFacts | None,
    encoding: str | None,
    delimiter: str | None,
    has_header: bool | None,
) -> _Seen:
    dialect, part = tables.head(
        source,
        rows=HEAD_ROWS,
        facts=facts,
        delimiter=delimiter,
        has_header=has_header,
        encoding=encoding,
        limits=limits,
    )
    if facts is not None:
        opened = Opened.of(facts)
    else:
        start = from_head(source, limits, encoding)
        opened = Opened(start.container, start.encoding, start.evidence, start.bom > 0)
        if dialect.grammar is not None:
            opened = Opened(start.container, "utf-8", dialect.evidence, start.bom > 0)
    seen = _Seen(dialect, context, opened)
    seen.take([part], max(HEAD_FEWEST, HEAD_CELLS // max(len(dialect.columns), 1)))
    return seen


def _inspection(
    source: ByteSource,
    facts: FileFacts | None,
    seen: _Seen,
    attributes: Sequence[Attribute],
    former: Sequence[Mapping],
    *,
    is_complete: bool,
    strict: bool,
) -> Inspection:
    table, dialect = seen.collector.finish(), seen.dialect
    columns = _with_suggestions(table.columns, attributes, former, known := _known(dialect))
    in_header = header_problems(dialect.columns) if dialect.has_header and strict else ()
    return Inspection(
        file=source.name,
        size=source.size,
        sha256=facts.sha256 if facts else None,
        container=seen.opened.container,
        encoding=seen.opened.encoding,
        encoding_evidence=seen.opened.evidence,
        bom=seen.opened.has_bom,
        delimiter=dialect.delimiter,
        quoting=dialect.quoting,
        dialect_evidence=dialect.evidence,
        line_end=facts.line_end if facts else "unknown",
        has_header=dialect.has_header,
        header_line=dialect.header_line,
        lines=seen.lines,
        physical_lines=facts.physical_lines if facts else seen.lines + int(dialect.has_header),
        blank=seen.blank,
        rows=seen.rows,
        rejected=seen.rejects.total(),
        rejects_by_reason=dict(seen.rejects),
        is_complete=is_complete,
        columns=columns,
        problems=(*in_header, *_line_problems(seen), *table.problems, *_events(columns, attributes, table.rows)),
        notices=_notices(facts, dialect),
        grammar=dialect.grammar.name if dialect.grammar else "table",
        known=known,
    )


def _known(dialect: Dialect) -> dict[str, str | None]:
    """Columns of which it is known what they hold, whatever their values look like."""
    return {} if dialect.grammar is None else dialect.grammar.known


def _with_suggestions(
    columns: Sequence[ColumnStatistics],
    attributes: Sequence[Attribute],
    former: Sequence[Mapping],
    known: dict[str, str | None],
) -> tuple[ColumnStatistics, ...]:
    personal = {attribute.name for attribute in attributes if attribute.pii}
    return tuple(
        column.model_copy(
            update={
                "suggestion": suggestion,
                "pii": column.pii or (suggestion.attribute in personal and suggestion.confidence >= LIKELY),
            }
        )
        for column, suggestion in zip(columns, suggest(columns, attributes, former, known), strict=True)
    )


def _line_problems(seen: _Seen) -> list[Problem]:
    """Lines that are no rows, by reason, and a file without any row."""
    problems = [
        Problem(
            code=code,
            message=f"{count:,} of {seen.lines:,} lines: {REASONS[code].title.lower()}. {REASONS[code].explanation}",
            fix=REASONS[code].fix,
        )
        for code, count in seen.rejects.most_common()
    ]
    if seen.lines == seen.blank:
        has = "a header but no rows" if seen.dialect.has_header else "no rows"
        problems.append(Problem(code="no_rows", message=f"The file has {has}.", fix="Export it again with its rows."))
    return problems


def _events(columns: Sequence[ColumnStatistics], attributes: Sequence[Attribute], rows: int) -> list[Problem]:
    """``looks_like_events`` when the best identifier repeats on more than a fifth of the rows."""
    ranks = {a.name: (a.identifier != "primary", a.priority) for a in attributes if a.identifier is not None}
    found = [
        (ranks[column.suggestion.attribute], index, column)
        for index, column in enumerate(columns)
        if column.suggestion and column.suggestion.attribute in ranks and column.suggestion.confidence >= LIKELY
    ]
    if not found or rows < EVENTS_ROWS:
        return []
    best = min(found, key=lambda entry: entry[:2])[2]
    cells = round(best.filled * rows)
    repeated = cells - best.distinct
    if cells == 0 or repeated <= EVENTS_SHARE * rows:
        return []
    return [
        Problem(
            code="looks_like_events",
            message=f"This looks like a list of events: {repeated:,} of {rows:,} rows repeat a {best.name} that stands "
            "further up. Rows of one person fold into one profile; the last value wins.",
            fix="Choose sum or count for the columns that should add up, or load it as it is.",
            column=best.name,
            options=(
                {"value": "sum", "label": "Add up the values of one person", "fits": repeated},
                {"value": "count", "label": "Count the rows of one person", "fits": repeated},
            ),
        )
    ]


def _notices(facts: FileFacts | None, dialect: Dialect) -> tuple[str, ...]:
    notices = (*(facts.notices if facts else ()), *dialect.notices)
    if dialect.delimiter in _SEPARATORS and dialect.quoting:
        notices = (*notices, f"Converted: the file is {_SEPARATORS[dialect.delimiter]}, not by tabs.")
    return notices
