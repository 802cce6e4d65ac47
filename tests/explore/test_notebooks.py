"""Saved notebooks: one person's, encrypted, never lost to another window."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError, StateError
from ingest_core.explore.notebooks import MOST_CELLS, Cell, Chart, Notebooks
from ingest_core.workspace import Workspace
from tests.catalog.names import KEPT, REFUSED

SECRET = "zaunkoenig.wren@example.com"
CELLS = (
    Cell(sql=f"SELECT * FROM file WHERE email = '{SECRET}'"),
    Cell(sql="SELECT city, count(*) AS n FROM file GROUP BY 1", chart=Chart(kind="bar", x="city", y="n")),
)


def test_a_notebook_is_kept_over_a_restart(home):
    with Workspace.open(home) as workspace:
        made = workspace.explore.notebooks.create("Shops", "profiles", CELLS)
    with Workspace.open(home) as workspace:
        assert workspace.explore.notebooks.load(made.notebook_id) == made
        assert [found.name for found in workspace.explore.notebooks.list()] == ["Shops"]


def test_cells_are_saved_renamed_and_deleted(workspace):
    notebooks = workspace.explore.notebooks
    made = notebooks.create("One")
    assert made.cells == (Cell(),)
    saved = notebooks.save(made.notebook_id, CELLS)
    assert saved.cells == CELLS
    assert notebooks.rename(made.notebook_id, " Two ").name == "Two"
    found = notebooks.load(made.notebook_id)
    assert (found.name, found.cells) == ("Two", CELLS)
    notebooks.delete(made.notebook_id)
    notebooks.delete(made.notebook_id)
    assert notebooks.list() == []
    with pytest.raises(InputError) as caught:
        notebooks.load(made.notebook_id)
    assert caught.value.code == "no_such_notebook"


def test_the_last_changed_one_comes_first(workspace):
    notebooks = workspace.explore.notebooks
    one, two = notebooks.create("One"), notebooks.create("Two")
    assert [found.name for found in notebooks.list()] == ["Two", "One"]
    notebooks.save(one.notebook_id, CELLS)
    assert [found.name for found in notebooks.list()] == ["One", "Two"]
    assert two.cells == notebooks.load(two.notebook_id).cells


def test_another_persons_notebook_is_not_there(workspace):
    mine = workspace.explore.notebooks
    theirs = Notebooks(workspace.engine, workspace._keyset, workspace.landing, "ben")
    made = mine.create("Mine", cells=CELLS)
    assert theirs.list() == []
    for attempt in (
        lambda: theirs.load(made.notebook_id),
        lambda: theirs.save(made.notebook_id, ()),
        lambda: theirs.rename(made.notebook_id, "Theirs"),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert caught.value.code == "no_such_notebook"
    theirs.delete(made.notebook_id)
    assert mine.load(made.notebook_id) == made


def test_put_under_another_name_in_the_database_it_does_not_open(workspace):
    theirs = Notebooks(workspace.engine, workspace._keyset, workspace.landing, "ben")
    made = workspace.explore.notebooks.create("Mine", cells=CELLS)
    with workspace.engine.session() as session:
        session.run("UPDATE notebook SET owner = 'ben'")
    with pytest.raises(StateError) as caught:
        theirs.load(made.notebook_id)
    assert caught.value.code == "notebook_damaged"
    assert theirs.list() == []


def test_nothing_of_a_notebook_is_on_disk_in_the_clear(home):
    with Workspace.open(home) as workspace:
        made = workspace.explore.notebooks.create("Kundschaft aus Zaunkoenighausen", cells=CELLS)
        for _ in range(20):
            workspace.explore.notebooks.save(made.notebook_id, CELLS)
        while_open = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    closed = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    for data in while_open + closed:
        assert SECRET.encode() not in data
        assert b"Zaunkoenighausen" not in data


def test_saving_what_another_window_changed_is_refused(workspace):
    notebooks = workspace.explore.notebooks
    made = notebooks.create("One")
    second = notebooks.save(made.notebook_id, CELLS[:1], seen=made.updated_at)
    with pytest.raises(StateError) as caught:
        notebooks.save(made.notebook_id, CELLS, seen=made.updated_at)
    assert caught.value.code == "notebook_changed"
    assert notebooks.load(made.notebook_id) == second
    assert notebooks.save(made.notebook_id, CELLS).cells == CELLS


@pytest.mark.parametrize("name", KEPT)
def test_any_visible_name_is_kept_as_typed(workspace, name):
    made = workspace.explore.notebooks.create(name, cells=[Cell(sql=name)])
    found = workspace.explore.notebooks.load(made.notebook_id)
    assert (found.name, found.cells[0].sql) == (made.name, name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_seen_is_refused(workspace, name):
    with pytest.raises(InputError) as caught:
        workspace.explore.notebooks.create(name)
    assert caught.value.code == "bad_name"
    assert workspace.explore.notebooks.list() == []


def test_a_notebook_has_a_limit(workspace):
    with pytest.raises(InputError) as caught:
        workspace.explore.notebooks.create("Long", cells=[Cell()] * (MOST_CELLS + 1))
    assert caught.value.code == "too_many_cells"
    assert len(workspace.explore.notebooks.create("Long", cells=[Cell()] * MOST_CELLS).cells) == MOST_CELLS


def test_notebooks_are_saved_while_a_load_runs(workspace):
    """A load holds the engine's write lock for minutes; saving must not wait for it."""
    import threading

    made = workspace.explore.notebooks.create("One")
    thread = threading.Thread(target=workspace.explore.notebooks.save, args=[made.notebook_id, CELLS])
    with workspace.engine.write:
        thread.start()
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert workspace.explore.notebooks.load(made.notebook_id).cells == CELLS
