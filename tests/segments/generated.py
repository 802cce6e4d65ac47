"""Generated people and rules: few values, so that rules are true for some and false for others."""

from __future__ import annotations

import os
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.segments.brute import COUNTRIES, TRAIT_DAYS, TYPES, Held, Person
from tests.segments.stage import MOMENT, SOURCES

FACTOR = float(os.environ.get("PROPERTY_FACTOR", "1"))
"""More examples for a long hunt: PROPERTY_FACTOR=50 PROPERTY_SEEDED=0 pytest tests/segments"""


def judged(examples: int) -> settings:
    """The same examples every time, unless hunted."""
    return settings(
        max_examples=max(1, round(examples * FACTOR)),
        derandomize=os.environ.get("PROPERTY_SEEDED", "1") == "1",
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


LETTERS = "aAbß ẞSsİiıIéÉΣσς%_\\'\"?東"
TODAY = MOMENT.date()
DAYS = [TODAY + timedelta(days=days) for days in (-400, -31, -30, -29, -2, -1, 0, 1, 400)] + [date(1000, 1, 1)]
TIMES = [time(0), time(12, 30), time(23, 59, 59)]
MOMENTS = [datetime.combine(day, time) for day in DAYS for time in TIMES]
MOMENTS += map(datetime.fromisoformat, ["2027-03-01 12:30:00.000001", "9999-12-31 23:59:59.999999"])
NUMBERS = [
    Decimal(text) for text in ("0", "-0.0000000001", "0.1", "1", "2.5", "100", "-7", "9999999999999999999999999999")
]
WHOLE = [0, 1, -1, 2, 100, 2**53 + 1, 2**63 - 1, -(2**63)]


def words(most: int = 6) -> st.SearchStrategy[str]:
    """Texts as the product would store them: NFC, trimmed, not empty."""
    free = st.text(st.sampled_from(LETTERS + "\u0301"), min_size=1, max_size=most)
    normal = free.map(lambda text: unicodedata.normalize("NFC", text).strip()).filter(bool)
    return st.one_of(st.sampled_from(["Rome", "rome", "ROME", "Roma", "new rome"]), normal)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "crmid": st.sampled_from(["User1", "USER1", "user1", "u"]),
    "NICK": words(),
    "home": st.sampled_from(["DE", "FR", "IT"]),
    "site": st.sampled_from(["https://a.example/X", "https://a.example/x", "http://b.example"]),
    "amount": st.sampled_from(NUMBERS),
    "visits": st.sampled_from(WHOLE),
    "birthday": st.sampled_from(DAYS),
    "seen": st.sampled_from(MOMENTS),
    "vip": st.booleans(),
    "email": st.just("there"),
    "secret": st.just("there"),
}


@st.composite
def persons(draw: st.DrawFn, uploads: list[str]) -> list[Person]:
    """A few people, each value known or not."""
    count = draw(st.integers(0, 8))
    return [
        Person(
            number,
            {name: draw(values) for name, values in VALUES.items() if draw(st.booleans())},
            draw(st.frozensets(st.sampled_from(SOURCES))),
            draw(st.frozensets(st.sampled_from(uploads))),
        )
        for number in range(1, count + 1)
    ]


def holdings() -> st.SearchStrategy[list[Held]]:
    """What files gave to ids, each pair once; about the ends of all that ends."""
    hours = st.sampled_from([0, 1, 24, 25, 47, 48, 120 * 24 - 1, 120 * 24, 1000 * 24])
    quiet = st.sampled_from([0, 719, 720])
    one = st.builds(Held, VALUES["crmid"], st.sampled_from(sorted(TRAIT_DAYS)), hours, quiet)
    return st.lists(one, max_size=6, unique_by=lambda held: (held.identifier, held.trait)).map(_one_silence)


def _one_silence(held: list[Held]) -> list[Held]:
    """An id was last seen at one moment."""
    quiet: dict[str, int] = {}
    return [
        Held(one.identifier, one.trait, one.hours, quiet.setdefault(one.identifier, one.quiet_days)) for one in held
    ]


def _written(value: Any) -> st.SearchStrategy[Any]:
    """A value as people write it in JSON."""
    if isinstance(value, datetime):
        return st.sampled_from([value.isoformat(" "), value.isoformat()])
    if isinstance(value, date):
        return st.just(value.isoformat())
    if isinstance(value, Decimal):
        exact = [float(value)] if Decimal(str(float(value))) == value and abs(value) < 10**15 else []
        return st.sampled_from([format(value, "f"), *exact])
    return st.just(value)


def _one(name: str) -> st.SearchStrategy[Any]:
    if name == "home":
        return st.sampled_from(sorted(COUNTRIES))
    values = VALUES[name]
    if name == "seen":
        values = st.one_of(values, st.sampled_from(DAYS))
    return values.flatmap(_written)


def _part(name: str) -> st.SearchStrategy[str]:
    """Something to search a text for."""
    part = words(3) if name == "NICK" else st.sampled_from(["e", "E", "us", "1", "D", "https", "/X", "exam"])
    return st.one_of(part, st.sampled_from([" ", "%", "_"]).flatmap(lambda sign: part.map(lambda text: sign + text)))


def _between(name: str) -> st.SearchStrategy[list[Any]]:
    values = st.sampled_from(DAYS) if name == "seen" else VALUES[name]
    return (
        st.lists(values, min_size=2, max_size=2)
        .map(sorted)
        .map(lambda pair: [one.isoformat() if isinstance(one, date) else str(one) for one in pair])
    )


@st.composite
def _leaf(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(TYPES)))
    kind = TYPES[name]
    presence = ["is_present", "is_absent"]
    text = ["contains", "does_not_contain", "starts_with", "ends_with"]
    same = ["equals", "not_equals"]
    order = {
        "number": ["greater", "greater_or_equal", "less", "less_or_equal"],
        "date": ["before", "on_or_before", "after", "on_or_after"],
    }
    many = ["is_one_of", "is_not_one_of"]
    when = [*order["date"], *same, "between", "in_the_last_days"]
    operators = {
        "personal": [],
        "boolean": ["is"],
        "number": [*order["number"], *same, *many, "between"],
        "date": [*when, *many],
        "datetime": when,
    }.get(kind, [*text, *same, *many])
    operator = draw(st.sampled_from([*operators, *presence]))
    leaf = {"attribute": name, "operator": operator}
    if operator in presence:
        return leaf
    if operator in text:
        values = _part(name)
    elif operator in many:
        values = st.lists(_one(name), min_size=1, max_size=4)
    elif operator == "between":
        values = _between(name)
    elif operator == "in_the_last_days":
        values = st.sampled_from([1, 2, 30, 31, 400, 36_500])
    else:
        values = _one(name)
    return {**leaf, "value": draw(values)}


def rules(uploads: list[str], segments: list[str]) -> st.SearchStrategy[Any]:
    """Rule trees of at most four levels."""
    leaves = [
        _leaf(),
        _leaf(),
        st.sampled_from(SOURCES).map(lambda name: {"source": name}),
        st.sampled_from(uploads).map(lambda request_id: {"upload": request_id}),
        st.sampled_from(sorted(TRAIT_DAYS)).map(lambda trait: {"trait": trait}),
    ]
    if segments:
        leaves.append(st.sampled_from(segments).map(lambda name: {"segment": name}))
    tree: st.SearchStrategy[Any] = st.one_of(leaves)
    for _ in range(3):
        below = tree
        parts = st.lists(below, max_size=3)
        tree = st.one_of(
            below,
            parts.map(lambda found: {"all": found}),
            parts.map(lambda found: {"any": found}),
            below.map(lambda found: {"not": found}),
        )
    return tree


@st.composite
def segments_of_segments(draw: st.DrawFn, uploads: list[str]) -> dict[str, Any]:
    """Up to three segments; each may name those before it."""
    made: dict[str, Any] = {}
    for name in ["FIRST", "SECOND", "THIRD"][: draw(st.integers(0, 3))]:
        made[name] = draw(rules(uploads, list(made)))
    return made
