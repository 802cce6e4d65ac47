"""Drafts: kept encrypted, because before a mapping exists everything may be PII."""

from __future__ import annotations

import pytest

from ingest_core.errors import StateError
from ingest_core.workspace import Workspace

SECRET = "priya.raman@example.in"


def test_a_draft_is_kept_over_a_restart(home):
    with Workspace.open(home) as workspace:
        draft_id = workspace.drafts.create(7)
        assert set(workspace.drafts.load(draft_id)) == {"source_id", "updated_at"}
        workspace.drafts.save(draft_id, {"cells": {"1": SECRET}, "step": 3, "source_id": 99, "updated_at": "x"})
    with Workspace.open(home) as workspace:
        found = workspace.drafts.load(draft_id)
        assert (found["cells"], found["step"], found["source_id"]) == ({"1": SECRET}, 3, 7)


def test_nothing_of_a_draft_is_on_disk_in_the_clear(home):
    with Workspace.open(home) as workspace:
        draft_id = workspace.drafts.create(None)
        for step in range(20):
            workspace.drafts.save(draft_id, {"cells": [SECRET] * 50, "step": step})
        while_open = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert "onramp.duckdb.wal" in while_open
    closed = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for name, data in (*while_open.items(), *closed.items()):
        assert SECRET.encode() not in data, name


def test_saving_twice_seals_anew(workspace):
    draft_id = workspace.drafts.create(None)

    def sealed():
        with workspace.engine.session() as session:
            return session.value("SELECT state FROM draft WHERE draft_id = ?", [draft_id])

    workspace.drafts.save(draft_id, {"step": 1})
    first = sealed()
    workspace.drafts.save(draft_id, {"step": 1})
    assert sealed() != first


def test_a_lost_draft_is_none(workspace):
    assert workspace.drafts.load("0123456789abcdef") is None
    draft_id = workspace.drafts.create(None)
    workspace.drafts.delete(draft_id)
    workspace.drafts.delete(draft_id)
    assert workspace.drafts.load(draft_id) is None
    workspace.drafts.save(draft_id, {"step": 1})
    assert workspace.drafts.load(draft_id) is None


def test_drafts_are_listed_newest_first_and_by_source(workspace):
    one, two, three = (workspace.drafts.create(source_id) for source_id in (1, 2, 1))
    workspace.drafts.save(one, {"step": 2})
    assert [row[0] for row in workspace.drafts.list()] == [one, three, two]
    assert [row[0] for row in workspace.drafts.list(2)] == [two]


def test_a_changed_draft_is_refused_in_our_words(workspace):
    one, two = workspace.drafts.create(None), workspace.drafts.create(None)
    with workspace.engine.session() as session:
        session.run(
            "UPDATE draft SET state = (SELECT state FROM draft WHERE draft_id = ?) WHERE draft_id = ?", [one, two]
        )
    with pytest.raises(StateError) as caught:
        workspace.drafts.load(two)
    assert caught.value.code == "draft_damaged"


class TestTwoWindows:
    @pytest.fixture
    def draft_id(self, workspace):
        return workspace.drafts.create(None)

    def test_a_save_over_what_was_read_gives_the_next_revision(self, workspace, draft_id):
        _, revision = workspace.drafts.read(draft_id)
        for step in range(3):
            revision = workspace.drafts.save_over(draft_id, {"step": step}, revision)
        state, now_there = workspace.drafts.read(draft_id)
        assert (state["step"], now_there) == (2, revision)

    def test_the_later_of_two_windows_is_told_and_saves_nothing(self, workspace, draft_id):
        _, revision = workspace.drafts.read(draft_id)
        workspace.drafts.save_over(draft_id, {"step": 1}, revision)
        with pytest.raises(StateError) as caught:
            workspace.drafts.save_over(draft_id, {"step": 9}, revision)
        assert caught.value.code == "draft_changed"
        assert workspace.drafts.load(draft_id)["step"] == 1

    def test_the_same_content_saved_elsewhere_counts_as_a_change(self, workspace, draft_id):
        _, revision = workspace.drafts.read(draft_id)
        workspace.drafts.save(draft_id, {})
        with pytest.raises(StateError):
            workspace.drafts.save_over(draft_id, {}, revision)

    def test_a_draft_that_was_loaded_elsewhere_is_not_made_again(self, workspace, draft_id):
        _, revision = workspace.drafts.read(draft_id)
        workspace.drafts.delete(draft_id)
        with pytest.raises(StateError) as caught:
            workspace.drafts.save_over(draft_id, {"step": 1}, revision)
        assert caught.value.code == "draft_gone"
        assert workspace.drafts.load(draft_id) is None
