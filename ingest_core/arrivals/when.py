"""When a schedule looks: cron expressions and intervals in a time zone, right where clocks change.

A time that a change leaves out is made up for right after it. A time that comes twice counts once, unless the
expression names no hour: then the clock that runs on is what was meant.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ingest_core.arrivals.schedule import Rules
from ingest_core.clock import to_utc
from ingest_core.errors import InputError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
_ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_SKIPPED = 200  # times that come twice, one after the other, before something better is found


def next_after(rules: Rules, moment: datetime) -> datetime | None:
    """The first time after a moment; both UTC without a zone. None: never again. InputError as ``check_when``."""
    zone, triggers = _triggers(rules)
    found = [_next(trigger, rules, moment.replace(tzinfo=UTC), zone) for trigger in triggers]
    times = [time for time in found if time is not None]
    return to_utc(min(times)) if times else None


def next_times(rules: Rules, moment: datetime, count: int = 3) -> list[datetime]:
    """The next times after a moment, in the zone of the schedule."""
    times: list[datetime] = []
    while len(times) < count and (found := next_after(rules, moment)) is not None:
        times.append(found.replace(tzinfo=UTC).astimezone(ZoneInfo(rules.zone)))
        moment = found
    return times


def check_when(rules: Rules, moment: datetime) -> None:
    """InputError ``bad_cron``, ``bad_zone``, ``bad_interval``; ``bad_cron`` also for a time that never comes."""
    if next_after(rules, moment) is None:
        raise _bad_cron("This time never comes.")


def seconds_given(text: str) -> int:
    """``15m``, ``2h``, ``1d`` → seconds. InputError ``bad_interval``."""
    found = re.fullmatch(r"(\d{1,5})\s*([mhd])", text.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 60 <= seconds <= 31 * 86_400:
        raise _bad_interval()
    return seconds


def in_words(rules: Rules) -> str:
    """How often, for people: ``every 15 minutes``, ``every day at 06:00``, else the expression."""
    if rules.every_seconds is not None:
        return _every(rules.every_seconds)
    minute, hour, day, month, weekday = ([*(rules.cron or "").split(), *[""] * 5])[:5]
    if not (minute.isdigit() and hour.isdigit() and (day, month) == ("*", "*")):
        return f"cron {rules.cron}"
    days = {"*": "every day", "1-5": "on weekdays", "mon-fri": "on weekdays"}
    names = {"0": "Sunday", "1": "Monday", "2": "Tuesday", "3": "Wednesday", "4": "Thursday", "5": "Friday"}
    names |= {"6": "Saturday", "7": "Sunday"}
    on = days.get(weekday.lower()) or (f"every {names[weekday]}" if weekday in names else None)
    return f"{on} at {int(hour):02}:{int(minute):02}" if on else f"cron {rules.cron}"


def _every(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            number = seconds // unit
            return f"every {name}" if number == 1 else f"every {number:,} {name}s"
    return f"every {seconds:,} seconds"


def _triggers(rules: Rules) -> tuple[ZoneInfo, list[CronTrigger | IntervalTrigger]]:
    if rules.zone not in available_timezones():
        raise InputError(
            "There is no such time zone. Nothing was changed.", code="bad_zone", hint="Such as Europe/Berlin or UTC."
        )
    zone = ZoneInfo(rules.zone)
    if (rules.cron is None) == (rules.every_seconds is None):
        raise InputError(
            "A schedule has either a cron expression or an interval. Nothing was changed.",
            code="bad_interval",
            hint='Such as --every 15m, or --cron "0 6 * * *".',
        )
    if rules.every_seconds is not None:
        return zone, [IntervalTrigger(seconds=rules.every_seconds, start_date=_ANCHOR, timezone=zone)]
    return zone, _cron(rules.cron or "", zone)


def _cron(expression: str, zone: ZoneInfo) -> list[CronTrigger | IntervalTrigger]:
    """As cron means it: Sunday is 0 or 7, and where both day and weekday are named, either will do."""
    fields = expression.lower().split()
    if len(fields) != len(_FIELDS) or not re.fullmatch(r"[a-z0-9*/,\- ]{9,200}", " ".join(fields)):
        raise _bad_cron("It has five fields: minute, hour, day, month, weekday.")
    minute, hour, day, month, weekday = fields
    weekdays = _weekdays(weekday)
    both = not day.startswith("*") and not weekday.startswith("*")
    chosen = [(day, "*"), ("*", weekdays)] if both else [(day, weekdays)]
    try:
        return [
            CronTrigger(minute=minute, hour=hour, day=one, month=month, day_of_week=other, timezone=zone)
            for one, other in chosen
        ]
    except (ValueError, TypeError):
        raise _bad_cron("One of its fields is not as it should be.") from None


def _weekdays(field: str) -> str:
    """The days as names, because the library counts from Monday."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.split(","):
        found = re.fullmatch(r"(\*|[0-7]|[a-z]{3})(?:-([0-7]|[a-z]{3}))?(?:/([1-7]))?", part)
        if found is None:
            raise _bad_cron("The weekday is 0 to 7 or a name such as mon.")
        first, last = (0, 6) if found[1] == "*" else (_day(found[1]), _day(found[2] or found[1]))
        if found[2] and last < first:
            last += 7  # fri-mon
        if found[3] and not found[2]:
            last = 6
        days |= {day % 7 for day in range(first, last + 1, int(found[3] or 1))}
    return ",".join(_DAYS[day] for day in sorted(days))


def _day(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text not in _DAYS:
        raise _bad_cron("The weekday is 0 to 7 or a name such as mon.")
    return _DAYS.index(text)


def _next(trigger: CronTrigger | IntervalTrigger, rules: Rules, after: datetime, zone: ZoneInfo) -> datetime | None:
    names_hour = rules.cron is not None and not rules.cron.split()[1].startswith("*")
    at = after + timedelta(microseconds=1)
    for _ in range(_MOST_SKIPPED):
        found: datetime | None = trigger.get_next_fire_time(None, at.astimezone(zone))
        if found is None or not (names_hour and found.fold):
            return found
        at = found.astimezone(UTC) + timedelta(microseconds=1)
    return None


def _bad_cron(why: str) -> InputError:
    return InputError(
        f"The cron expression cannot be used. {why} Nothing was changed.",
        code="bad_cron",
        hint='Such as "0 6 * * *": every day at six.',
    )


def _bad_interval() -> InputError:
    return InputError(
        "The interval is a number of minutes, hours or days, from 1m to 31d. Nothing was changed.",
        code="bad_interval",
        hint="Such as 15m, 1h or 1d.",
    )
