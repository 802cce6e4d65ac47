"""Messages with macros: rendered for one person, masked unless revealed, with who would miss a value."""

from __future__ import annotations

import json

import pytest

from ingest_core.errors import OnrampError

COLUMNS = {"crmid": "crmid", "first_name": "first_name", "city": "city"}
PEOPLE = "crmid\tfirst_name\tcity\nK1\tAnna\tRome\nK2\t\tOslo\nK3\tCleo\t\nK4\t\t{{FIRST_NAME}}\n"


@pytest.fixture
def macros(kernel):
    kernel.workspace.attributes.change("city", segment="CITY")
    kernel.load(PEOPLE, COLUMNS)
    kernel.workspace.segments.add("NOT_ROME", {"attribute": "city", "operator": "not equals", "value": "Rome"})
    return kernel.workspace.macros


def refused(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def audited(kernel):
    with kernel.workspace.engine.session() as session:
        return session.rows("SELECT actor, object, detail FROM audit WHERE action = 'reveal'")


def test_a_message_is_rendered_for_the_first_person_masked(macros, kernel):
    made = macros.preview("Hi {{FIRST_NAME}}, how is {{ CITY }}? {{FIRST_NAME}}!")
    assert made == {
        "text": "Hi A•••, how is Rome? A•••!",
        "parts": [
            {"text": "Hi ", "macro": None}, {"text": "A•••", "macro": "FIRST_NAME"},
            {"text": ", how is ", "macro": None}, {"text": "Rome", "macro": "CITY"},
            {"text": "? ", "macro": None}, {"text": "A•••", "macro": "FIRST_NAME"}, {"text": "!", "macro": None},
        ],
        "profile_id": "1-2", "segment": None, "members": 4, "unknown": [],
        "macros": [
            {"macro": "FIRST_NAME", "attribute": "first_name", "display_name": "First name", "missing": 2},
            {"macro": "CITY", "attribute": "city", "display_name": "City", "missing": 1},
        ],
    }  # fmt: skip
    assert audited(kernel) == []


def test_of_a_segment_its_first_person_and_its_missing_values_are_shown(macros):
    made = macros.preview("Hi {{FIRST_NAME}}", segment="NOT_ROME")
    assert (made["text"], made["profile_id"], made["members"]) == ("Hi ", "1-3", 3)
    assert made["parts"][1] == {"text": "", "macro": "FIRST_NAME"}
    assert made["macros"][0]["missing"] == 2


def test_a_person_can_be_chosen_and_revealed_which_is_on_the_audit_log(macros, kernel):
    assert macros.preview("Hi {{FIRST_NAME}}", by=("crmid", "K3"))["text"] == "Hi C•••"
    made = macros.preview("Hi {{FIRST_NAME}} of {{CITY}}", by=("crmid", "K3"), reveal=True)
    assert (made["text"], made["profile_id"]) == ("Hi Cleo of ", "1-4")
    ((actor, who, detail),) = audited(kernel)
    assert (actor, who) == ("asha", "1-4")
    assert json.loads(detail) == {"by": "message", "macros": ["CITY", "FIRST_NAME"]}


def test_after_the_first_person_come_the_others_and_then_the_first_again(macros):
    made = [macros.preview("{{CITY}}", segment="NOT_ROME", nth=nth)["profile_id"] for nth in (1, 2, 3, 4)]
    assert made == ["1-3", "1-4", "1-5", "1-3"]


def test_missing_values_are_counted_for_everybody_and_every_segment(macros, kernel):
    kernel.workspace.segments.add("NOBODY", {"any": []})
    assert macros.missing("Hi {{FIRST_NAME}} of {{CITY}}, {{SHOE_SIZE}} {{CITY}}") == [
        {"segment": None, "members": 4, "without": 3, "macros": {"FIRST_NAME": 2, "CITY": 1}},
        {"segment": "NOBODY", "members": 0, "without": 0, "macros": {"FIRST_NAME": 0, "CITY": 0}},
        {"segment": "NOT_ROME", "members": 3, "without": 3, "macros": {"FIRST_NAME": 2, "CITY": 1}},
    ]
    assert macros.missing("Hello")[0] == {"segment": None, "members": 4, "without": 0, "macros": {}}


def test_a_segment_that_cannot_be_used_has_no_missing_values(macros, kernel):
    attributes = kernel.workspace.attributes
    attributes.add("amount", "number", segment="AMOUNT")
    kernel.workspace.segments.add("RICH", {"attribute": "AMOUNT", "operator": "greater", "value": 1})
    attributes.change("amount", type="string")
    assert [one["segment"] for one in macros.missing("{{CITY}}")] == [None, "NOT_ROME"]


def test_a_value_is_never_taken_for_a_macro(macros):
    assert macros.preview("{{CITY}}", by=("crmid", "K4"))["text"] == "{{FIRST_NAME}}"


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{{FIRSTNAME}}", [{"macro": "FIRSTNAME", "suggestions": ["FIRST_NAME"]}]),
        ("{{first_name}}", [{"macro": "first_name", "suggestions": ["FIRST_NAME"]}]),
        ("{{SHOE_SIZE}} {{SHOE_SIZE}}", [{"macro": "SHOE_SIZE", "suggestions": []}]),
        ("{{}}", [{"macro": "", "suggestions": []}]),
        ("{CITY} {{CITY} {{ {{", []),
    ],
)
def test_what_is_no_macro_stays_as_it_is_and_is_named(macros, text, unknown):
    made = macros.preview(text)
    assert made["text"] == text
    assert made["unknown"] == unknown
    assert made["macros"] == []


def test_a_message_for_nobody_has_no_text_and_still_its_macros(macros, kernel):
    kernel.workspace.segments.add("NOBODY", {"any": []})
    made = macros.preview("Hi {{CITY}}", segment="NOBODY", reveal=True)
    assert (made["text"], made["parts"], made["profile_id"], made["members"]) == (None, None, None, 0)
    assert made["macros"][0]["missing"] == 0
    assert audited(kernel) == []


def test_an_empty_message_and_one_without_macros_are_messages(macros):
    assert macros.preview("")["text"] == ""
    assert macros.preview("Hello")["text"] == "Hello"


def test_what_cannot_be_shown_is_refused(macros):
    assert refused(macros.preview, "x" * 100_001) == "message_too_long"
    assert refused(macros.missing, "x" * 100_001) == "message_too_long"
    assert refused(macros.preview, "x", segment="NONE_SUCH") == "no_such_segment"
    assert refused(macros.preview, "x", by=("crmid", "K9")) == "no_such_profile"
    assert refused(macros.preview, "x", by=("city", "Rome")) == "not_an_identifier"


def test_macros_are_listed_by_name(macros):
    listed = macros.list()
    assert [one["macro"] for one in listed] == sorted(one["macro"] for one in listed)
    assert {"macro": "CITY", "attribute": "city", "display_name": "City"} in listed
