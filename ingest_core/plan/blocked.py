"""Values that identify nobody: placeholders by pattern, secondaries too short (domain.md §5.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, Rank, TypeContext
from ingest_core.settings import BlockedPattern, blocked_expression

TOO_SHORT = "fewer than {} characters"


def is_blocked(values: pa.StringArray, patterns: Sequence[BlockedPattern], rank: Rank) -> pa.BooleanArray:
    """True where the whole value matches one of the patterns, in any case; null (absent) is never blocked."""
    found = pc.match_substring_regex(values, blocked_expression(tuple(patterns), rank), ignore_case=True)
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a load makes of one value of an identifier. ``pattern``: the first that blocks it."""

    outcome: Literal["identifies", "blocked", "short", "unfit", "empty"]
    pattern: str | None = None


def judge(
    value: str, attribute: Attribute, patterns: Sequence[BlockedPattern], minimum: int, context: TypeContext
) -> Verdict:
    """As a load judges a cell that holds this value and is mapped to this identifier."""
    rank = attribute.identifier
    assert rank is not None, attribute.name
    raw = pc.utf8_trim_whitespace(pa.array([value], pa.string()))
    if raw[0].as_py() == "":
        return Verdict("empty")
    if (pattern := _first(raw, patterns, rank)) is not None:
        return Verdict("blocked", pattern)
    text = data_type(attribute.type).convert(raw, None, context).text
    if text[0].as_py() is None:
        return Verdict("unfit")
    if is_short(text, rank, minimum)[0].as_py():
        return Verdict("short")
    if attribute.type == "phone" and (pattern := _first(text, patterns, rank)) is not None:
        return Verdict("blocked", pattern)
    return Verdict("identifies")


def _first(value: pa.StringArray, patterns: Sequence[BlockedPattern], rank: Rank) -> str | None:
    return next((one.pattern for one in patterns if is_blocked(value, [one], rank)[0].as_py()), None)
