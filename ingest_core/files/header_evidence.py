"""Is the first record a header? Yes, unless it clearly is data."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("year", re.compile(r"(19|20)\d\d")),
    ("number", re.compile(r"[-+]?(\d+([.,]\d+)*|\.\d+)([eE][-+]?\d+)?%?")),
    ("date", re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")),
    ("email", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")),
    ("phone", re.compile(r"\+[\d ()/.-]{6,}")),
)
_CLEAR = 0.9


def judge_header(records: Sequence[Sequence[str]]) -> tuple[bool, str]:
    """(whether the first record is a header, why).

    It is data only if some of its cells are numbers, dates, addresses or phones, the rows below hold the same kind
    there, and no column speaks for a header (text on top of such values).
    """
    first, rows = records[0], records[1:]
    if not rows:
        if any(_kind(cell) for cell in first):
            return False, "the only row holds values"
        return True, "the first line"
    alike, different = [], []
    for index, cell in enumerate(first):
        below = [row[index].strip() for row in rows if len(row) > index and row[index].strip()]
        if not below:
            continue
        kind = _kind(cell)
        share = sum(_is_like(_kind(value), kind) for value in below) / len(below)
        typed = sum(_kind(value) is not None for value in below) / len(below)
        if kind is not None and share >= _CLEAR:
            alike.append(index)
        elif kind is None and cell.strip() and typed >= _CLEAR:
            different.append(index)
    if alike and not different:
        return False, f"column {alike[0] + 1} holds the same kind of value in the first line as below"
    if different:
        return True, f"column {different[0] + 1} has text above values"
    return True, "the first line"


def _kind(cell: str) -> str | None:
    text = cell.strip()
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(text)), None)


def _is_like(found: str | None, wanted: str | None) -> bool:
    """A year on top is like years only: years are also common column names."""
    return found is not None and (found == wanted or (found == "year" and wanted == "number"))
