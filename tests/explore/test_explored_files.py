"""The file that a notebook is over: it survives a restart, goes with its notebook, and never stays for nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.explore.explore import FIRST_OF_FILE
from ingest_core.explore.notebooks import ExploredFile
from ingest_core.operations import maintenance
from ingest_core.workspace import Workspace
from tests.explore.conftest import FILE


def land(workspace, text: str = FILE, name: str = "people.tsv") -> str:
    writer = workspace.landing.create(name, len(text.encode()))
    writer.write(text.encode())
    return writer.finish()


def begun(workspace, text: str = FILE, name: str = "people.tsv"):
    return workspace.explore.begin_file(name, len(text), land(workspace, text, name))


def lines(workspace, notebook, sql: str = "SELECT count(*) FROM file") -> list[list[object]]:
    session = workspace.explore.open(notebook, workspace.planner.limits())
    try:
        return session.run(sql).as_json()["rows"]
    finally:
        session.close()


def code_of(workspace, notebook) -> str:
    with pytest.raises(StateError) as caught:
        workspace.explore.open(notebook, workspace.planner.limits())
    assert "queries are" in caught.value.message
    return caught.value.code


def test_a_notebook_finds_its_file_again_after_a_restart(home):
    with Workspace.open(home) as workspace:
        notebook_id = begun(workspace).notebook_id
        nobodys = land(workspace)
    with Workspace.open(home) as workspace:
        found = workspace.explore.notebooks.load(notebook_id)
        assert (found.name, found.cells, found.file.name) == ("people.tsv", FIRST_OF_FILE, "people.tsv")
        assert nobodys not in workspace.landing.ids()
        assert lines(workspace, found) == [[4]]


def test_the_file_goes_with_its_notebook(workspace):
    found = begun(workspace)
    workspace.explore.notebooks.delete(found.notebook_id)
    workspace.explore.notebooks.delete(found.notebook_id)
    assert workspace.landing.ids() == []


def test_a_file_of_two_notebooks_stays_for_the_second(workspace):
    first = begun(workspace)
    second = workspace.explore.notebooks.create("Mine", "file", first.cells, first.file)
    workspace.explore.notebooks.delete(first.notebook_id)
    assert lines(workspace, second) == [[4]]
    workspace.explore.notebooks.delete(second.notebook_id)
    assert workspace.landing.ids() == []


def test_saving_and_renaming_keep_the_file(workspace):
    found = begun(workspace)
    workspace.explore.notebooks.save(found.notebook_id, ())
    renamed = workspace.explore.notebooks.rename(found.notebook_id, "Other")
    assert renamed.file == found.file
    assert lines(workspace, workspace.explore.notebooks.load(found.notebook_id)) == [[4]]


def test_another_file_takes_the_place_of_the_first(workspace):
    found = begun(workspace)
    landing_id = land(workspace, "a\nx\n", "other.tsv")
    changed = workspace.explore.notebooks.give_file(
        found.notebook_id, ExploredFile(name="other.tsv", size=4, landing_id=landing_id)
    )
    assert workspace.landing.ids() == [landing_id]
    assert lines(workspace, changed) == [[1]]


def test_a_file_nobody_touched_for_long_goes_and_the_queries_stay(home, monkeypatch):
    with Workspace.open(home) as workspace:
        found = begun(workspace)
    monkeypatch.setattr(maintenance, "now", lambda: now() + timedelta(days=29))
    with Workspace.open(home) as workspace:
        assert workspace.operations.maintain()["removed"]["received_files"] == 0
    monkeypatch.setattr(maintenance, "now", lambda: now() + timedelta(days=31))
    with Workspace.open(home) as workspace:
        assert workspace.operations.maintain()["removed"]["received_files"] == 1
    with Workspace.open(home) as workspace:
        kept = workspace.explore.notebooks.load(found.notebook_id)
        assert kept.cells == found.cells
        assert code_of(workspace, kept) == "explored_file_gone"


def test_a_file_that_is_missing_on_disk_is_told_not_met(workspace):
    found = begun(workspace)
    workspace.landing.delete(found.file.landing_id)
    assert code_of(workspace, found) == "explored_file_gone"


def test_the_file_is_in_a_backup(workspace, tmp_path):
    found = begun(workspace)
    out = tmp_path / "b.onramp"
    assert workspace.operations.backup(out)["received_files"] == 1
    assert workspace.operations.check_keys()["received_files"] == 1
    assert workspace.landing.ids() == [found.file.landing_id]


def test_the_file_of_an_unfinished_ingest_is_read_as_that_says(workspace):
    source = workspace.sources.add("CRM")
    draft_id = workspace.drafts.create(source.source_id)
    text = "a;b\nx;y\nz;w\n"
    workspace.drafts.save(
        draft_id, {"landing_id": land(workspace, text), "overrides": {"has_header": False, "delimiter": ";"}}
    )
    found = workspace.explore.begin_draft(draft_id, "people.csv", len(text))
    assert workspace.explore.begin_draft(draft_id, "people.csv", len(text)) == found
    assert lines(workspace, found) == [[3]]
    workspace.explore.notebooks.delete(found.notebook_id)
    assert len(workspace.landing.ids()) == 1  # it is the ingest's
    other = workspace.explore.begin_draft(draft_id, "people.csv", len(text))
    workspace.drafts.delete(draft_id)
    assert code_of(workspace, other) == "explored_file_gone"


def test_the_same_name_twice_is_told_apart(workspace):
    names = [begun(workspace, name=name).name for name in ("a.tsv", "a.tsv", "\u0007", "x" * 400)]
    assert names == ["a.tsv", "a.tsv (2)", "File", "x" * 190]


def test_profiles_are_begun_once_until_something_was_asked(workspace):
    explore = workspace.explore
    first = explore.begin_profiles()
    assert explore.begin_profiles() == first
    explore.notebooks.save(first.notebook_id, ())
    assert explore.begin_profiles().name == "Profiles (2)"
    assert lines(workspace, first, "SELECT count(*) FROM profiles") == [[0]]


def test_another_persons_file_cannot_be_taken_away(workspace):
    found = begun(workspace)
    theirs = type(workspace.explore.notebooks)(workspace.engine, workspace._keyset, workspace.landing, "ben")
    theirs.delete(found.notebook_id)
    with pytest.raises(InputError):
        theirs.give_file(found.notebook_id, ExploredFile(name="x", size=1))
    assert workspace.landing.ids() == [found.file.landing_id]
