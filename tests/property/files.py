"""Generated uploads: few values, so that people collide, merge, are contested and shared all the time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.property.product import FIELDS, SOURCES
from tests.property.reference import Column, Upload

FACTOR = float(os.environ.get("PROPERTY_FACTOR", "1"))
"""More examples for a long hunt: PROPERTY_FACTOR=20 PROPERTY_SEEDED=0 pytest tests/property"""


def judged(examples: int) -> settings:
    """Settings of a property test: the same examples every time, as ``make test`` must be."""
    return settings(
        max_examples=max(1, round(examples * FACTOR)),
        derandomize=os.environ.get("PROPERTY_SEEDED", "1") == "1",
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


GOOD = {
    "crmid": ["1", "2", "3", "4"],
    "email": ["a@x.com", "b@x.com", "c@x.com", "d@x.com"],
    "phone": ["+14155550100", "+14155550101", "+14155550102"],
    "device": ["dev1", "dev2", "dev3"],
    "badge": ["badge1", "badge2"],
    "first_name": ["Ann", "Bob", "Zoë"],
    "city": ["Rome", "Oslo", "Ürgüp", "rome"],
    "total": ["1", "2.5", "10", "-3"],
    "visits": ["1", "2", "30"],
    "level": ["1", "5", "-3", "gold"],
}
ODD = {
    "crmid": ["null", "000", "-1", " 2 ", "1111111111", "Ann", "ann", "NULL", "7"],
    "email": ["A@X.com", "test@x.com", "no address", "NULL", "n/a"],
    "phone": ["+1 415 555 0100", "0000000000", "12", "NULL", "none"],
    "device": ["d1", "null", "NULL", "DEV1", "9999999", " dev1"],
    "badge": ["b", "-", "NULL"],
    "first_name": ["NULL", " Ann ", "anonymous"],
    "city": ["NULL", "null", "-"],
    "total": ["x", "NULL", "1.50", "0"],
    "visits": ["1.5", "NULL", "0", "x"],
    "level": ["NULL", "silver"],
}
COMBINE = {"total": ["last", "first", "sum", "min", "max", "count"], "city": ["last", "first", "min", "max"]}
COMBINE["visits"] = COMBINE["total"]

SETS = (
    ("crmid", "email"),
    ("crmid", "email", "phone"),
    ("crmid", "email", "device", "city"),
    ("email", "phone", "device", "badge"),
    ("crmid", "email", "phone", "device", "badge"),
    ("crmid", "email", "phone", "city", "total", "visits", "first_name"),
    ("crmid", "device", "total", "city"),
    ("email", "first_name", "visits"),
    ("device",),
)


def column(name: str, *, orderless: bool = False) -> st.SearchStrategy[Column]:
    """A column with rules; ``orderless``: only rules for which the order of lines does not matter."""
    combine = COMBINE.get(name, ["last", "first"])
    if orderless:
        combine = [rule for rule in combine if rule not in ("last", "first")]
    return st.builds(
        Column,
        field=st.just(FIELDS[name]),
        blank=st.sampled_from(["keep", "keep", "clear", "NULL"]),
        conflict=st.sampled_from(["newest", "newest", "keep"]),
        combine=st.sampled_from(combine or ["last"]),
        bad_cell=st.sampled_from(["reject", "empty"]),
    )


def cell(name: str) -> st.SearchStrategy[str]:
    """Mostly good or empty, sometimes odd."""
    good, odd = st.sampled_from(GOOD[name]), st.sampled_from(ODD[name])
    return st.integers(0, 19).flatmap(lambda n: odd if n == 19 else st.just("") if n % 3 == 0 else good)


@st.composite
def line(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    kind = draw(st.integers(0, 40))
    if kind == 40:
        return draw(st.sampled_from(["", "  "]))
    cells = [draw(cell(name)) for name in names]
    if kind == 39:
        cells.append("more")
    return "\t".join(cells)


@st.composite
def upload(draw: st.DrawFn, number: int, names: tuple[str, ...], lines: int, replacing: bool = True) -> Upload:
    """One file."""
    columns = tuple(draw(column(name)) for name in names)
    modes = [None, None, None, "members", "values"] if replacing else [None]
    return Upload(
        number,
        draw(st.sampled_from(SOURCES)),
        columns,
        tuple(draw(st.lists(line(names), min_size=1, max_size=lines))),
        draw(st.sampled_from(modes)),
    )


@st.composite
def uploads(draw: st.DrawFn, most: int = 5, lines: int = 7, replacing: bool = True) -> list[Upload]:
    """A history of one workspace."""
    made = []
    for number in range(1, draw(st.integers(2, most)) + 1):
        names = draw(st.sampled_from(SETS))
        made.append(draw(upload(number, names, lines, replacing)))
    return made
