"""Counts are kept over time: after every upload, undo and redo, in their transaction."""

from __future__ import annotations

import pytest

from ingest_core.errors import OnrampError
from ingest_core.segments import segments as functions

COLUMNS = {"crmid": "crmid"}


def people(*names):
    return "crmid\n" + "".join(f"{name}\n" for name in names)


def kept(kernel, name):
    return [(one["cause"], one["request_id"], one["count"]) for one in kernel.workspace.segments.history(name)]


def test_each_upload_undo_and_redo_leaves_a_count_of_every_segment(kernel):
    first = kernel.load(people("K1", "K2"), COLUMNS, segment="create:FIRST").request_id
    kernel.workspace.segments.add("EVERYBODY", {"all": []})
    second = kernel.load(people("K2", "K3", "K4"), COLUMNS).request_id
    kernel.workspace.undo.undo(second)
    kernel.workspace.undo.redo(second)
    assert kept(kernel, "EVERYBODY") == [
        ("added", None, 2), ("load", second, 4), ("undo", second, 2), ("redo", second, 4),
    ]  # fmt: skip
    assert kept(kernel, "FIRST") == [
        ("load", first, 2), ("load", second, 2), ("undo", second, 2), ("redo", second, 2),
    ]  # fmt: skip
    shown = kernel.workspace.segments.show("EVERYBODY")
    assert (shown["recent"], shown["change"]) == ([2, 4, 2, 4], 2)


def test_what_an_upload_did_to_the_segments_is_told_by_name(kernel):
    kernel.load(people("K1", "K2"), COLUMNS)
    kernel.workspace.segments.add("EVERYBODY", {"all": []})
    second = kernel.load(people("K2", "K3"), COLUMNS, segment="create:SECOND").request_id
    kernel.load(people("K9"), COLUMNS)
    changes = [(one.name, one.before, one.after) for one in kernel.workspace.segments.changes_by(second)]
    assert changes == [("EVERYBODY", 2, 3), ("SECOND", None, 2)]
    assert kernel.workspace.segments.changes_by("no such upload") == []


def test_a_preview_and_a_failed_upload_leave_no_count(kernel):
    kernel.load(people("K1"), COLUMNS)
    kernel.workspace.segments.add("EVERYBODY", {"all": []})
    assert kernel.preview(people("K2"), COLUMNS).status == "Completed"
    assert kernel.load("crmid\tcity\n\tRome\n", {"crmid": "crmid", "city": None}).status == "Failed"
    kernel.workspace.undo.preview(kernel.workspace.history.list()[-1].request_id)
    assert kept(kernel, "EVERYBODY") == [("added", None, 1)]


def test_what_is_said_about_a_segment_changes_no_count(kernel):
    kernel.workspace.segments.add("EVERYBODY", {"all": []})
    kernel.workspace.segments.edit("EVERYBODY", new_name="ALL_OF_THEM", tags=["x"], rule={"all": []})
    assert kept(kernel, "ALL_OF_THEM") == [("added", None, 0)]


def test_a_segment_made_by_an_undone_upload_is_away_and_its_counts_come_back_with_it(kernel):
    first = kernel.load(people("K1"), COLUMNS, segment="create:FIRST").request_id
    kernel.workspace.undo.undo(first)
    with pytest.raises(OnrampError):
        kept(kernel, "FIRST")
    kernel.workspace.undo.redo(first)
    assert kept(kernel, "FIRST") == [("load", first, 1), ("redo", first, 1)]


def test_a_segment_that_others_are_built_on_stays_without_the_undone_people(kernel):
    first = kernel.load(people("K1", "K2"), COLUMNS, segment="create:FIRST").request_id
    kernel.load(people("K3"), COLUMNS)
    kernel.workspace.segments.add("OTHERS", {"not": {"segment": "FIRST"}})
    done = kernel.workspace.undo.undo(first)
    assert [(one.name, one.before, one.after) for one in done.segments] == [("FIRST", 2, 0)]
    assert (kernel.workspace.segments.count("FIRST"), kernel.workspace.segments.count("OTHERS")) == (0, 1)
    kernel.workspace.undo.redo(first)
    assert (kernel.workspace.segments.count("FIRST"), kernel.workspace.segments.count("OTHERS")) == (2, 1)


def test_a_new_segment_never_inherits_the_counts_of_one_that_is_gone(kernel):
    kernel.workspace.segments.add("OLD", {"all": []})
    with kernel.workspace.engine.session() as session:
        session.run("DELETE FROM segment")  # as retention does with one of an undone upload
    kernel.workspace.segments.add("NEW", {"all": []})
    assert [one["cause"] for one in kernel.workspace.segments.history("NEW")] == ["added"]


def test_many_uploads_added_to_one_segment_are_one_condition(kernel):
    first = kernel.load(people("K0"), COLUMNS, segment="create:MANY").request_id
    ids = [first, *(kernel.load(people(f"K{n}"), COLUMNS, segment="add:MANY").request_id for n in range(1, 4))]
    kernel.load(people("K9"), COLUMNS)
    shown = kernel.workspace.segments.show("MANY")
    assert shown["rule"] == {"any": [{"upload": request_id} for request_id in ids]}
    assert shown["count"] == 4
    with kernel.workspace.engine.session() as session:
        condition = functions.condition_of(functions.Known.of(session), "MANY")
    assert condition.sql.count("resolution") == 1


def test_a_kill_before_the_commit_leaves_no_count(kernel, monkeypatch):
    kernel.workspace.segments.add("EVERYBODY", {"all": []})

    def fail(place, when):
        if (place, when) == ("commit", "before"):
            raise RuntimeError

    monkeypatch.setattr("ingest_core.plan.load.abort_point", fail)
    with pytest.raises(RuntimeError):
        kernel.load(people("K1"), COLUMNS)
    monkeypatch.undo()
    assert kept(kernel, "EVERYBODY") == [("added", None, 0)]
