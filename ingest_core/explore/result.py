"""What a query answered: a table with names that are told apart, how much of it, how long it took."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.explore.sandbox import Raw

Kind = Literal["number", "time", "boolean", "text", "other"]
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """``name`` occurs once in a result; ``type`` is the engine's, ``kind`` what charts and screens go by."""

    name: str
    type: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Result:
    """The first rows of an answer. ``table`` has the columns in order, by name; ``is_cut``: there are more rows.

    ``is_renamed``: the query gave several columns one name.
    """

    columns: tuple[ResultColumn, ...]
    table: pa.Table
    is_cut: bool
    seconds: float
    is_renamed: bool = False

    @classmethod
    def of(cls, raw: Raw) -> Result:
        """Sums of whole numbers, which come as texts, are numbers again."""
        arrays = [
            _whole(array) if type_ == "HUGEINT" else array
            for type_, array in zip(raw.types, raw.table.columns, strict=True)
        ]
        names = told_apart(name[:_LONGEST_NAME] or "column" for name in raw.names)
        columns = tuple(
            ResultColumn(name, type_, kind_of(array.type))
            for name, type_, array in zip(names, raw.types, arrays, strict=True)
        )
        return cls(columns, pa.table(arrays, names=names), raw.is_cut, raw.seconds, is_renamed=names != list(raw.names))

    @property
    def row_count(self) -> int:
        """Rows that are here; with ``is_cut`` there are more."""
        return int(self.table.num_rows)

    def column(self, name: str) -> list[Any]:
        """The values of a column as JSON knows them: times as ISO 8601, decimals as numbers where these are exact."""
        return _values(self.table.column(name))

    def as_json(self) -> dict[str, Any]:
        """{columns: [{name, type}], rows: [[…]], row_count, is_cut, seconds}"""
        values = [self.column(column.name) for column in self.columns]
        return {
            "columns": [{"name": column.name, "type": column.type} for column in self.columns],
            "rows": [list(row) for row in zip(*values, strict=True)],
            "row_count": self.row_count,
            "is_cut": self.is_cut,
            "seconds": round(self.seconds, 6),
        }


def told_apart(names: Iterable[str]) -> list[str]:
    """Names, a second one of the same (also by case) with a number behind it."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate.casefold())
        found.append(candidate)
    return found


def kind_of(kind: pa.DataType) -> Kind:
    """What sort of values an Arrow type holds."""
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_temporal(kind) and not pa.types.is_time(kind):
        return "time"
    return "text" if pa.types.is_string(kind) else "other"


def _whole(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Sums of whole numbers in the smallest type that holds them; with more than 38 digits they stay text."""
    for kind in (pa.int64(), pa.decimal128(38, 0)):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return texts


def _values(array: pa.ChunkedArray) -> list[Any]:
    try:
        found: Sequence[Any] = array.to_pylist()
    except (OverflowError, ValueError):  # years that Python does not know
        found = pc.cast(array, pa.string()).to_pylist()
    return [_plain(value) for value in found]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, int | str | None) else value.isoformat()


def _number(value: Decimal) -> int | float | str:
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
