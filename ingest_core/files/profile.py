"""What one column holds, taken in slice by slice in a bounded space: shares, extremes, frequent values, lengths."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.files.sketch import EMPTY, Counted, DistinctCounter, Histogram, TopCounter, add_counts, count_values

EXAMPLES = 5
CLIP = 80
"""Characters of an example, a smallest or a largest text that are kept."""


GATHERED = 2_000
"""Different values that are gathered before they are worked into the statistics: a slice of a wide table brings few."""
WIDE = 60
"""Columns that share the full space; in a wider table each has less, so that 5,000 do not fill the memory."""


class ColumnProfile:
    """Statistics of one column of text in a table of ``columns``.

    A cell counts as filled when it holds more than white space; values are compared without outer white space.
    ``add`` and ``finish`` hand out every filled value with its count exactly once over the whole file, and each
    different value once while they are few: whoever looks at values more closely looks at what they return. All but
    ``rows`` and ``filled`` is complete after ``finish``.
    """

    def __init__(self, columns: int = 1) -> None:
        share = min(1.0, WIDE / columns)
        self.rows = 0
        self.filled = 0
        self.distinct = DistinctCounter(max(2_000, int(100_000 * share)))
        self.top = TopCounter(max(1_000, int(20_000 * share)), max(1 << 16, int((4 << 20) * share)))
        self.lengths = Histogram()
        self.examples: list[str] = []
        self.low: str | None = None
        self.high: str | None = None
        self.gathered = GATHERED
        self._waiting: list[Counted] = []

    def add(self, column: pa.ChunkedArray | pa.StringArray) -> Counted:
        """Takes one column of a slice; returns the values to look at now (none while they can wait)."""
        self.rows += len(column)
        found = _filled(count_values(column))
        if not len(found.values):
            return EMPTY
        self.filled += int(found.counts.sum())
        self._waiting.append(found)
        is_few = sum(len(part.values) for part in self._waiting) < max(self.gathered, len(self.top.content.values))
        if is_few and sum(part.values.nbytes for part in self._waiting) < self.top.limit_bytes:
            return EMPTY
        return self._work()

    def finish(self) -> Counted:
        """The values that could wait until the end; none where ``add`` already returned them."""
        rest = self._work() if self._waiting else EMPTY
        return self.top.content if self.top.is_exact else rest

    def _work(self) -> Counted:
        """Works in what was gathered; returns the values to look at now."""
        found = self._waiting[0] if len(self._waiting) == 1 else add_counts(*self._waiting)
        self._waiting = []
        self.distinct.add(found.values)
        self._extremes(found.values)
        self._remember(found.values)
        lengths = pc.utf8_length(found.values).to_numpy()
        self.lengths.add(lengths.astype(np.float64), found.counts)
        if not self.top.is_exact:
            self.top.add(found)
            return found
        return self.top.add(found) or EMPTY

    def _extremes(self, values: pa.StringArray) -> None:
        least, most = pc.min_max(values).values()
        low, high = least.as_py()[:CLIP], most.as_py()[:CLIP]
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)

    def _remember(self, values: pa.StringArray) -> None:
        for value in values.slice(0, EXAMPLES).to_pylist() if len(self.examples) < EXAMPLES else ():
            example = value[:CLIP]
            if len(self.examples) < EXAMPLES and example not in self.examples:
                self.examples.append(example)


def _filled(found: Counted) -> Counted:
    """Without outer white space, blank values left out."""
    trimmed = pc.utf8_trim_whitespace(found.values)
    if found.values.null_count:
        is_some = pc.is_valid(trimmed)
        found = Counted(found.values.filter(is_some), found.counts[np.asarray(is_some)])
        trimmed = trimmed.drop_null()
    if not trimmed.equals(found.values):
        found = add_counts(Counted(trimmed, found.counts))
    is_filled = pc.not_equal(found.values, "")
    if pc.all(is_filled).as_py() is not False:
        return found
    return Counted(found.values.filter(is_filled), found.counts[np.asarray(is_filled)])
