"""Days of the calendar, 1000-01-01 to 9999-12-31."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, codes_where, text_where
from ingest_core.mapping.types.calendar_formats import DAY_FORMATS, ISO, day_of, days_of
from ingest_core.models import Converted, TypeContext

MIDNIGHT = r"(?:[ T]00:00(?::00(?:\.0+)?)?Z?)?"
"""A day exported as a moment at midnight is still a day."""

_PATTERNS = {value: entry.pattern + MIDNIGHT for value, entry in DAY_FORMATS.items()}
_EXACT = {value: re.compile(pattern) for value, pattern in _PATTERNS.items()}


class Date(DataType):
    """A real calendar day; canonical is ISO. Without a format only ISO is taken. One-digit days and months are fine."""

    name = "date"
    label = "Date"
    sql_type = "DATE"
    reason = "not_a_date"
    is_ordered = True
    formats = tuple(entry.format for entry in DAY_FORMATS.values())

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        found = _EXACT[fmt or ISO].fullmatch(text)
        day = day_of(found) if found else None
        if day is None:
            raise Unfit(self.reason)
        return day.isoformat()

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides every value."""
        days, is_real = days_of(pc.extract_regex(values, f"^(?:{_PATTERNS[fmt or ISO]})$"))
        good = pa.array(is_real)
        text = pa.array(days.astype("int32"), pa.date32()).cast(pa.string())
        code = codes_where(pc.and_(pc.is_valid(values), pc.invert(good)), self.reason)
        return Converted(text_where(good, text), code)

    def mask(self, text: str) -> str:
        """``1990-05-17`` → ``•• ••• 1990``."""
        return f"•• ••• {text[:4]}" if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else HIDDEN
