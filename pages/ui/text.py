"""Words and numbers as people read them. The only place where foreign text becomes safe for a label."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest_core import clock
from ingest_core.clock import to_utc

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&^=\"'])")
# Found in text again after Markdown was parsed: emoji and icon names, web and mail addresses.
_LATE = re.compile(r"(:)(?=[\w+\-/]+:)|(:)(?=//)|(\bwww)(?=\.)|(@)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def escape(text: object) -> str:
    """Text from a person or a file for a label, title or Markdown: shown as it is, never interpreted, on one line."""
    line = " ".join(str(text).split())
    return _SPECIAL.sub(r"\\\1", _LATE.sub(lambda found: found.group(0) + _WORD_JOINER, line))


def number(value: int) -> str:
    """1234567 → 1,234,567."""
    return f"{value:,}"


def short_number(value: int) -> str:
    """For cards: exact to 999,999, then 2.41 M."""
    if value < 1_000_000:
        return number(value)
    return f"{value / 1e6:.2f} M" if value < 1e9 else f"{value / 1e9:.2f} B"


def count(value: int, one: str, many: str | None = None) -> str:
    """1 row; 2,181 rows."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def change(value: int) -> str:
    """+1,204; -3; 0."""
    return f"{value:+,}" if value else "0"


def percent(share: float | None) -> str:
    """0.0053 → 0.53 %; None → –. Never rounds something to nothing or nearly all to all."""
    if share is None:
        return "–"
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9995 <= share < 1:
        return "> 99.9 %"
    digits = 0 if not share else 2 if share < 0.01 else 1 if share < 0.1 or share > 0.99 else 0
    return f"{share * 100:.{digits}f}".removesuffix(".0") + " %"


def size(bytes_: int) -> str:
    """38200000 → 38.2 MB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if bytes_ >= factor:
            return f"{bytes_ / factor:.1f}".removesuffix(".0") + f" {unit}"
    return count(bytes_, "byte")


def seconds(value: float) -> str:
    """0.4 → 0.4 s; 48 → 48 s; 131 → 2 min 11 s."""
    if value < 0.1:
        return "< 0.1 s"
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def exact_time(moment: datetime, zone: str | None = None) -> str:
    """A moment (UTC when it has no zone) as 21 Nov 2026, 09:42 in a time zone, or with UTC said."""
    try:
        local = to_utc(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        local, zone = to_utc(moment), None
    return f"{local.day} {local:%b %Y, %H:%M}" + ("" if zone and zone != "UTC" else " UTC")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """A moment (UTC when it has no zone) relative to now: "just now", "5 minutes ago", then the date."""
    moment = to_utc(moment)
    passed = ((now or clock.now()) - moment).total_seconds()
    if passed < 45:
        return "just now"
    for unit, length, limit in (("minute", 60, 3600), ("hour", 3600, 86_400), ("day", 86_400, 14 * 86_400)):
        if passed < limit:
            return f"{count(max(1, round(passed / length)), unit)} ago"
    return f"{moment.day} {moment:%b %Y}"
