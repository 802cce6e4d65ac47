"""Column statistics in one pass over the slices of a file, in a space that does not grow with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingest_core.files.profile import ColumnProfile
from ingest_core.mapping.evidence import ColumnEvidence, Finding
from ingest_core.mapping.spread import number_bins
from ingest_core.models import Bin, ColumnStatistics, Problem, TypeContext

TOP = 10
FEW = 12
"""Different texts that are shown one bar each; more are shown by their length."""


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """All columns and the problems that their values raise."""

    columns: tuple[ColumnStatistics, ...]
    problems: tuple[Problem, ...]
    rows: int


class TableCollector:
    """Takes slices of a table (columns c0, c1, … as text); ``repaired`` are the names that strict mode accepts."""

    def __init__(self, columns: Sequence[str], repaired: Sequence[str], context: TypeContext) -> None:
        self._columns = [
            _Column(name, as_repaired, context, len(columns))
            for name, as_repaired in zip(columns, repaired, strict=True)
        ]
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """One slice; it has exactly the columns that were announced."""
        self.rows += table.num_rows
        for column, values in zip(self._columns, table.columns, strict=True):
            column.add(values)

    def finish(self) -> TableStatistics:
        """The statistics of everything taken in."""
        done = [column.finish() for column in self._columns]
        problems = tuple(problem for _, finding in done for problem in finding.problems)
        return TableStatistics(tuple(statistics for statistics, _ in done), problems, self.rows)


class _Column:
    def __init__(self, name: str, repaired: str, context: TypeContext, columns: int) -> None:
        self.name = name
        self.repaired = repaired
        self.profile = ColumnProfile(columns)
        self.evidence = ColumnEvidence(name.strip() or repaired, context, column=name)

    def add(self, values: pa.ChunkedArray) -> None:
        self.evidence.add(self.profile.add(values))

    def finish(self) -> tuple[ColumnStatistics, Finding]:
        profile = self.profile
        self.evidence.add(profile.finish())
        distinct = min(profile.distinct.count, profile.filled)  # an estimate may be a little above
        found = self.evidence.finish(distinct, profile.filled)
        top = tuple(Bin(label=value, count=count) for value, count in profile.top.top(max(TOP, FEW)))
        statistics = ColumnStatistics(
            name=self.name,
            repaired=self.repaired,
            type=found.type,
            filled=profile.filled / profile.rows if profile.rows else 0.0,
            distinct=distinct,
            is_distinct_exact=profile.distinct.is_exact,
            min=found.low if found.low is not None else profile.low,
            max=found.high if found.high is not None else profile.high,
            top=top[:TOP],
            histogram=found.bins or (top if distinct <= FEW and top else number_bins(profile.lengths)),
            evidence=found.evidence,
            pii=found.pii,
            examples=tuple(profile.examples),
            fits=found.fits,
            formats=found.formats,
            shapes=found.shapes,
            questions=found.questions,
        )
        return statistics, found
