"""The lines of a block as rows of a table: who, which traits, and of every key its last value in the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.lines import CATEGORIES
from ingest_core.audience_manager.parsed_block import ParsedBlock
from ingest_core.audience_manager.signal_columns import KeyNames, Places, Signals
from ingest_core.files.parsed import column_names

_OK = CATEGORIES.index("ok")
_ADD, _REMOVE, _BARE = (OP_KINDS.index(kind) for kind in ("add_trait", "remove_trait", "bare"))
_MOST_CELLS = 2_000_000
"""Of one table: a file may have few bytes and many columns."""

BETWEEN = "|"
"""Between two traits: with a comma they would look like a number."""

FIXED = 3
"""Columns before those of keys: id, traits, removed traits."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some lines of a block: from, to (indexes), the rows among them and the index of the line of each."""

    begin: int
    end: int
    table: pa.Table
    lines: Places


class RowMaker:
    """Makes the rows of one file. ``columns``: all of the table; a key that is none of them is passed over."""

    def __init__(self, columns: Sequence[str], *, ignores_removals: bool) -> None:
        self._names = KeyNames()
        self._places = {name: place for place, name in enumerate(columns[FIXED:])}
        self._count = len(columns)
        self._ignores_removals = ignores_removals

    def rows(self, block: ParsedBlock) -> Iterator[Rows]:
        """The ok lines of a block, in tables of bounded size."""
        work = _BlockRows(block, self._column_numbers(Signals(block.ops)), self._count, self._ignores_removals)
        step = max(1, _MOST_CELLS // self._count)
        for begin in range(0, len(block), step):
            yield work.rows(begin, min(begin + step, len(block)))

    def _column_numbers(self, signals: Signals) -> tuple[Signals, Places]:
        """The signals, and of each the place of its column (-1: none)."""
        of_key = np.full(max(len(signals.keys), 1), -1, np.int64)
        for code in np.unique(signals.codes).tolist():
            name = self._names(signals.keys[code])
            of_key[code] = -1 if name is None else self._places.get(name, -1)
        return signals, of_key[signals.codes]


class _BlockRows:
    def __init__(self, block: ParsedBlock, signals: tuple[Signals, Places], count: int, ignores_removals: bool) -> None:
        self._block = block
        self._count = count
        self._ignores_removals = ignores_removals
        found, columns = signals
        keep = columns >= 0
        places = found.places[keep]
        self._line, self._item, self._column = block.ops.line[places], found.items[keep], columns[keep]

    def rows(self, begin: int, end: int) -> Rows:
        """The lines from ``begin`` to ``end``."""
        block = self._block
        lines = begin + np.flatnonzero(block.category[begin:end] == _OK)
        row_of = np.full(end - begin, -1, np.int64)
        row_of[lines - begin] = np.arange(len(lines))
        cells = [block.user_id.take(pa.array(lines)).cast(pa.string())]
        cells += self._traits(begin, end, row_of, len(lines))
        cells += self._values(begin, end, row_of, len(lines))
        return Rows(begin, end, pa.table(cells, names=column_names(self._count)), lines)

    def _values(self, begin: int, end: int, row_of: Places, rows: int) -> list[pa.Array]:
        """A column per key: the last value that its line gives it, null where it gives none."""
        first, last = np.searchsorted(self._line, [begin, end]).tolist()
        row = row_of[self._line[first:last] - begin]
        item, column = self._item[first:last], self._column[first:last]
        order = np.argsort(column, kind="stable")
        row, item = row[order], item[order]
        bounds = np.searchsorted(column[order], np.arange(self._count - FIXED + 1)).tolist()
        texts = self._block.ops.value.dictionary
        cells = []
        for start, stop in pairwise(bounds):
            if start == stop:
                cells.append(pa.nulls(rows, pa.string()))
                continue
            at = np.full(rows, -1, np.int64)
            at[row[start:stop]] = item[start:stop]  # of equal rows the last one stays
            cells.append(texts.take(pa.array(at, mask=at < 0)).cast(pa.string()))
        return cells

    def _traits(self, begin: int, end: int, row_of: Places, rows: int) -> list[pa.Array]:
        """Traits to add (bare numbers, too) and to remove, in the order of the line, ``BETWEEN`` two."""
        ops = self._block.ops
        first, last = np.searchsorted(ops.line, [begin, end]).tolist()
        kind, row = ops.kind[first:last], row_of[ops.line[first:last] - begin]
        named = ops.trait[first:last]
        is_added = ((kind == _ADD) & (named >= 0)) | (kind == _BARE)
        is_removed = (kind == _REMOVE) & (named >= 0) & (not self._ignores_removals)
        bare = ops.value.slice(first, last - first)
        return [_joined(row, kept, named, kind, bare, rows) for kept in (is_added, is_removed)]


def _joined(
    row: Places, kept: NDArray[np.bool_], trait: Places, kind: NDArray[np.int8], bare: pa.Array, rows: int
) -> pa.Array:
    places = np.flatnonzero(kept)
    if not len(places):
        return pa.nulls(rows, pa.string())
    texts = pa.array(trait[places]).cast(pa.string())
    is_bare = kind[places] == _BARE
    if is_bare.any():
        at = pa.array(places)
        numbers = bare.dictionary.take(bare.indices.take(at)).cast(pa.string())
        texts = pc.if_else(pa.array(is_bare), numbers, texts)
    counts = np.bincount(row[places], minlength=rows)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), texts)
    return pc.if_else(pa.array(counts > 0), pc.binary_join(lists, BETWEEN), pa.scalar(None, pa.string()))
