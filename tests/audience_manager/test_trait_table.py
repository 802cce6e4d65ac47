"""Traits as a CSV table: what was written is read, and a table with a mistake creates nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.audience_manager.trait_table import read_table, write_table
from ingest_core.audience_manager.traits import Trait
from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20)
TRAITS = st.builds(
    Trait,
    trait_id=st.integers(1, 10**18 - 1),
    name=TEXT,
    dpid=st.integers(1, 10**9),
    type=st.sampled_from(["onboarded", "rule_based", "folder"]),
    rule=st.none() | TEXT,
    ttl_days=st.integers(0, 36_500),
    integration_code=st.none() | TEXT,
    folder=st.none() | TEXT,
    description=st.none() | TEXT,
)


@given(st.lists(TRAITS, max_size=5))
def test_what_was_written_is_read(traits):
    assert [trait for _, trait in read_table(write_table(traits))] == traits


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        opened.sources.add("Source", kind="data_source", dpid=21, id_type="cross_device")
        yield opened


def test_traits_are_created_with_the_next_free_ids(workspace):
    workspace.audience.traits.add("First", 21, trait_id=7, integration_code="A")
    table = 'name,dpid,rule,trait_id,ttl_days\nSecond,21,"a == ""b""",,\n"Third, too",21,,5,0\n'
    assert workspace.audience.traits.load_table(table, is_dry_run=True) == 2
    assert len(workspace.audience.traits.list()) == 1
    assert workspace.audience.traits.load_table(table) == 2
    found = {trait.trait_id: trait for trait in workspace.audience.traits.list()}
    assert (found[8].name, found[8].rule, found[8].ttl_days) == ("Second", 'a == "b"', 120)
    assert (found[5].name, found[5].ttl_days) == ("Third, too", 0)


@pytest.mark.parametrize(
    ("table", "code", "line"),
    [
        ("name\nA\n", "bad_trait_table", 1),
        ("name,dpid,colour\nA,21,red\n", "bad_trait_table", 1),
        ("name,dpid\nA,21\nB\n", "bad_trait_table", 3),
        ("name,dpid\nA,many\n", "bad_trait_table", 2),
        ("name,dpid\nA,21\nB,22\n", "unknown_data_source", 3),
        ("name,dpid,trait_id\nA,21,4\nB,21,4\n", "trait_exists", 3),
        ("name,dpid,integration_code\nA,21,x\nB,21,x\n", "integration_code_taken", 3),
        ("name,dpid,rule\nA,21,NOT a == 1\n", "rule_matches_empty", 2),
        (f"name,dpid\n{'A' * 256},21\n", "bad_name", 2),
    ],
)
def test_a_table_with_a_mistake_creates_nothing_and_says_the_line(workspace, table, code, line):
    with pytest.raises(OnrampError) as caught:
        workspace.audience.traits.load_table(table)
    assert (caught.value.code, caught.value.facts["line"]) == (code, line)
    assert workspace.audience.traits.list() == []
