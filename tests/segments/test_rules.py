"""The rule tree and its one compiler: what a person wrote is bound, never SQL."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError
from ingest_core.segments.rules import compile_rule


def test_groups_nest_and_values_are_bound_in_order():
    rule = {"all": [{"source": "A"}, {"not": {"any": [{"upload": "R1"}, {"source": "B"}]}}]}
    sql, parameters = compile_rule(rule)
    assert parameters == ["A", "R1", "B"]
    assert sql.count("?") == 3
    assert "NOT (" in sql


@pytest.mark.parametrize("value", ["'; DROP TABLE profile; --", '"', "?", "%s", "{x}", "名前"])
def test_hostile_values_never_become_sql(value):
    for kind in ("source", "upload"):
        assert compile_rule({kind: value}) == (compile_rule({kind: "x"})[0], [value])


def test_empty_groups_are_everybody_and_nobody():
    assert compile_rule({"all": []}) == ("true", [])
    assert compile_rule({"any": []}) == ("false", [])


@pytest.mark.parametrize(
    "rule",
    [
        None, [], "x", 5, {}, {"all": {}}, {"all": "x"}, {"all": None}, {"any": [5]}, {"not": []}, {"not": None},
        {"source": 5},
        {"source": None}, {"upload": ["R1"]}, {"sql": "true"}, {"all": [], "any": []}, {"all": [{"all": [{"x": 1}]}]},
        {5: "x"}, {"source": "A", "not": {}},
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(InputError) as caught:
        compile_rule(rule)
    assert caught.value.code == "bad_rule"


def test_a_rule_nested_without_end_is_refused():
    rule: object = {"source": "A"}
    for _ in range(50):
        rule = {"not": rule}
    assert compile_rule(rule)[1] == ["A"]
    for _ in range(5_000):
        rule = {"not": rule}
    with pytest.raises(InputError) as caught:
        compile_rule(rule)
    assert caught.value.code == "bad_rule"
