"""The judge of segment rules: one person at a time, in plain Python, from the documented meaning of each operator.

Shares no code with the product and imports nothing of it. A rule is the JSON that people write.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

Value = str | Decimal | int | bool | date | datetime

TYPES = {
    "crmid": "identifier",
    "NICK": "text",
    "home": "country",
    "site": "text",
    "amount": "number",
    "visits": "number",
    "birthday": "date",
    "seen": "datetime",
    "vip": "boolean",
    "email": "personal",
    "secret": "personal",
}
"""Attribute as rules name it → how its values are compared."""

COUNTRIES = {"DE": "DE", "de": "DE", "Germany": "DE", "FRA": "FR", "fra": "FR", "FR": "FR", "Italy": "IT"}

TRAIT_DAYS = {1: 120, 2: 1, 3: 0}
"""Trait of files → the days it stays (0: for ever)."""

PROFILE_DAYS = 720


@dataclass(frozen=True)
class Held:
    """That a file gave a trait to an id some hours ago, whose last record came some days ago."""

    identifier: str
    trait: int
    hours: int
    quiet_days: int = 0

    def counts(self, now: datetime) -> bool:
        """Whether it is still there."""
        realised, days = now - timedelta(hours=self.hours), TRAIT_DAYS[self.trait]
        if self.quiet_days >= PROFILE_DAYS:
            return False
        if days == 1:
            return now.date() < realised.date() + timedelta(days=2)
        return days == 0 or now - realised < timedelta(days=days)


def traits_of(person: Person, held: list[Held], now: datetime) -> frozenset[int]:
    """The traits of the id that is exactly the person's."""
    mine = person.values.get("crmid")
    return frozenset(one.trait for one in held if one.identifier == mine and one.counts(now))


OPPOSITE = {
    "not_equals": "equals",
    "does_not_contain": "contains",
    "is_not_one_of": "is_one_of",
    "is_absent": "is_present",
}


@dataclass(frozen=True)
class Person:
    """``values`` lacks what is not known; of personal data only whether it is there matters."""

    number: int
    values: Mapping[str, Value] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    uploads: frozenset[str] = frozenset()
    traits: frozenset[int] = frozenset()


def holds(rule: Any, person: Person, segments: Mapping[str, Any], today: date) -> bool:
    """Whether the rule is true for the person. ``segments``: name → rule."""
    if "attribute" in rule:
        return _has(rule, person, today)
    ((kind, body),) = rule.items()
    match kind:
        case "all":
            return all(holds(part, person, segments, today) for part in body)
        case "any":
            return any(holds(part, person, segments, today) for part in body)
        case "not":
            return not holds(body, person, segments, today)
        case "source":
            return body in person.sources
        case "upload":
            return body in person.uploads
        case "trait":
            return body in person.traits
        case "segment":
            return holds(segments[body], person, segments, today)
    raise AssertionError(kind)


def _has(leaf: Mapping[str, Any], person: Person, today: date) -> bool:
    operator = leaf["operator"]
    if operator in OPPOSITE:
        return not _has({**leaf, "operator": OPPOSITE[operator]}, person, today)
    if leaf["attribute"] not in person.values:
        return False
    if operator == "is_present":
        return True
    kind, mine = TYPES[leaf["attribute"]], person.values[leaf["attribute"]]
    if operator == "in_the_last_days":
        day = mine.date() if isinstance(mine, datetime) else mine
        assert isinstance(day, date)
        return today - timedelta(days=leaf["value"] - 1) <= day <= today
    if operator == "is_one_of":
        return any(_compare("equals", kind, mine, one) for one in leaf["value"])
    if operator == "between":
        low, high = leaf["value"]
        return _compare("at least", kind, mine, low) and _compare("at most", kind, mine, high)
    return _compare(operator, kind, mine, leaf["value"])


def _compare(operator: str, kind: str, mine: Any, theirs: Any) -> bool:
    if kind in ("text", "identifier", "country"):
        return _compare_text(operator, kind, mine, theirs)
    if kind == "number":
        theirs = Decimal(str(theirs))
    elif kind in ("date", "datetime"):
        is_day = len(theirs) == 10
        theirs = date.fromisoformat(theirs) if is_day else datetime.fromisoformat(theirs)
        mine = mine.date() if kind == "datetime" and is_day else mine
    match operator:
        case "equals" | "is":
            return bool(mine == theirs)
        case "greater" | "after":
            return bool(mine > theirs)
        case "greater_or_equal" | "on_or_after" | "at least":
            return bool(mine >= theirs)
        case "less" | "before":
            return bool(mine < theirs)
        case "less_or_equal" | "on_or_before" | "at most":
            return bool(mine <= theirs)
    raise AssertionError(operator)


def _compare_text(operator: str, kind: str, mine: str, theirs: str) -> bool:
    theirs = unicodedata.normalize("NFC", theirs)
    if operator == "equals":
        theirs = COUNTRIES[theirs] if kind == "country" else theirs.strip()
    if kind != "identifier":
        mine, theirs = small(mine), small(theirs)
    match operator:
        case "equals":
            return mine == theirs
        case "contains":
            return theirs in mine
        case "starts_with":
            return mine.startswith(theirs)
        case "ends_with":
            return mine.endswith(theirs)
    raise AssertionError(operator)


def small(text: str) -> str:
    """Letter by letter: a sigma at a word's end is a sigma, and a dotted capital I is an i."""
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)
