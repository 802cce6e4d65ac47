"""Values that identify nobody: placeholders by pattern, secondaries too short (domain.md §5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.models import Rank
from ingest_core.settings import BlockedPattern


@cache
def _expression(patterns: tuple[BlockedPattern, ...], rank: Rank) -> str:
    chosen = [p.pattern for p in patterns if p.rank in ("any", rank)]
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
