"""How conditions begin and change while they are clicked together; no page is needed for it."""

from __future__ import annotations

from datetime import date, time

import pytest

from pages.ui import rule_values
from pages.ui.rule_choices import Choices, is_unfinished, new_condition, subject_of, told, with_operator


def field(name, kind, operators, *, pii=False):
    return {
        "attribute": name, "display_name": name.title(), "type": kind, "pii": pii, "identifier": None,
        "operators": [{"name": one, "words": one, "takes": takes} for one, takes in operators],
    }  # fmt: skip


TEXT = [("equals", "a value"), ("is_one_of", "a list"), ("is_present", "nothing")]
FIELDS = {
    "city": field("city", "string", TEXT), "town": field("town", "string", TEXT),
    "email": field("email", "email", [("is_present", "nothing")], pii=True),
    "vip": field("vip", "boolean", [("is", "yes or no")]),
}  # fmt: skip
CHOICES = Choices(FIELDS, ["CRM"], ["COOKS"], {"R1": "a.tsv"})
CITY = {"attribute": "city", "operator": "equals", "value": "Rome"}


def test_attributes_come_by_name_and_then_what_people_belong_to():
    assert list(CHOICES.subjects()) == [
        "attribute:city", "attribute:email", "attribute:town", "attribute:vip", "source", "segment", "upload",
        "trait",
    ]  # fmt: skip


def test_attributes_of_one_display_name_are_told_apart():
    same = {name: {**FIELDS[name], "display_name": "Place"} for name in ("city", "town")}
    assert list(Choices(same, [], [], {}).subjects().values())[:2] == ["Place (city)", "Place (town)"]


@pytest.mark.parametrize(
    ("part", "subject"),
    [
        (CITY, "attribute:city"), ({"attribute": ""}, None), ({"source": ""}, "source"), ({"upload": "R1"}, "upload"),
        ({"what": 1}, None), ("x", None),
    ],
)  # fmt: skip
def test_a_condition_is_about_one_thing(part, subject):
    assert subject_of(part) == subject


@pytest.mark.parametrize(
    ("subject", "before", "after"),
    [
        ("attribute:town", CITY, {"attribute": "town", "operator": "equals", "value": "Rome"}),
        ("attribute:email", CITY, {"attribute": "email", "operator": "is_present"}),
        ("attribute:vip", CITY, {"attribute": "vip", "operator": "is", "value": True}),
        ("attribute:city", {"source": "CRM"}, {"attribute": "city", "operator": "equals"}),
        ("source", CITY, {"source": ""}), (None, CITY, {"attribute": ""}),
    ],
)  # fmt: skip
def test_about_something_else_a_condition_keeps_what_means_the_same(subject, before, after):
    assert new_condition(subject, CHOICES, before) == after


@pytest.mark.parametrize(
    ("took", "takes", "value", "kept"),
    [
        ("a value", "a list", "Rome", ["Rome"]), ("a list", "a value", ["Rome", "Oslo"], "Rome"),
        ("a value", "nothing", "Rome", None), ("nothing", "a value", None, None), ("a value", "days", 5, None),
        ("nothing", "yes or no", None, True), ("a value", "a value", "Rome", "Rome"), ("a value", "a list", None, None),
        ("two values", "two values", [1, 2], [1, 2]),
    ],
)  # fmt: skip
def test_another_operator_keeps_the_value_as_far_as_it_can_take_it(took, takes, value, kept):
    made = with_operator({"attribute": "city", "operator": "old", "value": value}, "new", took, takes)
    assert made == {"attribute": "city", "operator": "new", **({} if kept is None else {"value": kept})}


@pytest.mark.parametrize(
    ("part", "takes", "answer"),
    [
        ({"attribute": ""}, None, True), ({"source": ""}, None, True), ({"source": "CRM"}, None, False),
        (CITY, "a value", False), ({**CITY, "value": ""}, "a value", True), ({**CITY, "value": []}, "a list", True),
        ({**CITY, "value": [1, None]}, "two values", True), ({"attribute": "city"}, "nothing", False),
        ("x", None, False),
    ],
)  # fmt: skip
def test_what_is_not_finished_is_no_mistake(part, takes, answer):
    assert is_unfinished(part, takes) is answer


def test_the_next_move_is_one_of_the_screen():
    problem = {"what": "there is no such source", "code": "no_such_source", "hint": "See the names with: source list"}
    assert told(problem) == "There is no such source. Choose a source from the list of sources."
    assert told({**problem, "hint": "Did you mean CRM?"}) == "There is no such source. Did you mean CRM?"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("-7", -7), ("0", 0), ("007", "007"), ("1.5", 1.5), ("1.50", "1.50"), ("1e3", "1e3"), ("", ""),
        ("9" * 15, int("9" * 15)), ("9" * 16, "9" * 16), ("0.1", 0.1), ("much", "much"), ("١", "١"),
    ],
)  # fmt: skip
def test_a_number_is_one_in_the_rule_only_where_it_reads_as_it_was_typed(text, value):
    assert rule_values._number(text) == value


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", (date(2027, 1, 31), None)), ("2027-01-31 14:30", (date(2027, 1, 31), time(14, 30))),
        ("2027-01-31 14:30:05", None), ("1.2.2027", None), (5, None), ("0001-01-01", None),
    ],
)  # fmt: skip
def test_a_moment_that_the_inputs_cannot_show_stays_text(text, moment):
    assert rule_values._moment(text) == moment
