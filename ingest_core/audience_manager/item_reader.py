"""Items of a block, each distinct text read once: traits and values repeat, and reading is the slow part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.items import OP_KINDS, ItemError, parse_item
from ingest_core.audience_manager.lines import WARNINGS

EMPTY = len(OP_KINDS)
ASK = EMPTY + 1
"""Kinds beside ``OP_KINDS``: an empty item, and one that only the exact parser of lines may judge."""

NO_TRAIT = -1
_SIGNAL = OP_KINDS.index("signal")
_MOST_KEPT = 1 << 17
_LARGEST = (1 << 63) - 1
_BITS = {name: 1 << index for index, name in enumerate(WARNINGS)}

# Values that hardly repeat stand in pairs with an ordinary key. RE2 takes those apart ten times faster than Python,
# which gets everything that this does not cover: directives, numbers, whatever is odd. "value" may end in spaces.
_KEY = "[A-Za-z][A-Za-z0-9_-]*"
_PAIR = rf'\A *(?P<key>"{_KEY}"|{_KEY}) *= *(?P<value>"[^"]+" *|[^" =][^"]*)\z'
_CURLY = "\u201c|\u201d"
_DIRECTIVES = pa.array(["d_sid", "d_unsid"], pa.large_string())

_Known = tuple[int, int, int, str | None, str | None]


def warning_bits(names: tuple[str, ...]) -> int:
    """Warnings as bits, in the order of ``WARNINGS``."""
    return sum(_BITS[name] for name in names)


def trait_column(trait: int | None) -> int:
    """A trait id as the columns hold it: ``NO_TRAIT`` where there is none, or none that any trait could have."""
    return NO_TRAIT if trait is None or trait > _LARGEST else trait


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """Distinct items, column by column: kind, trait (or ``NO_TRAIT``), warning bits, key and value."""

    kind: NDArray[np.int8]
    trait: NDArray[np.int64]
    bits: NDArray[np.uint8]
    key: pa.Array
    value: pa.Array


class ItemReader:
    """Reads distinct items; remembers from block to block, up to a bound, those that Python had to read."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Known] = {}

    def columns(self, distinct: pa.Array) -> ItemColumns:
        """The meaning of each text of a large_binary array; all must be UTF-8."""
        is_pair, key, value = _pairs(distinct)
        kind = np.full(len(distinct), _SIGNAL, np.int8)
        trait = np.full(len(distinct), NO_TRAIT, np.int64)
        bits = np.zeros(len(distinct), np.uint8)
        others = np.flatnonzero(~is_pair)
        if len(others):
            found = self._read(distinct.take(pa.array(others)).to_pylist())
            kinds, traits, warnings, keys, values = zip(*found, strict=True)
            kind[others], trait[others], bits[others] = kinds, traits, warnings
            rest = np.arange(len(distinct))
            rest[others] = len(distinct) + np.arange(len(others))
            at = pa.array(rest)
            key = pa.concat_arrays([key, pa.array(keys, pa.large_string())]).take(at)
            value = pa.concat_arrays([value, pa.array(values, pa.large_string())]).take(at)
        return ItemColumns(kind, trait, bits, key, value)

    def _read(self, texts: list[bytes]) -> list[_Known]:
        known = self._known
        if len(known) > _MOST_KEPT:
            known.clear()
        found = []
        for text in texts:
            entry = known.get(text)
            if entry is None:
                entry = known[text] = _meaning(text.decode())
            found.append(entry)
        return found


def _pairs(distinct: pa.Array) -> tuple[NDArray[np.bool_], pa.Array, pa.Array]:
    """(which are ordinary pairs, their keys, their values); keys and values of others mean nothing."""
    parts = pc.extract_regex(distinct, pattern=_PAIR)
    key = pc.ascii_trim(parts.field(0).cast(pa.large_string()), characters='"')
    value = pc.ascii_rtrim(parts.field(1).cast(pa.large_string()), characters=" ")
    value = pc.ascii_trim(value, characters='"')
    is_pair = np.asarray(parts.is_valid())
    is_pair = is_pair & ~np.asarray(pc.is_in(pc.ascii_lower(key), value_set=_DIRECTIVES))
    return is_pair & ~np.asarray(pc.match_substring_regex(value, pattern=_CURLY)), key, value


def _meaning(text: str) -> _Known:
    if text.count('"') % 2 or "\u201c" in text or "\u201d" in text:
        return ASK, NO_TRAIT, 0, None, None  # a comma in quotes has cut it, or its quotes are curly
    item = parse_item(text)
    if isinstance(item, ItemError):
        return ASK, NO_TRAIT, 0, None, None
    op = item.op
    if op is None:
        return EMPTY, NO_TRAIT, warning_bits(item.warnings), None, None
    if op.trait is not None and op.trait > _LARGEST:
        return ASK, NO_TRAIT, 0, None, None
    return OP_KINDS.index(op.kind), trait_column(op.trait), warning_bits(item.warnings), op.key, op.value
