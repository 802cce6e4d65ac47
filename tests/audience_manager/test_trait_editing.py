"""Traits are changed and counted, and rules tried against unused signals."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        opened.sources.add("Source 21", kind="data_source", dpid=21, id_type="cross_device")
        opened.sources.add("Source 33", kind="data_source", dpid=33, id_type="cross_device")
        opened.audience.traits.add("Red", 21, trait_id=1, rule='colour == "red"', integration_code="R")
        opened.audience.traits.add("Named", 21, trait_id=2, folder="A/B")
        yield opened


@pytest.fixture
def editing(workspace):
    return workspace.audience.trait_editing


def ingest(workspace, number, text):
    file = MemoryFile(f"ftp_dpm_21_{1_700_000_000 + number}.sync", text.encode())
    return workspace.audience.ingest([file], BatchOptions(now()))


def test_a_changed_rule_counts_from_the_next_file_on(workspace, editing):
    ingest(workspace, 1, "u1\tcolour=red\nu2\tcolour=blue\n")
    changed = editing.change(1, {"rule": "colour = 'blue'", "ttl_days": 30})
    assert (changed.rule, changed.ttl_days, changed.name, changed.integration_code) == (
        'colour == "blue"', 30, "Red", "R",
    )  # fmt: skip
    ingest(workspace, 2, "u3\tcolour=red\nu2\tcolour=blue\n")
    assert editing.members(workspace.audience.registered()) == {1: 2}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"rule": "colour =="}, "syntax"),
        ({"rule": 'NOT a == "b"'}, "rule_matches_empty"),
        ({"ttl_days": -1}, "bad_ttl"),
        ({"name": " "}, "bad_name"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(editing, fields, code):
    before = editing.get(2)
    with pytest.raises(InputError) as caught:
        editing.change(2, fields)
    assert (caught.value.code, editing.get(2)) == (code, before)


def test_integration_codes_stay_unique_and_unknown_traits_are_told(editing):
    with pytest.raises(StateError) as caught:
        editing.change(2, {"integration_code": "R"})
    assert caught.value.code == "integration_code_taken"
    with pytest.raises(InputError) as caught:
        editing.change(99, {"name": "x"})
    assert caught.value.code == "no_such_trait"


def test_a_rule_is_tried_against_unused_signals(workspace, editing):
    ingest(workspace, 1, "u1\tsize=S,price=12\n" * 3 + "u2\tsize=M\n")
    trial = editing.try_rule("size = 's' OR price > 10", 21)
    assert (trial.rule, trial.signals, trial.pairs) == ('size == "s" OR price > 10', 6, 2)
    assert editing.try_rule('size == "S"', 33).signals == 0
