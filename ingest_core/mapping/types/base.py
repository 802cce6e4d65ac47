"""What every data type can do, and the frame in which it does it fast.

A type decides one value exactly in ``exact``. Beside it, ``fast`` may decide many values at once with Arrow; whatever
it leaves open goes to ``exact``, once per distinct value. ``fast`` must never decide differently from ``exact``: the
property tests compare the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.errors import InputError
from ingest_core.models import Converted, TypeContext

DEFAULT_CONTEXT = TypeContext()
HIDDEN = "•••"

SAMPLE = 4096
"""Values looked at to estimate how many distinct ones a column holds."""


class Unfit(ValueError):
    """One value does not fit its type; ``code`` is a reason of ``ingest_core.reasons``. Never quotes the value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Format:
    """One way a column of a type may be written. ``value`` is what a mapping stores."""

    value: str
    label: str
    example: str


class DataType(ABC):
    """A data type of attributes: checks, canonical text, masks. Without state; one instance serves all threads.

    ``sql_type`` is the DuckDB type of the typed profile column; canonical text always casts to it.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    sql_type: ClassVar[str] = "VARCHAR"
    reason: ClassVar[str]
    formats: tuple[Format, ...] = ()
    is_ordered: ClassVar[bool] = False
    can_sum: ClassVar[bool] = False

    @abstractmethod
    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """Canonical text of one value without outer white space; raises ``Unfit``. ``fmt`` has been checked."""

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted | None:
        """Canonical text or reason for the values that can be decided at once; both null = left to ``exact``."""
        return None

    @abstractmethod
    def mask(self, text: str) -> str:
        """The canonical text as people without the right to reveal see it; any text is taken."""

    def check_format(self, fmt: str | None) -> str | None:
        """The format if it belongs to this type; InputError ``unknown_format`` otherwise. None and "" = default."""
        if not fmt:
            return None
        if any(fmt == known.value for known in self.formats):
            return fmt
        shown = [known.value for known in self.formats[:20]] + ["…"] * (len(self.formats) > 20)
        raise InputError(
            f"The type {self.label} has no such format.",
            code="unknown_format",
            hint=f"Choose one of: {', '.join(shown) or 'no format at all'}.",
            facts={"type": self.name},
        )

    def convert(self, values: pa.StringArray, fmt: str | None, context: TypeContext = DEFAULT_CONTEXT) -> Converted:
        """Canonical text and reason codes of a slice; depends on each value alone, so slices can be cut anywhere.

        ``values`` are trimmed, null = blank cell. The result has the same length; see ``Converted``.
        """
        fmt = self.check_format(fmt)
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if not repeats(values):
            return self._convert(values, fmt, context)
        encoded = values.dictionary_encode()
        inner = self._convert(encoded.dictionary, fmt, context)
        code = None if inner.code is None else inner.code.take(encoded.indices)
        return Converted(inner.text.take(encoded.indices), code)

    def fits(self, values: pa.StringArray, fmt: str | None, context: TypeContext = DEFAULT_CONTEXT) -> pa.BooleanArray:
        """True where the value fits, false where it does not, null where the cell is blank."""
        code = self.convert(values, fmt, context).code
        good = pa.array(np.ones(len(values), dtype=bool)) if code is None else pc.is_null(code)
        return pc.if_else(pc.is_valid(values), good, pa.scalar(None, pa.bool_()))

    def candidates(self, values: pa.StringArray) -> dict[str, int]:
        """Format → how many of the non-null values fit it; "" for a type without formats. Additive over slices."""
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        encoded = values.drop_null().dictionary_encode()
        weight = np.bincount(encoded.indices.to_numpy(zero_copy_only=False), minlength=len(encoded.dictionary))
        counts = {}
        for fmt in [known.value for known in self.formats] or [""]:
            fitting = self.fits(encoded.dictionary, fmt).to_numpy(zero_copy_only=False).astype(bool)
            counts[fmt] = int(weight[fitting].sum())
        return counts

    def normalise(self, text: str, fmt: str | None = None, context: TypeContext = DEFAULT_CONTEXT) -> str:
        """Canonical form of one value as a person types it; idempotent. Raises ``Unfit`` (a ValueError) when bad."""
        trimmed = text.strip()
        if not trimmed:
            raise Unfit(self.reason)
        return self.exact(trimmed, self.check_format(fmt), context)

    def _convert(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        decided = self.fast(values, fmt, context) or Converted(nulls(len(values)), nulls(len(values)))
        text, code = decided.text, decided.code
        is_open = pc.and_(pc.is_valid(values), pc.is_null(text))
        if code is not None:
            is_open = pc.and_(is_open, pc.is_null(code))
        if pc.any(is_open).as_py():
            rest = values.filter(is_open).dictionary_encode()
            texts, codes = self._one_by_one(rest.dictionary, fmt, context)
            text = pc.replace_with_mask(text, is_open, texts.take(rest.indices))
            code = nulls(len(values)) if code is None else code
            code = pc.replace_with_mask(code, is_open, codes.take(rest.indices))
        if code is not None and code.null_count == len(code):
            code = None
        return Converted(text, code)

    def _one_by_one(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> tuple[Any, Any]:
        texts: list[str | None] = []
        codes: list[str | None] = []
        for value in values.to_pylist():
            trimmed = value.strip()
            try:  # white space alone is blank, and the empty text must never come out: in the log it means cleared
                texts.append(self.exact(trimmed, fmt, context) if trimmed else None)
                codes.append(None)
            except Unfit as unfit:
                texts.append(None)
                codes.append(unfit.code)
        return pa.array(texts, pa.string()), pa.array(codes, pa.string())


def nulls(length: int) -> pa.StringArray:
    """That many null strings."""
    return pa.nulls(length, pa.string())


def codes_where(is_bad: pa.BooleanArray, code: str) -> pa.StringArray:
    """The reason code where true, else null."""
    return pc.if_else(is_bad, pa.scalar(code, pa.string()), pa.scalar(None, pa.string()))


def text_where(is_good: pa.BooleanArray, text: pa.StringArray) -> pa.StringArray:
    """The text where true, else null."""
    return pc.if_else(is_good, text, pa.scalar(None, pa.string()))


def look_up(keys: pa.StringArray, table: Mapping[str, str]) -> pa.StringArray:
    """The value of each key; null where the table has none."""
    return pa.array(table.values(), pa.string()).take(pc.index_in(keys, pa.array(table.keys(), pa.string())))


def decided(values: pa.StringArray, text: pa.StringArray, is_sure: pa.BooleanArray, code: str) -> Converted:
    """Where sure: the text, or the reason where it is null; open elsewhere."""
    is_bad = pc.and_(pc.and_(is_sure, pc.is_null(text)), pc.is_valid(values))
    return Converted(text_where(is_sure, text), codes_where(is_bad, code))


def repeats(values: pa.StringArray) -> bool:
    """Whether the column probably holds so few distinct values that looking at each once pays.

    Estimated from values spread over the slice: k values with c repetitions among them come from about k²/2c.
    """
    size = len(values)
    if size < 64:
        return False
    sample = values
    if size > SAMPLE:
        sample = values.take(pa.array(np.linspace(0, size - 1, SAMPLE).astype(np.int64)))
    looked = len(sample)
    repetitions = looked - pc.count_distinct(sample, mode="all").as_py()
    return bool(repetitions and looked * looked / (2 * repetitions) < size / 4)
