"""Whole blocks of ID sync rows at once: columns for plain rows, the exact parser for all others (spec §7).

A row is plain when it has one id per data source of the name, each of its form, and nothing in it that needs a second
look. Tests hold this and ``parse_row`` together over arbitrary bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.block_cut import Cut, Flags, Places, cut_lines, plain_lines, texts_between
from ingest_core.audience_manager.data_sources import HASH_FORM, id_rule
from ingest_core.audience_manager.id_sync import ParsedRow, RowContext, parse_row
from ingest_core.audience_manager.lines import BOM, CATEGORIES

_TAB, _LF, _SPACE = 9, 10, 32
_SUSPECT = "[:%@]"
_PLACE_OF = {name: place for place, name in enumerate(CATEGORIES)}


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Consecutive rows. ``category`` per row.

    ``lines``: indexes of the plain rows, all of them ok; ``ids``: their ids, one string array per data source of the
    name. ``exact``: the rows that the exact parser read, by index, with their problems. The rest is blank.
    """

    first_line: int
    dpids: tuple[int, ...]
    category: NDArray[np.int8]
    lines: Places
    ids: tuple[pa.Array, ...]
    exact: dict[int, ParsedRow]

    def __len__(self) -> int:
        return len(self.category)

    def row(self, index: int) -> ParsedRow:
        """One row as ``parse_row`` gives it."""
        if index in self.exact:
            return self.exact[index]
        if self.category[index] == _PLACE_OF["blank"]:
            return ParsedRow("blank")
        at = int(np.searchsorted(self.lines, index))
        ids = (column[at].as_py() for column in self.ids)
        return ParsedRow("ok", tuple(zip(self.dpids, ids, strict=True)))


def parse_rows(data: bytes, context: RowContext, first_line: int = 1) -> RowBlock:
    """The rows of ``data``: whole lines, the last with or without its end.

    ``first_line``: number of the first row in the file; before line 1 a byte order mark is dropped.
    """
    if data and not data.endswith(b"\n"):
        data += b"\n"
    cut = cut_lines(data)
    is_plain = plain_lines(data, cut, context.max_line_bytes)
    has_bom = first_line == 1 and data.startswith(BOM)
    if has_bom:
        is_plain[0] = False
    lines, bounds = _cells(cut, is_plain, len(context.name.columns))
    columns = [texts_between(data, bounds[at] + 1, bounds[at + 1]) for at in range(len(bounds) - 1)]
    doubtful = np.zeros(len(lines), np.bool_)
    for place, column in enumerate(columns):
        doubtful |= _doubtful(column, cut, bounds[place] + 1, bounds[place + 1], context, place)
    is_plain[lines[doubtful]] = False
    category = np.where(cut.ends == cut.starts, _PLACE_OF["blank"], _PLACE_OF["ok"]).astype(np.int8)
    exact = {}
    for index in np.flatnonzero(~is_plain & (cut.ends > cut.starts)).tolist():
        raw = data[int(cut.starts[index]) : int(cut.stops[index]) + 1]
        exact[index] = row = parse_row(raw, context, is_first=has_bom and index == 0)
        category[index] = _PLACE_OF[row.category]
    keep = pa.array(~doubtful)
    ids = tuple(column.filter(keep).cast(pa.large_string()) for column in columns)
    return RowBlock(first_line, context.name.columns, category, lines[~doubtful], ids, exact)


def _cells(cut: Cut, is_plain: Flags, count: int) -> tuple[Places, list[Places]]:
    """Rows with ``count`` cells, and of these the bounds of the cells: before the first, between them, behind the last.

    Takes from ``is_plain`` the rows with another number of cells.
    """
    tabs = np.flatnonzero(cut.codes == _TAB)
    line = cut.line_of(tabs)
    is_plain &= np.bincount(line, minlength=len(cut)) == count - 1
    lines = np.flatnonzero(is_plain)
    mine = tabs[is_plain[line]].reshape(len(lines), count - 1)
    return lines, [cut.starts[lines] - 1, *(mine[:, at] for at in range(count - 1)), cut.ends[lines]]


def _doubtful(column: pa.Array, cut: Cut, start: Places, stop: Places, context: RowContext, place: int) -> Flags:
    """Which ids of a column the exact parser has to judge."""
    rule = id_rule(context.name.columns[place], strict_alnum=context.strict_alnum)
    form = HASH_FORM if context.is_c2c and place else rule.form
    if form is not None:
        fits: Flags = np.asarray(pc.match_substring_regex(column, pattern=rf"\A(?:{form.pattern})\z"))
        return ~fits
    last = cut.codes[np.maximum(stop - 1, 0)]
    wrong: Flags = (stop == start) | (cut.codes[start] == _SPACE) | (last == _SPACE)
    wrong |= np.asarray(pc.match_substring_regex(column, pattern=_SUSPECT))
    return wrong
