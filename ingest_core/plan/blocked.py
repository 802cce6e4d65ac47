"""Values that identify nobody: placeholders by pattern, secondaries too short (domain.md §5.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.models import Rank
from ingest_core.settings import BlockedPattern

TOO_SHORT = "fewer than {} characters"


@cache
def _expression(patterns: tuple[BlockedPattern, ...], rank: Rank) -> str:
    chosen = [p.pattern for p in patterns if _is_for(p, rank)]
    return r"^(?:" + "|".join(f"(?:{pattern})" for pattern in chosen) + r")$"


def is_blocked(values: pa.StringArray, patterns: Sequence[BlockedPattern], rank: Rank) -> pa.BooleanArray:
    """True where the whole value matches one of the patterns, in any case; null (absent) is never blocked."""
    found = pc.match_substring_regex(values, _expression(tuple(patterns), rank), ignore_case=True)
    return pc.fill_null(found, False)


def is_short(values: pa.StringArray, rank: Rank, minimum: int) -> pa.BooleanArray:
    """True where a secondary has fewer characters than ``minimum``. A primary may be short."""
    if rank == "primary":
        return pa.array(np.zeros(len(values), dtype=bool))
    return pc.fill_null(pc.less(pc.utf8_length(values), minimum), False)


def reasons(
    values: pa.StringArray, patterns: Sequence[BlockedPattern], rank: Rank, minimum: int, *, is_typed: bool
) -> Counter[str]:
    """Why these cells, all of them useless, identify nobody: reason → cells. Each counts for the first that fits.

    ``is_typed``: the type has read them, so that what no pattern matches is too short.
    """
    found: Counter[str] = Counter()
    for pattern in patterns:
        if not len(values):
            return found
        if _is_for(pattern, rank):
            matches = is_blocked(values, (pattern,), rank)
            found[pattern.title or pattern.pattern] += pc.sum(matches).as_py() or 0
            values = values.filter(pc.invert(matches))
    if is_typed:
        found[TOO_SHORT.format(minimum)] += len(values)
    return +found


def _is_for(pattern: BlockedPattern, rank: Rank) -> bool:
    return pattern.rank in ("any", rank)
