"""Rules while they are edited: every change by path, of which what was there before knows nothing."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.segments import editing

A, B, C = {"source": "A"}, {"source": "B"}, {"source": "C"}
RULE = {"all": [A, {"not": {"any": [B, {"not": C}]}}, {"any": [C]}]}

leaves = st.sampled_from([A, B, C, {"attribute": "CITY", "operator": "is present"}])
rules = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(lambda kind, inside: {kind: inside}, st.sampled_from(["all", "any"]), st.lists(parts, max_size=4)),
        st.builds(lambda part: {"not": part}, parts),
    ),
    max_leaves=12,
)
groups = rules.map(editing.as_group)


def places(rule, path=editing.ROOT):
    """(path, part) of everything that stands in a group, as a screen walks through a rule."""
    for below, part in editing.parts_of(rule, path):
        yield below, part
        if editing.kind_of(part):
            yield from places(rule, below)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("rule", "rule"), ("rule.all[1].value", "rule.all[1]"),
        ("rule.all[1].not.any[0].operator", "rule.all[1].not.any[0]"),
        ("rule.not.source", "rule.not"), ("rule.all[3].any", "rule.all[3]"), ("rule.notes", "rule"),
        ("rule.any[12].segment", "rule.any[12]"),
    ],
)  # fmt: skip
def test_the_place_of_a_problem_is_the_part_that_it_is_in(path, part):
    assert editing.part_of(path) == part


def test_parts_are_found_by_their_path():
    assert dict(places(RULE)) == {
        "rule.all[0]": A, "rule.all[1]": RULE["all"][1], "rule.all[1].not.any[0]": B,
        "rule.all[1].not.any[1]": {"not": C}, "rule.all[2]": {"any": [C]}, "rule.all[2].any[0]": C,
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["rule.any[0]", "rule.all[3]", "rule.not", "rule.all[0].all[0]", "rule.value", "other"]
)
def test_a_place_that_is_not_there_is_a_lookup_error(path):
    with pytest.raises(LookupError):
        editing.at(RULE, path)
    with pytest.raises(LookupError):
        editing.replaced(RULE, path, A)


def test_a_part_is_added_repeated_moved_and_removed():
    assert editing.added({"all": []}, "rule", A) == {"all": [A]}
    assert editing.added(RULE, "rule.all[1]", A)["all"][1] == {"not": {"any": [B, {"not": C}, A]}}
    assert editing.repeated(RULE, "rule.all[2].any[0]")["all"][2] == {"any": [C, C]}
    assert editing.moved(RULE, "rule.all[1]", -1)["all"] == [RULE["all"][1], A, RULE["all"][2]]
    assert editing.moved(RULE, "rule.all[0]", -1) == RULE
    assert editing.moved(RULE, "rule.all[2]", 1) == RULE
    assert editing.removed(RULE, "rule.all[0]") == {"all": RULE["all"][1:]}


def test_a_group_goes_with_its_last_part_and_the_rule_itself_stays():
    assert editing.removed(RULE, "rule.all[2].any[0]") == {"all": RULE["all"][:2]}
    assert editing.removed({"all": [{"not": {"any": [{"all": [A]}]}}]}, "rule.all[0].not.any[0].all[0]") == {"all": []}
    assert editing.removed({"not": {"any": [A]}}, "rule.not.any[0]") == {"not": {"any": []}}


def test_the_opposite_of_the_opposite_is_the_part():
    once = editing.opposite(RULE, "rule.all[0]")
    assert once["all"][0] == {"not": A}
    assert editing.opposite(once, "rule.all[0]") == RULE
    assert editing.bare({"not": A}) == (A, True)
    assert editing.bare(A) == (A, False)


def test_parts_get_a_group_of_their_own_and_lose_it_again():
    made = editing.grouped(RULE, "rule.all[0]", "none")
    assert made["all"][0] == {"not": {"any": [A]}}
    assert editing.dissolved(made, "rule.all[0]") == RULE
    assert editing.dissolved(RULE, "rule.all[1]")["all"] == [A, B, {"not": C}, {"any": [C]}]


@pytest.mark.parametrize("kind", ["all", "any", "none", "not all"])
def test_a_group_counts_in_four_ways(kind):
    made = editing.regrouped(RULE, "rule.all[1]", kind)["all"][1]
    assert editing.kind_of(made) == kind
    assert [part for _, part in editing.parts_of(made, "rule")] == [B, {"not": C}]


@pytest.mark.parametrize(
    "part", [None, [], "all", {}, {"all": 1}, {"all": [], "any": []}, A, {"not": A}, {"not": {"not": {"any": []}}}]
)
def test_what_is_no_group_is_none(part):
    assert editing.kind_of(part) is None


def test_what_is_no_group_becomes_the_only_part_of_one():
    assert editing.as_group(A) == {"all": [A]}
    assert editing.as_group(RULE) is RULE


def test_conditions_come_in_their_order_without_their_not():
    assert list(editing.conditions(RULE)) == [A, B, C, C]


@given(groups, st.data())
def test_a_change_leaves_the_old_rule_and_everything_beside_it_alone(rule, data):
    before = copy.deepcopy(rule)
    found = list(places(rule))
    if found:
        path, part = data.draw(st.sampled_from(found))
        assert editing.at(rule, path) == part
        assert editing.replaced(rule, path, part) == rule
        marked = editing.replaced(rule, path, {"source": "mark"})
        assert editing.at(marked, path) == {"source": "mark"}
        assert json.dumps(marked).count('"mark"') == 1
        assert editing.replaced(marked, path, part) == rule
        assert editing.removed(editing.repeated(rule, path), path) == rule
        twice = editing.opposite(editing.opposite(rule, path), path)
        assert editing.at(twice, path) == part or editing.at(twice, path) == part["not"]["not"]  # the same people
        assert editing.dissolved(editing.grouped(rule, path, "any"), path) == rule
        here = len(list(editing.conditions(rule)))
        assert len(list(editing.conditions(editing.removed(rule, path)))) == here - len(list(editing.conditions(part)))
    assert len(list(editing.conditions(editing.added(rule, "rule", A)))) == len(list(editing.conditions(rule))) + 1
    assert rule == before
