"""What a destination is told: everything, or what changed since it was told last."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.exporting import Told, export_rows, remember
from ingest_core.workspace import Workspace

SETS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.sets(st.integers(1, 4), min_size=1).map(sorted).map(tuple)
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.open(tmp_path_factory.mktemp("exports") / "home", user="tests") as opened:
        yield opened


@settings(deadline=None, max_examples=30)
@given(st.lists(SETS, min_size=1, max_size=4))
def test_who_adds_and_removes_what_is_told_knows_everything(workspace, states):
    """The receiver of iterative runs, the first of which is a full one, ends with the state of the sender."""
    with workspace.engine.session() as session:
        remember(session, "partner", {})
        known: dict[str, set[int]] = {}
        for state in states:
            rows = export_rows(session, "partner", "iter", state)
            remember(session, "partner", state)
            for row in rows:
                known[row.id] = (known.get(row.id, set()) | set(row.added)) - set(row.removed)
            assert {one: held for one, held in known.items() if held} == {one: set(held) for one, held in state.items()}
        assert export_rows(session, "partner", "iter", states[-1]) == []
        assert [row.id for row in export_rows(session, "partner", "full", states[-1])] == sorted(states[-1])


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Told("u", (1, 2)), "u 1,2"),
        (Told("u", (1,), (2, 3)), "u 1 2,3"),
        (Told("u", (), (24,)), "u  24"),
    ],
)
def test_a_row_has_the_id_and_its_lists(row, text):
    assert str(row) == text


def test_destinations_know_nothing_of_one_another(workspace):
    with workspace.engine.session() as session:
        remember(session, "one", {"u": (1,)})
        remember(session, "two", {})
        assert export_rows(session, "one", "iter", {"u": (1,)}) == []
        assert export_rows(session, "two", "iter", {"u": (1,)}) == [Told("u", (1,))]
