"""The times that most people want, without a cron expression, and which of them a schedule has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time
from typing import Any, Literal

from ingest_core.arrivals.schedule import Rules

Preset = Literal["quarter", "hour", "every", "day", "weekdays", "week", "cron"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EVERY: dict[Preset, int] = {"quarter": 900, "hour": 3_600}


@dataclass(frozen=True)
class Times:
    """A choice; ``minutes``, ``at``, ``weekday`` (0 = Monday) and ``cron`` count where the preset asks for them."""

    preset: Preset = "quarter"
    at: time = time(6)
    weekday: int = 0
    minutes: int = 30
    cron: str = "0 6 * * *"

    def fields(self) -> dict[str, Any]:
        """As the rules say it: {every_seconds, cron}."""
        seconds = self.minutes * 60 if self.preset == "every" else _EVERY.get(self.preset)
        if seconds is not None:
            return {"every_seconds": seconds, "cron": None}
        days = {"day": "*", "weekdays": "1-5", "week": str((self.weekday + 1) % 7)}
        if self.preset not in days:
            return {"every_seconds": None, "cron": " ".join(self.cron.split())}
        return {"every_seconds": None, "cron": f"{self.at.minute} {self.at.hour} * * {days[self.preset]}"}


def times_of(rules: Rules) -> Times:
    """The choice that leads to these rules; an expression or interval of its own where no preset does."""
    for preset, seconds in _EVERY.items():
        if rules.every_seconds == seconds:
            return Times(preset)
    if rules.every_seconds is not None:
        return Times("every", minutes=rules.every_seconds // 60)
    cron = rules.cron or "0 6 * * *"
    minute, hour, *rest = cron.split()
    if not (minute.isdigit() and hour.isdigit() and rest[:2] == ["*", "*"]):
        return Times("cron", cron=cron)
    chosen = Times("cron", time(int(hour), int(minute)), cron=cron)
    for preset in ("day", "weekdays", "week"):
        for weekday in range(7 if preset == "week" else 1):
            made = replace(chosen, preset=preset, weekday=weekday)
            if made.fields()["cron"] == cron:
                return made
    return chosen
