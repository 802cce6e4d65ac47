"""The rule tree: what is wrong is said with its place, names are found as people write them, nothing becomes SQL."""

from __future__ import annotations

import json

import pytest

from ingest_core.errors import InputError
from ingest_core.segments import records
from ingest_core.segments.compiling import compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.rules import MOST_CONDITIONS, as_json, parse_rule
from ingest_core.segments.values import MOST_VALUES
from ingest_core.segments.wording import in_words
from tests.segments.stage import MOMENT, SOURCES

CRM = {"source": "CRM"}


def has(attribute, operator, *value):
    return {"attribute": attribute, "operator": operator, **({"value": value[0]} if value else {})}


VIP = has("VIP", "is", True)


@pytest.fixture
def known(stage):
    with stage.with_people([], {"FIRST": CRM}) as session:
        yield Known.of(session)


def refused(rule, known):
    with pytest.raises(InputError) as caught:
        parse_rule(rule, known)
    assert caught.value.hint
    assert str(caught.value.facts["path"]) in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("rule", "code", "path"),
    [
        (None, "bad_rule", "rule"), ([], "bad_rule", "rule"), ("x", "bad_rule", "rule"), (5, "bad_rule", "rule"),
        ({}, "bad_rule", "rule"), ({"all": {}}, "bad_rule", "rule.all"), ({"all": None}, "bad_rule", "rule.all"),
        ({"any": [5]}, "bad_rule", "rule.any[0]"), ({"not": []}, "bad_rule", "rule.not"),
        ({"not": None}, "bad_rule", "rule.not"), ({"source": 5}, "bad_rule", "rule.source"),
        ({"source": True}, "bad_rule", "rule.source"), ({"upload": ["R1"]}, "bad_rule", "rule.upload"),
        ({"sql": "true"}, "bad_rule", "rule"), ({"all": [], "any": []}, "bad_rule", "rule"),
        ({"source": "CRM", "not": {}}, "bad_rule", "rule"), ({5: "x"}, "bad_rule", "rule"),
        ({"all": [CRM, {"all": [{"x": 1}]}]}, "bad_rule", "rule.all[1].all[0]"),
        ({"not": {"source": "Crn"}}, "no_such_source", "rule.not.source"),
        ({"any": [CRM, {"upload": "R1"}]}, "no_such_upload", "rule.any[1].upload"),
        ({"segment": "SECOND"}, "no_such_segment", "rule.segment"),
        ({"segment": 1}, "bad_rule", "rule.segment"),
        (has("nothing", "equals", 1), "unknown_attribute", "rule.attribute"),
        (has(7, "equals", 1), "bad_rule", "rule.attribute"),
        (has("city", "equals", "Rome"), "not_for_segments", "rule.attribute"),
        ({"all": [has("NICK", "greater", 1)]}, "bad_operator", "rule.all[0].operator"),
        (has("NICK", None, 1), "bad_operator", "rule.operator"),
        ({"attribute": "NICK"}, "bad_operator", "rule.operator"),
        (has("email", "equals", "a@x.com"), "bad_operator", "rule.operator"),
        (has("SECRET", "contains", "x"), "bad_operator", "rule.operator"),
        ({**has("NICK", "equals", "x"), "negate": True}, "bad_rule", "rule"),
        (has("NICK", "equals"), "bad_value", "rule.value"), (has("NICK", "equals", ["x"]), "bad_value", "rule.value"),
        (has("NICK", "equals", " "), "bad_value", "rule.value"),
        (has("NICK", "equals", True), "bad_value", "rule.value"),
        (has("NICK", "contains", ""), "bad_value", "rule.value"),
        (has("NICK", "contains", "\x00"), "bad_value", "rule.value"),
        (has("NICK", "equals", "\ud800"), "bad_value", "rule.value"),
        (has("NICK", "is_present", "x"), "bad_value", "rule.value"),
        (has("NICK", "is_one_of", "x"), "bad_value", "rule.value"),
        (has("NICK", "is_one_of", []), "bad_value", "rule.value"),
        (has("NICK", "is_one_of", ["x"] * (MOST_VALUES + 1)), "bad_value", "rule.value"),
        (has("NICK", "is_one_of", ["x", None]), "bad_value", "rule.value"),
        (has("HOME_COUNTRY", "equals", "Atlantis"), "bad_value", "rule.value"),
        (has("AMOUNT", "equals", "many"), "bad_value", "rule.value"),
        (has("AMOUNT", "equals", float("nan")), "bad_value", "rule.value"),
        (has("AMOUNT", "equals", float("inf")), "bad_value", "rule.value"),
        (has("AMOUNT", "equals", 1e300), "bad_value", "rule.value"),
        (has("AMOUNT", "equals", True), "bad_value", "rule.value"),
        (has("VISITS", "greater", 1.5), "bad_value", "rule.value"),
        (has("VISITS", "equals", 2**63), "bad_value", "rule.value"),
        (has("AMOUNT", "between", [1]), "bad_value", "rule.value"),
        (has("AMOUNT", "between", 5), "bad_value", "rule.value"),
        (has("AMOUNT", "between", [2, 1]), "bad_value", "rule.value"),
        (has("AMOUNT", "between", {"from": 1}), "bad_value", "rule.value"),
        (has("BIRTHDAY", "equals", "31/01/2027"), "bad_value", "rule.value"),
        (has("BIRTHDAY", "between", ["2027-02-01", "2027-01-01"]), "bad_value", "rule.value"),
        (has("BIRTHDAY", "equals", "2027-02-30"), "bad_value", "rule.value"),
        (has("LAST_SEEN", "before", "noon"), "bad_value", "rule.value"),
        (has("LAST_SEEN", "between", ["2027-02-01 12:00", "2027-02-01 11:00"]), "bad_value", "rule.value"),
        (has("LAST_SEEN", "in_the_last_days", 0), "bad_value", "rule.value"),
        (has("LAST_SEEN", "in_the_last_days", 1.5), "bad_value", "rule.value"),
        (has("LAST_SEEN", "in_the_last_days", True), "bad_value", "rule.value"),
        (has("LAST_SEEN", "in_the_last_days", 99_999), "bad_value", "rule.value"),
        (has("VIP", "is", "perhaps"), "bad_value", "rule.value"), (has("VIP", "is", 2), "bad_value", "rule.value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(known, rule, code, path):
    error = refused(rule, known)
    assert (error.code, error.facts) == (code, {"path": path})


@pytest.mark.parametrize("value", ["secret text", "31/01/2027", "4111 1111"])
def test_a_value_is_not_repeated(known, value):
    for attribute in ("AMOUNT", "BIRTHDAY", "email", "SECRET"):
        assert value not in str(refused(has(attribute, "equals", value), known).as_dict())


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ({"source": "crn"}, "Did you mean CRM?"),
        ({"segment": "FRIST"}, "Did you mean FIRST?"),
        (has("nick_name", "is present"), "Did you mean nickname?"),
        ({"source": "something else"}, "See the names with: source list"),
        (has("postal_code", "is present"), "Allow it with: attribute change postal_code --segment POSTAL_CODE"),
        (has("VIP", "contains", "x"), "Choose one of: is, is_present, is_absent."),
        (has("email", "equals", "x"), "Choose one of: is_present, is_absent."),
    ],
)
def test_the_next_move_is_named(known, rule, hint):
    assert refused(rule, known).hint == hint


def test_a_rule_nested_without_end_is_refused(known):
    rule = CRM
    for _ in range(50):
        rule = {"not": rule}
    parse_rule(rule, known)
    for _ in range(5_000):
        rule = {"not": rule}
    assert refused(rule, known).code == "bad_rule"


def test_a_rule_with_too_many_conditions_is_refused(known):
    leaf = has("VIP", "is", True)
    parse_rule({"any": [leaf] * MOST_CONDITIONS}, known)
    assert refused({"any": [leaf] * (MOST_CONDITIONS + 1)}, known).code == "rule_too_large"


def test_segments_that_double_each_other_are_refused_before_the_database_has_to_count_them(stage):
    def doubled(number):
        below = {"segment": f"S{number - 1}"}
        return {"any": [below, {"not": below}]}

    with stage.with_people([], {"S0": CRM}) as session:
        for number in range(1, 10):
            records.create(session, f"S{number}", doubled(number), "asha")
        assert refused(doubled(10), Known.of(session)).code == "rule_too_large"


@pytest.mark.parametrize("written", ["nickname", "NICKNAME", "NickName", "NICK", "nick"])
def test_an_attribute_is_found_by_its_name_and_its_segment_name_in_any_case(known, written):
    assert as_json(parse_rule(has(written, "is", "x"), known)) == has("nickname", "equals", "x")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1,234.50", 1234.5), (100.0, 100), ("0.12345678901"[:12], 0.1234567890), ("9" * 28, int("9" * 28)),
        ("0.1000000000", 0.1), ("123456789012345678.9", "123456789012345678.9"), (-0.0, 0),
    ],
)  # fmt: skip
def test_numbers_are_shown_as_json_has_them_where_that_is_the_same(known, value, shown):
    parsed = parse_rule(has("AMOUNT", "equals", value), known)
    assert as_json(parsed)["value"] == shown
    assert parse_rule(json.loads(json.dumps(as_json(parsed))), known) == parsed


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE profile; --", '"', "?", "%s", "{x}", "{v}", "{0}", "名前", "$1", "\\"]
)
def test_hostile_values_never_become_sql(known, value):
    for operator in ("equals", "contains", "not_equals", "ends_with"):
        condition, plain = (
            compile_rule(parse_rule(has("NICK", operator, text), known), MOMENT) for text in (value, "x")
        )
        assert condition.sql == plain.sql
        assert condition.parameters == (value,)
    assert in_words(parse_rule(has("NICK", "equals", value), known)) == f"Nickname is {value}"


def test_hostile_names_are_only_names(known):
    rule = {"all": [{"source": SOURCES[1]}, has("NICK", "is one of", ["a", "b"])]}
    condition = compile_rule(parse_rule(rule, known), MOMENT)
    assert condition.parameters == (2, "a", "b")
    assert condition.sql.count("?") == 3


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"all": [has("HOME_COUNTRY", "=", "IT"), has("AMOUNT", ">", 9)]}, "Home is IT and Amount is greater than 9"),
        ({"all": []}, "everybody"), ({"any": []}, "nobody"), ({"not": {"all": []}}, "not everybody"),
        ({"not": CRM}, "not in the source CRM"), ({"any": [CRM]}, "in the source CRM"),
        ({"not": {"any": [CRM, {"segment": "FIRST"}]}}, "not (in the source CRM or in the segment FIRST)"),
        ({"all": [VIP, {"any": [CRM, {"not": VIP}]}]}, "Vip is yes and (in the source CRM or not Vip is yes)"),
        ({"all": [VIP, {"any": [{"any": [CRM, VIP]}]}]}, "Vip is yes and (in the source CRM or Vip is yes)"),
        (has("AMOUNT", "between", [1, 2.5]), "Amount is between 1 and 2.5"),
        (has("LAST_SEEN", "in the last days", 30), "Seen is in the last 30 days"),
        (has("LAST_SEEN", "in the last days", 1), "Seen is in the last day"),
        (has("VIP", "is", False), "Vip is no"), (has("email", "exists"), "E-mail is present"),
        (has("NICK", "in", list("abcdefg")), "Nickname is one of a, b, c, d, e and 2 more"),
        (has("NICK", "is not one of", ["a"]), "Nickname is not one of a"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(known, rule, words):
    assert in_words(parse_rule(rule, known)) == words
