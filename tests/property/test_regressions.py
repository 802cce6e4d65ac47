"""Small histories on which product and reference once disagreed, and corners that the rules leave little room in.

A history is a list of files: rows under their header, with ``#`` options in front where needed.
"""

from __future__ import annotations

import pytest

from tests.property.product import FIELDS, Templates
from tests.property.reference import Column, Reference, Upload
from tests.property.test_folds import LIMIT, check, check_rebuild

P0, P1, P2 = (f"+1415555010{n}" for n in range(3))

HISTORIES = {
    # A new person's first line states no primary, a later line of the same file does: the first one names the person.
    "named after a floating line": ["email crmid", ["a@x.com", "a@x.com 1"]],
    "named after a floating line, linked by another": [
        "email device crmid",
        ["- dev1", "a@x.com dev1", "a@x.com - 1"],
        "device crmid",
        ["dev1 2"],
    ],
    # Contested in its file, the phone still belongs to 1 and takes the floating line home; dev2 is somebody else's.
    "home through a contested value": [
        "crmid phone",
        [f"1 {P0}"],
        "crmid phone device",
        [f"3 {P0} dev2", f"- {P0} dev2", f"1 {P0}"],
    ],
    # Person 2 is touched by a line without a primary while the same file takes the e-mail away: not unchanged.
    "touched and robbed": ["crmid email device", ["2 a@x.com dev1"], "crmid email device", ["- - dev1", "1 a@x.com -"]],
    # The badge names nobody before and after; looking at its lines again must not count person 3 as updated.
    "looked at again in vain": [
        "email phone badge",
        [f"- {P2} badge1", "d@x.com - badge1"],
        "crmid email phone",
        [f"2 - {P2}", f"3 d@x.com {P1}"],
        "phone badge",
        [f"{P1} badge1"],
    ],
    "shared by a later upload": [
        "crmid email",
        ["1 a@x.com", "2 b@x.com"],
        "email device",
        ["a@x.com dev1", "- dev1"],
        "crmid email",
        ["2 a@x.com"],
        "crmid email",
        ["3 a@x.com"],
    ],
    "two homes, then one": [
        "email device badge",
        ["- dev1 badge1", "- dev2 badge1", "- - badge1"],
        "crmid device",
        ["1 dev1", "2 dev2"],
        "crmid device",
        ["1 dev2"],
        "crmid badge",
        ["2 badge1"],
    ],
    "the stronger identifier finds an owner later": [
        "crmid device",
        ["1 dev1"],
        "email device",
        ["a@x.com dev1"],
        "crmid email",
        ["2 a@x.com"],
    ],
    "ids differ by case": ["crmid device", ["Ann dev1", "ann DEV1", "- DEV1", "- dev1"]],
}


def uploads_of(history: list) -> list[Upload]:
    """Header and rows by turns, ``-`` for an empty cell."""
    made = []
    for number, (header, rows) in enumerate(zip(history[::2], history[1::2], strict=True), 1):
        columns = tuple(Column(FIELDS[name]) for name in header.split())
        lines = []
        for row in rows:
            cells = ["" if cell == "-" else cell for cell in row.split()]
            lines.append("\t".join(cells + [""] * (len(columns) - len(cells))))
        made.append(Upload(number, "CRM", columns, tuple(lines)))
    return made


def judge(templates: Templates, uploads: list[Upload]) -> None:
    with templates.workspace(shared_limit=LIMIT) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for upload in uploads:
            check(product, reference, upload)
        check_rebuild(product, reference)


@pytest.mark.parametrize("name", HISTORIES)
def test_product_and_reference_agree(templates: Templates, name: str) -> None:
    judge(templates, uploads_of(HISTORIES[name]))


RULES = {
    "clear after value": (("last", "clear"), ["5", "", ""]),
    "value after clear": (("last", "clear"), ["", "5"]),
    "first is a clear": (("first", "clear"), ["", "5"]),
    "sum with clears": (("sum", "clear"), ["5", "", "7"]),
    "sum with a clear in front": (("sum", "clear"), ["", "7"]),
    "sum of clears": (("sum", "clear"), ["", ""]),
    "count with clears": (("count", "clear"), ["5", "", "x"]),
    "count of clears": (("count", "clear"), ["", ""]),
    "least with clears": (("min", "clear"), ["7", "", "-5", "10"]),
    "most by number, not by text": (("max", "keep"), ["7", "", "10", "9"]),
    "sum of one": (("sum", "keep"), ["2.50"]),
    "sum to nought": (("sum", "keep"), ["2.5", "-2.5"]),
    "count of one": (("count", "keep"), ["2.5"]),
}


KEEPING = ("value after clear", "first is a clear", "sum with clears", "count of clears")


@pytest.mark.parametrize(
    ("name", "conflict"), [*((name, "newest") for name in RULES), *((name, "keep") for name in KEEPING)]
)
def test_rules_of_a_column(templates: Templates, name: str, conflict: str) -> None:
    (combine, blank), cells = RULES[name]
    total = Column(FIELDS["total"], blank=blank, conflict=conflict, combine=combine)
    columns = (Column(FIELDS["crmid"]), total)
    first = Upload(1, "CRM", (Column(FIELDS["crmid"]), Column(FIELDS["total"])), ("1\t100", "2\t"))
    lines = tuple(f"{person}\t{cell}" for cell in cells for person in (1, 2, 3))
    last = Upload(
        3, "Shop", (Column(FIELDS["crmid"]), Column(FIELDS["total"], conflict="keep")), ("1\t1", "2\t1", "3\t1")
    )
    judge(templates, [first, Upload(2, "CRM", columns, lines), last])


SUMMABLE = "9" * 18


def column_of(*rules: Column) -> tuple[Column, ...]:
    return (Column(FIELDS["crmid"]), *rules)


@pytest.mark.parametrize("stored", ["newest", "keep"])
def test_a_sum_too_large_for_its_attribute_says_nothing(templates: Templates, stored: str) -> None:
    visits = FIELDS["visits"]
    judge(
        templates,
        [
            Upload(1, "CRM", column_of(Column(visits, conflict=stored)), ("1\t5", "2\t6")),
            Upload(2, "CRM", column_of(Column(visits, combine="sum")), (*[f"1\t{SUMMABLE}"] * 10, "2\t7", "3\t-1")),
            Upload(3, "CRM", column_of(Column(visits, conflict="keep")), ("1\t8", "3\t9")),
        ],
    )


def test_a_later_upload_can_always_join_two_people(templates: Templates) -> None:
    """Numbers that are summed have at most 18 digits before the decimal sign, so that sums never leave their range."""
    total = Column(FIELDS["total"], combine="sum")
    judge(
        templates,
        [
            Upload(1, "CRM", (Column(FIELDS["device"]), total), (f"dev1\t{SUMMABLE}", f"dev2\t{SUMMABLE}")),
            Upload(2, "CRM", (Column(FIELDS["crmid"]), Column(FIELDS["device"])), ("1\tdev1", "1\tdev2")),
        ],
    )


def test_a_replacement_that_takes_an_identifier_changes_the_person(templates: Templates) -> None:
    columns = (Column(FIELDS["crmid"]), Column(FIELDS["email"]))
    judge(
        templates,
        [
            Upload(1, "CRM", columns, ("1\ta@x.com", "1\tb@x.com", "2\tc@x.com")),
            Upload(2, "CRM", columns, ("1\tb@x.com", "2\tc@x.com"), "values"),
        ],
    )
