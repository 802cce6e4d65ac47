"""The operators of segment rules: one entry each. docs/segments.md shows this catalogue; a test compares the two.

``{x}`` is the person's value and ``{v}`` what it is compared with (``{v2}`` the second, ``{x2}`` the value beside it,
``{list}`` all of them), as compiling.py writes them for the attribute's type; ``{column}`` is the value as it is kept.
An operator speaks of people who have a value; whoever has none is not among them. A negative operator is the exact
opposite of its positive one, so whoever has no value is among them: *city is not Rome* and *not (city is Rome)* are the
same people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ingest_core.models import Attribute

Takes = Literal["nothing", "a value", "yes or no", "two values", "a list", "days"]

TEXT = frozenset({"string", "url", "country", "currency"})
NUMBER = frozenset({"number", "integer"})
TIME = frozenset({"date", "datetime"})
BOOLEAN = frozenset({"boolean"})
EVERY = TEXT | NUMBER | TIME | BOOLEAN | {"email", "phone"}


@dataclass(frozen=True, slots=True)
class Operator:
    """``types``: those of the attributes it is for. ``words``: how it reads after the attribute, ``{}`` its values.

    ``meaning``: of whom it is true, in words that a plain loop over people could follow. ``also``: other spellings.
    ``negates``: the operator that this one is the opposite of.
    """

    name: str
    types: frozenset[str]
    takes: Takes
    words: str
    meaning: str
    sql: str = ""
    also: tuple[str, ...] = ()
    negates: str | None = None


OPERATORS: tuple[Operator, ...] = (
    Operator(
        "equals", TEXT | NUMBER | TIME, "a value", "is {}",
        "The value is this one. Of date and time with a day alone: it is on that day.",
        "{x} = {v}", ("is", "equal", "equal to", "equals to", "is equal to", "=", "==", "on"),
    ),
    Operator(
        "not_equals", TEXT | NUMBER | TIME, "a value", "is not {}",
        "Everybody of whom *equals* is not true, people without a value too.",
        also=("is not", "not equal", "not equal to", "does not equal", "isn't", "!=", "<>", "≠", "not on"),
        negates="equals",
    ),
    Operator(
        "contains", TEXT, "a value", "contains {}",
        "This text stands somewhere in the value.",
        "contains({x}, {v})", ("includes", "has"),
    ),
    Operator(
        "does_not_contain", TEXT, "a value", "does not contain {}",
        "Everybody of whom *contains* is not true, people without a value too.",
        also=("not contains", "doesn't contain", "excludes"), negates="contains",
    ),
    Operator(
        "starts_with", TEXT, "a value", "starts with {}",
        "The value begins with this text.",
        "starts_with({x}, {v})", ("begins with",),
    ),
    Operator(
        "ends_with", TEXT, "a value", "ends with {}",
        "The value ends with this text.",
        "suffix({x}, {v})",
    ),
    Operator(
        "is_one_of", TEXT | NUMBER | {"date"}, "a list", "is one of {}",
        "The value is one of these.",
        "{x} IN ({list})", ("in", "one of", "any of", "is any of"),
    ),
    Operator(
        "is_not_one_of", TEXT | NUMBER | {"date"}, "a list", "is not one of {}",
        "Everybody of whom *is one of* is not true, people without a value too.",
        also=("not in", "none of", "is none of", "not one of"), negates="is_one_of",
    ),
    Operator(
        "greater", NUMBER, "a value", "is greater than {}",
        "The value is larger than this one.",
        "{x} > {v}", ("greater than", "is greater than", "more than", "above", ">"),
    ),
    Operator(
        "greater_or_equal", NUMBER, "a value", "is at least {}",
        "The value is this one or larger.",
        "{x} >= {v}",
        ("greater or equal to", "greater than or equal", "greater than or equal to", "at least", ">=", "≥"),
    ),
    Operator(
        "less", NUMBER, "a value", "is less than {}",
        "The value is smaller than this one.",
        "{x} < {v}", ("less than", "is less than", "fewer than", "below", "<"),
    ),
    Operator(
        "less_or_equal", NUMBER, "a value", "is at most {}",
        "The value is this one or smaller.",
        "{x} <= {v}", ("less or equal to", "less than or equal", "less than or equal to", "at most", "<=", "≤"),
    ),
    Operator(
        "before", TIME, "a value", "is before {}",
        "The value is earlier. With a day alone: it is on an earlier day.",
        "{x} < {v}", ("less", "less than", "earlier than", "<"),
    ),
    Operator(
        "on_or_before", TIME, "a value", "is on or before {}",
        "The value is this one or earlier. With a day alone: it is on that day or an earlier one.",
        "{x} <= {v}", ("less or equal", "less than or equal", "at most", "until", "<=", "≤"),
    ),
    Operator(
        "after", TIME, "a value", "is after {}",
        "The value is later. With a day alone: it is on a later day.",
        "{x} > {v}", ("greater", "greater than", "later than", ">"),
    ),
    Operator(
        "on_or_after", TIME, "a value", "is on or after {}",
        "The value is this one or later. With a day alone: it is on that day or a later one.",
        "{x} >= {v}", ("greater or equal", "greater than or equal", "at least", "since", ">=", "≥"),
    ),
    Operator(
        "between", NUMBER | TIME, "two values", "is between {}",
        "The value is not below the first and not above the second; both of them count. A day alone is the whole day.",
        "{x} >= {v} AND {x2} <= {v2}", ("is between",),
    ),
    Operator(
        "in_the_last_days", TIME, "days", "is in the last {}",
        "The value is on one of this many days of which today (UTC) is the last. Days to come are not.",
        "{x} > {v} AND {x2} <= {v2}", ("in the last n days", "in the last", "in last days", "last days", "within days"),
    ),
    Operator(
        "is", BOOLEAN, "yes or no", "is {}",
        "The value is this one, true or false.",
        "{x} = {v}", ("equals", "equal", "equal to", "=", "=="),
    ),
    Operator(
        "is_present", EVERY, "nothing", "is present",
        "There is a value.",
        "{column} IS NOT NULL", ("present", "exists", "is set", "has a value", "has value", "is not empty"),
    ),
    Operator(
        "is_absent", EVERY, "nothing", "is absent",
        "There is no value.",
        also=("absent", "not present", "is not present", "missing", "is missing", "is empty", "is not set"),
        negates="is_present",
    ),
)  # fmt: skip

BY_NAME = {operator.name: operator for operator in OPERATORS}


def operators_for(attribute: Attribute) -> tuple[Operator, ...]:
    """What can be asked of an attribute; of personal data only whether there is a value."""
    if attribute.pii:
        return (BY_NAME["is_present"], BY_NAME["is_absent"])
    return tuple(operator for operator in OPERATORS if attribute.type in operator.types)


def find_operator(attribute: Attribute, written: str) -> Operator | None:
    """The attribute's operator as a person writes it ("not equals", ">=", "Is one of"), or None."""
    key = _key(written)
    operators = operators_for(attribute)
    named = (operator for operator in operators if _key(operator.name) == key)
    spelled = (operator for operator in operators if key in map(_key, operator.also))
    return next(named, None) or next(spelled, None)


def _key(written: str) -> str:
    return re.sub(r"[\s_-]+", " ", written.replace("’", "'")).strip().casefold()
