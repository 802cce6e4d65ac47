"""States, open questions and the masked first profile of the match step."""

from __future__ import annotations

import pytest

from ingest_core.catalog.attributes import BUILT_IN
from ingest_core.models import Attribute, ColumnMapping, ColumnStatistics, Inspection, Problem, TypeContext
from pages.ui import matching

ATTRIBUTES = {
    name: Attribute(attribute_id=i, name=name, display_name=shown, type=type_, identifier=rank, pii=pii)
    for i, (name, shown, type_, rank, pii) in enumerate(BUILT_IN)
}


def column(name="c", attribute="birth_date", **more):
    return ColumnMapping(column=name, attribute=attribute, **more)


def inspection(*problems):
    return Inspection(
        file="f", size=1, sha256=None, container="plain", encoding="utf-8", encoding_evidence="", bom=False,
        delimiter="\t", quoting=False, dialect_evidence="", line_end="LF", has_header=True, header_line=1, lines=1,
        physical_lines=2, blank=0, rows=1, rejected=0, rejects_by_reason={}, is_complete=True,
        columns=(ColumnStatistics(name="c", repaired="c", type="date", filled=1, distinct=1),), problems=problems,
    )  # fmt: skip


DATES = Problem(code="ambiguous_date", message="", fix="", column="c")
COUNTRY = Problem(code=matching.NEEDS_COUNTRY, message="", fix="", column="c")


@pytest.mark.parametrize(
    ("given", "confirmed", "state"),
    [
        (column(confidence=0.98), (), "Matched"),
        (column(confidence=0.6), (), "Decide"),
        (column(confidence=0.6), ("c",), "Matched"),
        (column(attribute=None, confidence=0.0), (), "Decide"),
        (column(attribute=None, confidence=0.0), ("c",), "Skipped"),
        (column(attribute=None, confidence=1.0), (), "Skipped"),
    ],
)
def test_states(given, confirmed, state):
    assert matching.state(given, {}, confirmed) == state


def test_a_date_question_stays_open_until_a_format_is_chosen():
    found = inspection(DATES)
    assert matching.questions(found, [column()], ()) == {"c": DATES}
    assert matching.questions(found, [column()], ("c",)) == {"c": DATES}
    assert matching.questions(found, [column(format="DD/MM/YYYY")], ()) == {}
    assert matching.questions(found, [column(attribute=None)], ()) == {}


def test_a_phone_country_may_stay_open():
    assert matching.questions(inspection(COUNTRY), [column(attribute="phone")], ()) == {"c": COUNTRY}
    assert matching.questions(inspection(COUNTRY), [column(attribute="phone")], ("c",)) == {}


def test_a_mapping_needs_an_identifier_and_no_attribute_twice():
    assert not matching.has_identifier([column()], ATTRIBUTES)
    assert matching.has_identifier([column(attribute="email")], ATTRIBUTES)
    assert matching.taken_twice([column("a"), column("b")]) == ["birth_date"]


def test_labels_are_unique_where_two_attributes_share_a_display_name():
    twin = Attribute(attribute_id=99, name="town", display_name="City", type="string")
    shown = matching.labels([*ATTRIBUTES.values(), twin])
    assert (shown["city"], shown["town"], shown["crmid"]) == ("City (city)", "City (town)", "Customer ID")


def test_the_first_profile_is_masked_where_personal_and_says_what_does_not_fit():
    columns = [
        column("id", "crmid"), column("mail", "email"), column("born", "birth_date", format="DD/MM/YYYY"),
        column("town", "city", pii=True), column("skipped", None),
    ]  # fmt: skip
    row = {"id": "C1", "mail": "asha@example.com", "born": "1990", "town": "Pune", "skipped": "x"}
    shown = {
        name: (value, fits) for name, value, fits in matching.first_profile(row, columns, ATTRIBUTES, TypeContext())
    }
    assert shown["Customer ID"] == ("C1", True)
    assert "asha" not in shown["E-mail"][0]
    assert shown["Birth date"] == ("does not fit", False)
    assert "Pune" not in shown["City"][0]
    assert len(shown) == 4
