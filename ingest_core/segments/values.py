"""The values of a rule: from JSON to canonical text of the attribute's type, and back.

Canonical text is what the profile's column is cast from, so a value reads in a rule as it reads in a file: a country
may be written out, a date is ISO. A text that is only searched for (contains, starts with, …) stays as it was typed.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.segments.operators import TEXT, Operator
from ingest_core.segments.tree import Has

MOST_VALUES = 1_000
"""Values of one list."""
MOST_DAYS = 36_500

_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
_WHOLE = ("equals", "is_one_of", "not_equals", "is_not_one_of")
"""Operators that compare a text with the whole value."""


class BadValue(ValueError):
    """What is wrong with a value, in words that go on after "the value"; never quotes it."""


def read_values(attribute: Attribute, operator: Operator, value: object) -> tuple[str, ...]:
    """The JSON ``value`` of a leaf as canonical texts. Raises ``BadValue``."""
    match operator.takes:
        case "nothing":
            if value is not None:
                raise BadValue("is not needed here: leave it out")
            return ()
        case "a list":
            if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_VALUES:
                raise BadValue(f"must be a list of 1 to {MOST_VALUES:,} values")
            return tuple(dict.fromkeys(_read(attribute, operator, one) for one in value))
        case "two values":
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise BadValue("must be a list of two, the lowest and the highest")
            low, high = (_read(attribute, operator, one) for one in value)
            if _is_above(attribute, low, high):
                raise BadValue("has its bounds in the wrong order: the lowest comes first")
            return (low, high)
        case "days":
            return (_days(value),)
        case _:
            return (_read(attribute, operator, value),)


def is_day(text: str) -> bool:
    """Whether a canonical date or moment is a day alone."""
    return _DAY.fullmatch(text) is not None


def _days(value: object) -> str:
    text = str(value) if not isinstance(value, bool) else ""
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= MOST_DAYS:
        raise BadValue(f"must be a number of days from 1 to {MOST_DAYS:,}")
    return str(int(text))


def _read(attribute: Attribute, operator: Operator, value: object) -> str:
    if isinstance(value, bool):
        if attribute.type != "boolean":
            raise BadValue(f"must be {_KIND[attribute.type]}, not true or false")
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal | date) or not str(value).strip():
        raise BadValue(f"must be {_KIND[attribute.type]}")
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    kind = attribute.type
    if kind in TEXT and operator.name not in _WHOLE:
        return _part(text)
    if kind == "datetime" and is_day(text.strip()):
        kind = "date"
    try:
        return data_type(kind).normalise(text)
    except ValueError:
        raise BadValue(f"is not {_KIND[attribute.type]}") from None


def _part(text: str) -> str:
    """A part of a text: NFC like every stored text, spaces at its ends kept (the bars keep them from being trimmed)."""
    try:
        return data_type("string").normalise(f"|{text}|")[1:-1]
    except ValueError:
        raise BadValue("is not a text that a value can hold") from None


def _is_above(attribute: Attribute, low: str, high: str) -> bool:
    if attribute.type in ("number", "integer"):
        return Decimal(low) > Decimal(high)
    days = low[:10], high[:10]  # ISO: earlier sorts first; a day alone is from its beginning to its end
    return days[0] > days[1] or (days[0] == days[1] and not is_day(low) and not is_day(high) and low > high)


def shown_value(leaf: Has) -> dict[str, Any]:
    """{"value": …} of a leaf as JSON, reading back as the same; {} where the operator takes none."""
    values = [_shown(leaf, text) for text in leaf.values]
    match leaf.operator.takes:
        case "nothing":
            return {}
        case "a list" | "two values":
            return {"value": values}
        case _:
            return {"value": values[0]}


def _shown(leaf: Has, text: str) -> str | int | float | bool:
    """A number as JSON has it where that says the same."""
    if leaf.operator.takes == "yes or no":
        return text == "true"
    if leaf.operator.takes == "days" or leaf.attribute.type == "integer":
        return int(text)
    if leaf.attribute.type != "number":
        return text
    number = Decimal(text)
    if number == int(number):
        return int(number)
    return float(number) if Decimal(repr(float(number))) == number else text


_KIND = {
    "string": "a text",
    "url": "a web address",
    "country": "a country, such as DE or Germany",
    "currency": "a currency code, such as EUR",
    "number": "a number",
    "integer": "a whole number",
    "date": "a date such as 2027-01-31",
    "datetime": "a date, or a date and time such as 2027-01-31 14:30",
    "boolean": "true or false",
}
