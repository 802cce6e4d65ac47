"""Rules of traits and segments: what they are true of, what is refused, and that their text can be written again."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.audience_manager.rules import (
    Comparison,
    Qualification,
    RuleTextError,
    parse_segment_rule,
    parse_trait_rule,
)
from ingest_core.audience_manager.rules.comparison import OPERATORS, ORDERS, as_number
from ingest_core.audience_manager.rules.expiry import expires_at, is_live

TODAY = date(2018, 10, 1)


def code(parse, text, *arguments):
    with pytest.raises(RuleTextError) as caught:
        parse(text, *arguments)
    return caught.value.code


@pytest.mark.parametrize(
    ("rule", "signals", "result"),
    [
        ('colour == "red"', [("COLOUR", "Red")], True),
        ("price == 100", [("price", "0100.0")], True),
        ('price == "100"', [("price", "100.0")], False),
        ("price != 100", [("price", "cheap")], True),
        ("price > 9", [("price", "10")], True),
        ("price > 9", [("price", " 10")], False),
        ("price>.5", [("price", "1")], True),
        ("price = 5 or price => 9", [("price", "5")], True),
        ('m matcheswords "pickup truck"', [("m", "A Pickup-Truck, red")], True),
        ('m matcheswords "pick"', [("m", "pickup")], False),
        ('m matcheswords "-"', [("m", "anything")], False),
        ('m matchesregex "a|b"', [("m", "B")], True),
        ('m matchesregex "a|b"', [("m", "ab")], False),
        ("m contains 'say \"hi\"'", [("m", 'they say "HI"')], True),
        ("a != 1 AND NOT b == 2", [("a", "3")], True),
        ("NOT NOT a == 1", [("a", "1")], True),
        ("contains contains contains", [("contains", "it contains")], True),
    ],
)
def test_a_trait_rule_is_true_of_the_signals_of_a_line(rule, signals, result):
    assert parse_trait_rule(rule).holds(signals) is result


def test_case_matters_where_it_is_asked_for():
    rule = parse_trait_rule('Colour == "Red"', has_case=True)
    assert rule.holds([("Colour", "Red")])
    assert not rule.holds([("colour", "Red")])
    assert not rule.holds([("Colour", "red")])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", "syntax"), ("a", "syntax"), ("a ==", "syntax"), ('"a" == 1', "syntax"), ("a == 1)", "syntax"),
        ("a == AND", "syntax"), ("AND == 1", "syntax"), ("a == 'x", "syntax"), ("a ! 1", "syntax"),
        ("123 == 1", "bad_key"), ("price!123 == 1", "bad_key"), ("-a == 1", "bad_key"), ("ä == 1", "bad_key"),
        ("a > 1e9", "numeric_literal_required"), ("a <= ''", "numeric_literal_required"),
        ("a matchesregex '['", "bad_regex"), ("a matchesregex 'a)|(b'", "bad_regex"),
        (r"a matchesregex '\Qa.b'", "bad_regex"),
        ("NOT (a == 1 AND b == 1)", "rule_matches_empty"), ("NOT a != 1", "rule_matches_empty"),
        ("(" * 200 + "a == 1" + ")" * 200, "too_deep"), ("NOT " * 5000 + "a == 1", "too_deep"),
    ],
)  # fmt: skip
def test_a_trait_rule_that_cannot_be_used_says_why(rule, expected):
    assert code(parse_trait_rule, rule) == expected


def test_an_error_says_where_it_is_and_quotes_nothing():
    with pytest.raises(RuleTextError) as caught:
        parse_trait_rule('a == "1" b == "secret"')
    assert caught.value.position == 9
    assert "at character 10" in caught.value.message
    assert "secret" not in str(caught.value.as_dict())


def traits(**given):
    return {int(name[1:]): Qualification(count, date.fromisoformat(day)) for name, (count, day) in given.items()}


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ("1T", True),
        ("9T OR 2t", True),
        ("1T AND NOT 2T", False),
        ("frequency([1T,2T]) == 3", True),
        ("frequency([1T,1T]) == 2", True),
        ("FREQUENCY([1T, 2T] <= 5D) >= 3", True),
        ("FREQUENCY([1T,2T]<=4D)>=1", True),
        ("FREQUENCY([1T]<=4D)>=1", False),
        ("FREQUENCY([1T]=>5d) >= 2", True),
        ("1T AND frequency([2T] <= 1D) <= 1", True),
    ],
)
def test_a_segment_rule_is_true_of_traits_with_their_counts_and_days(rule, result):
    held = traits(t1=(2, "2018-09-26"), t2=(1, "2018-09-30"))
    assert parse_segment_rule(rule).holds(held, TODAY) is result


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", "syntax"), ("1", "syntax"), ("T", "syntax"), ("1T 2T", "syntax"), ("frequency(1T) >= 1", "syntax"),
        ("frequency([]) >= 1", "syntax"), ("frequency([1T]) > 1", "syntax"), ("frequency([1T] == 5D) >= 1", "syntax"),
        ("frequency([1T] <= 5) >= 1", "syntax"), ("frequency([1T] <= 0D) >= 1", "bad_days"), ("1T AND -2T", "syntax"),
        ("NOT 1T", "matches_everyone"), ("1T OR NOT 2T", "matches_everyone"),
        ("frequency([1T]) <= 5", "matches_everyone"), ("frequency([1T]) >= 0", "matches_everyone"),
        (" OR ".join(f"{n}T" for n in range(5001)), "too_many_traits"),
    ],
)  # fmt: skip
def test_a_segment_rule_that_cannot_be_used_says_why(rule, expected):
    assert code(parse_segment_rule, rule) == expected


def test_an_onboarded_trait_has_neither_recency_nor_a_count():
    assert parse_segment_rule("frequency([1T,2T]) >= 1", {1}).traits == {1, 2}
    assert code(parse_segment_rule, "frequency([2T,1T] <= 5D) >= 1", {1}) == "recency_on_onboarded"
    assert code(parse_segment_rule, "2T AND frequency([1T]) == 1", {1}) == "frequency_on_onboarded"


@given(st.text(alphabet="ab1 ()\"'=<>!ANDORNTdfrequncy[],.é\n-", max_size=40))
def test_any_text_is_a_rule_or_refused(text):
    for parse in (parse_trait_rule, parse_segment_rule):
        try:
            rule = parse(text)
        except RuleTextError:
            continue
        assert parse(str(rule)) == rule


KEYS = st.sampled_from(["a", "b", "c-1"])
NUMBERS = st.integers(-3, 3).map(str) | st.sampled_from(["1.0", "2.50"])
WORDS = st.text(alphabet="abAB 1.", max_size=3)


@st.composite
def comparisons(draw):
    operator = draw(st.sampled_from([name for name in OPERATORS if name != "matchesregex"]))
    is_bare = draw(st.booleans()) if operator not in ORDERS else True
    literal = draw(NUMBERS if operator in ORDERS or is_bare else WORDS)
    text = literal if is_bare else f'"{literal}"'
    return f"{draw(KEYS)} {operator} {text}", (operator, literal, is_bare)


def rules(part):
    return st.one_of(
        st.lists(part, min_size=2, max_size=3).map(lambda parts: "(" + " OR ".join(parts) + ")"),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: "(" + " and ".join(parts) + ")"),
        part.map(lambda inside: f"NOT ({inside})"),
    )


TEXTS = st.recursive(comparisons().map(lambda one: one[0]), rules, max_leaves=6)
SIGNALS = st.lists(st.tuples(KEYS | KEYS.map(str.upper), NUMBERS | WORDS), max_size=4)


@given(TEXTS, SIGNALS)
def test_the_canonical_text_means_the_same(text, signals):
    try:
        rule = parse_trait_rule(text)
    except RuleTextError:
        assert code(parse_trait_rule, text) == "rule_matches_empty"
        return
    again = parse_trait_rule(str(rule))
    assert again == rule
    assert again.holds(signals) == rule.holds(signals)


@given(TEXTS, SIGNALS)
def test_a_rule_is_decided_by_its_comparisons_alone(text, signals):
    """So that a file can decide each comparison once for each different value."""
    try:
        rule = parse_trait_rule(text)
    except RuleTextError:
        return
    true = {one for one in rule.comparisons for key, value in signals if key.lower() == one.key and one.holds(value)}
    assert rule.holds(signals) == rule.holds_for(true.__contains__)


@given(WORDS | NUMBERS, WORDS | NUMBERS)
def test_equal_and_not_equal_are_opposites_for_one_value(value, literal):
    for is_bare in (True, False):
        same, other = (Comparison("a", operator, literal, is_bare) for operator in ("==", "!="))
        assert same.holds(value) != other.holds(value)


@pytest.mark.parametrize("text", ["1e9", "nan", "inf", "1,000", "", "5.", "+.5", "٣", "$5", "1 "])
def test_only_plain_decimals_are_numbers(text):
    assert as_number(text) is None


@pytest.mark.parametrize(
    ("realised", "days", "end"),
    [
        ("2024-03-01T01:00:00", 1, "2024-03-03T00:00:00"),
        ("2024-03-01T23:59:59", 1, "2024-03-03T00:00:00"),
        ("2024-03-01T12:30:00", 30, "2024-03-31T12:30:00"),
        ("2024-03-01T12:30:00", 0, None),
    ],
)
def test_a_trait_ends_with_its_time_to_live(realised, days, end):
    moment = datetime.fromisoformat(realised).replace(tzinfo=UTC)
    last = end and datetime.fromisoformat(end).replace(tzinfo=UTC)
    assert expires_at(moment, days) == last
    assert is_live(moment, days, moment)
    if last:
        assert not is_live(moment, days, last)
