"""The ways a day is written in files, and their reading by Arrow and by plain Python.

Each format is one regular expression that ``re`` and RE2 read alike (explicit classes instead of flags, ASCII digits),
so the fast and the exact way cannot drift apart in what they accept.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import Format

PIVOT = 69
"""Two-digit years: 69–99 are 1969–1999, 00–68 are 2000–2068, as POSIX has it. Fixed, so that a replay agrees."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november")

_DAY = r"(?P<day>[0-9]{1,2})"
_MONTH = r"(?P<month>[0-9]{1,2})"
_YEAR = r"(?P<year>[1-9][0-9]{3})"
_SHORT = r"(?P<year>[0-9]{2})"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


_NAME = (
    r"(?P<month>"
    + "|".join(_any_case(word) for word in sorted({*_FULL, "december", "sept", *MONTHS}, key=lambda w: (-len(w), w)))
    + r")\.?"
)


@dataclass(frozen=True, slots=True)
class DayFormat:
    """One way to write a day: what a person sees of it, and its pattern with groups year, month, day."""

    value: str
    label: str
    example: str
    pattern: str

    @property
    def format(self) -> Format:
        """As a column format."""
        return Format(self.value, self.label, self.example)


def _numeric(value: str, label: str, example: str) -> DayFormat:
    parts = {"DD": _DAY, "MM": _MONTH, "YYYY": _YEAR, "YY": _SHORT}
    mark = re.escape(value[2] if value[2] in "/.-" else value[4])
    return DayFormat(value, label, example, mark.join(parts[part] for part in re.split("[/.-]", value)))


_ENTRIES = (
    _numeric("YYYY-MM-DD", "Year-month-day", "2024-03-31"),
    _numeric("DD/MM/YYYY", "Day/month/year", "31/03/2024"),
    _numeric("MM/DD/YYYY", "Month/day/year", "03/31/2024"),
    _numeric("DD.MM.YYYY", "Day.month.year", "31.03.2024"),
    DayFormat("YYYYMMDD", "Eight digits", "20240331", r"(?P<year>[1-9][0-9]{3})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
    _numeric("DD-MM-YYYY", "Day-month-year", "31-03-2024"),
    _numeric("MM-DD-YYYY", "Month-day-year", "03-31-2024"),
    _numeric("YYYY/MM/DD", "Year/month/day", "2024/03/31"),
    _numeric("YYYY.MM.DD", "Year.month.day", "2024.03.31"),
    DayFormat("DD Mon YYYY", "Day, name of month, year", "31 Mar 2024", rf"{_DAY}[ -]{_NAME}[ -]{_YEAR}"),
    DayFormat("Mon DD, YYYY", "Name of month, day, year", "Mar 31, 2024", rf"{_NAME} {_DAY},? {_YEAR}"),
    _numeric("DD/MM/YY", "Day/month/two-digit year", "31/03/24"),
    _numeric("MM/DD/YY", "Month/day/two-digit year", "03/31/24"),
    _numeric("DD.MM.YY", "Day.month.two-digit year", "31.03.24"),
    _numeric("DD-MM-YY", "Day-month-two-digit year", "31-03-24"),
    _numeric("MM-DD-YY", "Month-day-two-digit year", "03-31-24"),
    _numeric("YY-MM-DD", "Two-digit year-month-day", "24-03-31"),
    DayFormat("DD Mon YY", "Day, name of month, two-digit year", "31 Mar 24", rf"{_DAY}[ -]{_NAME}[ -]{_SHORT}"),
)

DAY_FORMATS: dict[str, DayFormat] = {entry.value: entry for entry in _ENTRIES}
"""All ways to write a day, ISO first."""

ISO = "YYYY-MM-DD"


def day_of(found: re.Match[str]) -> dt.date | None:
    """The day of a match, None when the calendar has no such day."""
    year, month = found["year"], found["month"].lower()
    number = int(year) + ((1900 if int(year) >= PIVOT else 2000) if len(year) == 2 else 0)
    try:
        return dt.date(number, int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1, int(found["day"]))
    except ValueError:
        return None


def days_of(parts: pa.StructArray) -> tuple[np.ndarray, np.ndarray]:
    """The same for a column of matches: days since 1970 (int64, undefined where not real) and whether they are real.

    ``parts`` is what ``extract_regex`` returned; null or no match is not real.
    """
    year, month, day = (group_number(parts, name) for name in ("year", "month", "day"))
    short = _lengths(parts, "year") == 2
    year = np.where(short, year + np.where(year >= PIVOT, 1900, 2000), year)
    plausible = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (year >= 1000)
    first = (year - 1970) * 12 + month - 1
    first = np.where(plausible, first, 0).astype("datetime64[M]")
    days = first.astype("datetime64[D]").astype(np.int64) + np.where(plausible, day, 1) - 1
    is_real = plausible & (days.astype("datetime64[D]").astype("datetime64[M]") == first)
    return days, is_real


def group_number(parts: pa.StructArray, name: str) -> np.ndarray:
    """A group as int64; 0 where it is null. Names of months become their numbers."""
    text = pc.struct_field(parts, name)
    if name == "month" and pc.any(pc.match_substring_regex(text, "^[A-Za-z]")).as_py():
        start = pc.utf8_slice_codeunits(pc.ascii_lower(text), 0, 3)
        return _filled(pc.add(pc.index_in(start, pa.array(MONTHS)), 1))
    return _filled(pc.cast(pc.if_else(pc.equal(text, ""), None, text), pa.int64()))


def _lengths(parts: pa.StructArray, name: str) -> np.ndarray:
    return _filled(pc.binary_length(pc.struct_field(parts, name)))


def _filled(numbers: pa.Array) -> np.ndarray:
    filled: np.ndarray = pc.fill_null(numbers, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return filled
