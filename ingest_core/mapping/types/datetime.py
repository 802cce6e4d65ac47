"""Moments: a day, a time of day, perhaps an offset; in UTC when the offset is known."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Format, Unfit, codes_where, text_where
from ingest_core.mapping.types.calendar_formats import DAY_FORMATS, ISO, day_of, days_of, group_number
from ingest_core.models import Converted, TypeContext

_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])[Mm])?"
    r"(?: ?(?:[Zz]|UTC|GMT|(?P<ahead>[+-])(?P<zone_hour>[0-9]{2})(?::?(?P<zone_minute>[0-9]{2}))?))?"
)
_PATTERNS = {value: rf"{entry.pattern}(?:(?:[ Tt]|, ){_TIME})?" for value, entry in DAY_FORMATS.items()}
_EXACT = {value: re.compile(pattern) for value, pattern in _PATTERNS.items()}
_SUFFIX = " HH:MM"

DAY = 86_400_000_000
"""Microseconds."""

_EARLIEST = (dt.date(1000, 1, 1) - dt.date(1970, 1, 1)).days * DAY
_LATEST = (dt.date(9999, 12, 31) - dt.date(1970, 1, 1)).days * DAY + DAY - 1


class Datetime(DataType):
    """Canonical is ``YYYY-MM-DD HH:MM:SS[.f]``; without a format only ISO days are taken, with a space or a T.

    A day alone is its midnight. Without an offset the clock time is kept as it is written. Fractions beyond a
    microsecond are cut; leap seconds and 24:00 are refused.
    """

    name = "datetime"
    label = "Date and time"
    sql_type = "TIMESTAMP"
    reason = "not_a_datetime"
    is_ordered = True
    formats = tuple(
        Format(entry.value + _SUFFIX, f"{entry.label}, time", f"{entry.example} 14:05:30")
        for entry in DAY_FORMATS.values()
    )

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        found = _EXACT[_day_format(fmt)].fullmatch(text)
        day = day_of(found) if found else None
        moment = None if found is None or day is None else _moment(found, day)
        if moment is None:
            raise Unfit(self.reason)
        whole = moment.strftime("%Y-%m-%d %H:%M:%S")
        return whole if not moment.microsecond else f"{whole}.{moment.microsecond:06d}".rstrip("0")

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides every value."""
        parts = pc.extract_regex(values, f"^(?:{_PATTERNS[_day_format(fmt)]})$")
        days, is_real = days_of(parts)
        micros, is_time = _time_of(parts)
        moment = np.where(is_real & is_time, days * DAY + micros, 0)
        is_good = is_real & is_time & (moment >= _EARLIEST) & (moment <= _LATEST)
        good = pa.array(is_good)
        code = codes_where(pc.and_(pc.is_valid(values), pc.invert(good)), self.reason)
        return Converted(text_where(good, _written(np.where(is_good, moment, 0))), code)

    def mask(self, text: str) -> str:
        """``1990-05-17 08:30:00`` → ``•• ••• 1990 ••:••``."""
        return f"•• ••• {text[:4]} ••:••" if re.match("[0-9]{4}-[0-9]{2}-[0-9]{2} ", text) else HIDDEN


def _day_format(fmt: str | None) -> str:
    return fmt.removesuffix(_SUFFIX) if fmt else ISO


def _moment(found: re.Match[str], day: dt.date) -> dt.datetime | None:
    """The moment of a match, moved to UTC by its offset; None when there is no such time."""
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
    micros = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    zone_hour, zone_minute = int(found["zone_hour"] or 0), int(found["zone_minute"] or 0)
    if zone_hour > 18 or zone_minute > 59:
        return None
    ahead = dt.timedelta(hours=zone_hour, minutes=zone_minute) * (-1 if found["ahead"] == "-" else 1)
    try:
        time = dt.time(hour, int(found["minute"] or 0), int(found["second"] or 0), micros)
        moment = dt.datetime.combine(day, time, dt.UTC) - ahead
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= 1000 else None


def _time_of(parts: pa.StructArray) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds since midnight UTC (int64, may be negative or beyond a day) and whether there is such a time."""
    hour, minute, second = (group_number(parts, name) for name in ("hour", "minute", "second"))
    half = pc.ascii_lower(pc.struct_field(parts, "half"))
    is_am, is_pm = (pc.fill_null(pc.equal(half, letter), False).to_numpy(zero_copy_only=False) for letter in "ap")
    is_good = ~(is_am | is_pm) | ((hour >= 1) & (hour <= 12))
    hour = np.where(is_am | is_pm, hour % 12 + np.where(is_pm, 12, 0), hour)
    is_good &= (hour <= 23) & (minute <= 59) & (second <= 59)
    fraction = pc.utf8_rpad(pc.utf8_slice_codeunits(pc.struct_field(parts, "fraction"), 0, 6), 6, "0")
    micros = pc.fill_null(pc.cast(fraction, pa.int64()), 0).to_numpy(zero_copy_only=False)
    zone_hour, zone_minute = group_number(parts, "zone_hour"), group_number(parts, "zone_minute")
    is_good &= (zone_hour <= 18) & (zone_minute <= 59)
    is_behind = pc.fill_null(pc.equal(pc.struct_field(parts, "ahead"), "-"), False).to_numpy(zero_copy_only=False)
    ahead = (zone_hour * 60 + zone_minute) * np.where(is_behind, -1, 1)
    return ((hour * 60 + minute - ahead) * 60 + second) * 1_000_000 + micros, is_good


def _written(moments: np.ndarray) -> pa.StringArray:
    """Canonical text of microseconds since 1970; a fraction only where there is one."""
    seconds, micros = np.divmod(moments, 1_000_000)
    text = pa.array(seconds.astype("datetime64[s]")).cast(pa.string())
    if not micros.any():
        return text
    long = pc.utf8_rtrim(pa.array(moments.astype("datetime64[us]")).cast(pa.string()), "0")
    return pc.if_else(pa.array(micros != 0), long, text)
