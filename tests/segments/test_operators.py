"""Every operator on every type it is for, against plain Python; and the catalogue against its documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingest_core.models import Attribute
from ingest_core.segments.operators import BY_NAME, EVERY, OPERATORS, find_operator, operators_for
from tests.segments.brute import TYPES, Person, holds
from tests.segments.stage import ATTRIBUTES, MOMENT, Stage, found

TODAY = MOMENT.date()
TEXTS = ["Rome", "ROME", "rom", "new Rome", "İI", "iI", "ΣΑΣ", "é", "100%"]
MOMENTS = ["2027-02-27 00:00:00", "2027-02-28 23:59:59", "2027-03-01 00:00:00", "2027-03-01 09:30:00"]
MOMENTS += ["2027-03-02 00:00:00"]
HAVE: dict[str, list[Any]] = {
    "crmid": TEXTS,
    "NICK": TEXTS,
    "home": ["DE", "FR"],
    "site": ["https://a.example/X", "https://a.example/x"],
    "amount": [Decimal(-1), Decimal(0), Decimal("0.1"), Decimal("0.1000000001"), Decimal(100)],
    "visits": [-(2**63), 0, 1, 2**53, 2**53 + 1, 2**63 - 1],
    "birthday": [date.fromisoformat(text[:10]) for text in MOMENTS],
    "seen": [datetime.fromisoformat(text) for text in MOMENTS],
    "vip": [True, False],
    "email": ["there"],
    "secret": ["there"],
}
ASKED: dict[str, list[Any]] = {
    **HAVE,
    "NICK": [*TEXTS, "e\u0301", "Σ", "o", " rome"],
    "home": ["Germany", "fra"],
    "amount": [0.1, "0.1000000001", -1, 100, "1e2"],
    "birthday": [text[:10] for text in MOMENTS],
    "seen": [*MOMENTS, *sorted({text[:10] for text in MOMENTS})],
}


def values_of(name: str, operator: str) -> Iterator[Any]:
    match BY_NAME[operator].takes:
        case "nothing":
            yield None
        case "days":
            yield from (1, 2, 3, 500)
        case "a list":
            yield ASKED[name][:1]
            yield ASKED[name][1:3]
        case "two values":
            for low in ASKED[name]:
                for high in ASKED[name]:
                    if _order(low) <= _order(high):
                        yield [low, high]
        case _:
            yield from ASKED[name]


def _order(value: Any) -> Any:
    return value if isinstance(value, str) and "-" in value[1:] else Decimal(str(value))


def asks() -> list[tuple[str, str]]:
    kinds = {"crmid": "string", "email": "email", "secret": "email"}
    kinds |= {name: kind for name, (kind, _) in ATTRIBUTES.items()} | {"NICK": "string"}
    return [(name, operator.name) for name in TYPES for operator in OPERATORS if kinds[name] in operator.types]


@pytest.mark.parametrize(("name", "operator"), asks())
def test_an_operator_finds_whom_its_meaning_says(stage: Stage, name: str, operator: str) -> None:
    people = [Person(number, {name: value}) for number, value in enumerate(HAVE[name], 1)] + [Person(99)]
    with stage.with_people(people, {}) as session:
        for value in values_of(name, operator):
            leaf = {"attribute": name, "operator": operator, **({} if value is None else {"value": value})}
            assert found(session, leaf) == sum(holds(leaf, person, {}, TODAY) for person in people), leaf


def attribute(kind: str, **options: Any) -> Attribute:
    return Attribute(attribute_id=1, name="x", display_name="X", type=kind, segment="X", **options)


@pytest.mark.parametrize(
    ("kind", "written", "name"),
    [
        ("string", "not equals", "not_equals"), ("string", "Is One Of", "is_one_of"), ("string", "!=", "not_equals"),
        ("string", "  DOES-NOT-CONTAIN ", "does_not_contain"), ("string", "is", "equals"),
        ("string", "isn’t", "not_equals"),
        ("number", ">=", "greater_or_equal"), ("number", "at least", "greater_or_equal"), ("integer", "<", "less"),
        ("date", "greater", "after"), ("date", "less than", "before"), ("date", ">=", "on_or_after"),
        ("datetime", "in the last n days", "in_the_last_days"), ("boolean", "equals", "is"), ("boolean", "Is", "is"),
        ("number", "has a value", "is_present"), ("email", "exists", "is_present"), ("string", "is empty", "is_absent"),
    ],
)  # fmt: skip
def test_operators_are_understood_as_people_write_them(kind: str, written: str, name: str) -> None:
    operator = find_operator(attribute(kind), written)
    assert operator is not None
    assert operator.name == name


@pytest.mark.parametrize("written", ["contain", "greater", "", "like", "; DROP TABLE profile", "in_the_last_days"])
def test_what_is_no_operator_of_a_text_is_none(written: str) -> None:
    assert find_operator(attribute("string"), written) is None


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_no_spelling_means_two_operators_of_one_type(kind: str) -> None:
    spelled: dict[str, str] = {}
    for operator in operators_for(attribute(kind)):
        for written in (operator.name, operator.name.replace("_", " ").upper(), *operator.also):
            understood = find_operator(attribute(kind), written)
            assert understood is not None
            assert understood.name == spelled.setdefault(written, operator.name)
            if written.replace(" ", "_").lower() not in BY_NAME:
                assert understood is operator, f"{written} is taken by {understood.name}"


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_of_personal_data_only_presence_can_be_asked(kind: str) -> None:
    assert [operator.name for operator in operators_for(attribute(kind, pii=True))] == ["is_present", "is_absent"]


def table() -> list[str]:
    """The table of docs/segments.md as the catalogue has it."""
    types = {
        "text": {"string", "url", "country", "currency"},
        "number": {"number", "integer"},
        "date": {"date"},
        "date and time": {"datetime"},
        "yes or no": {"boolean"},
    }
    lines = []
    for operator in OPERATORS:
        kinds = ", ".join(name for name, of in types.items() if of <= operator.types)
        kinds = "every type" if operator.types == EVERY else kinds
        without = "yes" if operator.negates else "no"
        also = ", ".join(f"`{one}`" for one in operator.also)
        lines.append(f"| `{operator.name}` | {kinds} | {operator.takes} | {operator.meaning} | {without} | {also} |")
    return lines


def test_the_documentation_has_the_catalogue(repository) -> None:
    text = (repository / "docs" / "segments.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `[a-z].+$", text, flags=re.MULTILINE)
    assert documented == table(), "\n".join(table())
