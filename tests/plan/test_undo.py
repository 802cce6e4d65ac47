"""Taking an upload back: values, memberships, merges, segments, and back again."""

from __future__ import annotations

import shutil

import pytest

from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel

CRM = {"crmid": "crmid", "email": "email", "city": "city"}
FIRST = "crmid\temail\tcity\nA1\tanna@example.com\tRome\n\tben@example.com\tOslo\nA3\t\tBonn\n"
SECOND = "crmid\temail\tcity\nA1\tben@example.com\tParis\nA4\tdora@example.com\tOslo\n"


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.exit_code == 3
    return caught.value.code


def without_times(workspace):
    """What an undo may change and must bring back."""
    return workspace.digest(), [(s["name"], s["rule"], s["count"]) for s in workspace.segments.list()]


def test_undo_is_as_if_it_had_never_been_loaded_and_redo_as_if_never_undone(kernel):
    kernel.load(FIRST, CRM)
    before = without_times(kernel.workspace)
    second = kernel.load(SECOND, CRM, segment="create:TWO", replace="members").request_id
    after = without_times(kernel.workspace)
    done = kernel.workspace.undo.undo(second)
    assert without_times(kernel.workspace) == before
    assert (done.removed, done.came_apart, done.merged, done.returned) == (1, 1, 0, 0)
    assert (done.memberships_before, done.memberships_after) == (2, 3)
    assert [(s.name, s.before, s.after) for s in done.segments] == [("TWO", 2, None)]
    back = kernel.workspace.undo.redo(second)
    assert without_times(kernel.workspace) == after
    assert (back.removed, back.came_apart, back.merged, back.returned) == (0, 0, 1, 1)
    assert [(s.name, s.before, s.after) for s in back.segments] == [("TWO", None, 2)]


def test_later_uploads_keep_their_values(kernel):
    kernel.load(FIRST, CRM)
    second = kernel.load(SECOND, CRM).request_id
    kernel.load("crmid\tcity\nA1\tLyon\nA4\tNice\n", {"crmid": "crmid", "city": "city"}, "Shop")
    kernel.workspace.undo.undo(second)
    assert kernel.values("crmid", "A1") == {"crmid": "A1", "email": "anna@example.com", "city": "Lyon"}
    assert kernel.values("crmid", "A4") == {"crmid": "A4", "city": "Nice"}
    assert kernel.values("email", "ben@example.com") == {"email": "ben@example.com", "city": "Oslo"}


def test_the_upload_says_who_undid_it_and_when_until_it_is_redone(kernel):
    receipt = kernel.load(FIRST, CRM)
    kernel.workspace.undo.undo(receipt.request_id, user="carla")
    undone = kernel.workspace.history.get(receipt.request_id)
    assert (undone.badges, undone.undone_by, undone.status) == (("Undone",), "carla", "Completed")
    assert undone.undone_at is not None
    assert undone.undone_at >= receipt.finished_at
    kernel.workspace.undo.redo(receipt.request_id)
    redone = kernel.workspace.history.get(receipt.request_id)
    assert (redone.badges, redone.undone_by, redone.undone_at) == ((), None, None)
    with kernel.workspace.engine.session() as session:
        audit = session.rows("SELECT actor, action, object FROM audit ORDER BY seq")
    assert audit[-2:] == [("carla", "undo", receipt.request_id), ("asha", "redo", receipt.request_id)]


def test_a_preview_says_the_same_and_changes_nothing(kernel):
    kernel.load(FIRST, CRM)
    second = kernel.load(SECOND, CRM, segment="create:TWO").request_id
    before = without_times(kernel.workspace)
    said = kernel.workspace.undo.preview(second)
    assert without_times(kernel.workspace) == before
    assert kernel.workspace.history.get(second).undone_at is None
    done = kernel.workspace.undo.undo(second)
    assert said.model_dump(exclude={"steps"}) == done.model_dump(exclude={"steps"})


def test_undoing_a_replacement_of_values_brings_the_replaced_uploads_back(kernel):
    first = kernel.load(FIRST, CRM).request_id
    before = kernel.workspace.digest()
    second = kernel.load(SECOND, CRM, replace="values").request_id
    assert kernel.workspace.history.get(first).badges == ("Replaced",)
    done = kernel.workspace.undo.undo(second)
    assert (done.uploads_ended, done.uploads_back) == ((second,), (first,))
    assert kernel.workspace.digest() == before
    assert kernel.workspace.history.get(first).badges == ()


def test_a_replaced_upload_can_be_undone_and_stays_away_when_the_replacement_is_undone(kernel):
    first = kernel.load(FIRST, CRM).request_id
    second = kernel.load(SECOND, CRM, replace="values").request_id
    before = kernel.workspace.digest()
    assert kernel.workspace.undo.undo(first).uploads_ended == ()
    assert kernel.workspace.digest() == before
    kernel.workspace.undo.undo(second)
    assert kernel.workspace.profiles.count() == 0


def test_a_redone_upload_stays_replaced_by_a_later_replacement(kernel):
    first = kernel.load(FIRST, CRM).request_id
    kernel.workspace.undo.undo(first)
    kernel.load(SECOND, CRM, replace="values")
    before = kernel.workspace.digest()
    kernel.workspace.undo.redo(first)
    assert kernel.workspace.digest() == before
    assert kernel.workspace.history.get(first).badges == ("Replaced",)


def test_a_value_shared_by_too_many_joins_people_again_when_it_is_not_any_more(tmp_path, template, monkeypatch):
    monkeypatch.setenv("ONRAMP_SHARED_LIMIT", "2")
    (tmp_path / "files").mkdir()
    with Workspace.open(shutil.copytree(template, tmp_path / "home")) as workspace:
        kernel = Kernel(workspace, tmp_path / "files")
        columns = {"crmid": "crmid", "phone": "phone"}
        kernel.load("crmid\tphone\nA1\t+442079460001\n\t+442079460001\n", columns)
        before = workspace.digest()
        crowd = kernel.load("crmid\tphone\nB1\t+442079460001\nB2\t+442079460001\n", columns)
        assert (crowd.shared, crowd.came_apart) == (1, 1)
        done = workspace.undo.undo(crowd.request_id)
        assert (done.removed, done.merged) == (2, 1)
        assert workspace.digest() == before


def test_the_same_file_can_be_loaded_after_an_undo_and_then_the_undo_is_not_taken_back_by_accident(kernel):
    first = kernel.load(FIRST, CRM, segment="create:ONE").request_id
    kernel.workspace.undo.undo(first)
    second = kernel.load(FIRST, CRM, segment="create:ONE").request_id
    assert code_of(kernel.workspace.undo.redo, first) == "already_loaded"
    done = kernel.workspace.undo.redo(first, again=True)
    assert (done.returned, kernel.workspace.profiles.count()) == (0, 3)
    assert kernel.workspace.segments.list()[0]["rule"] == {"any": [{"upload": second}, {"upload": first}]}


def test_a_segment_others_added_to_stays_with_their_people(kernel):
    first = kernel.load(FIRST, CRM, segment="create:BOTH").request_id
    kernel.load(SECOND, CRM, segment="add:BOTH")
    assert kernel.workspace.segments.count("BOTH") == 3
    kernel.workspace.undo.undo(first)
    assert kernel.workspace.segments.count("BOTH") == 2


def test_what_cannot_be_undone_or_redone_says_why(kernel):
    failed = kernel.load("crmid\tcity\n\tRome\n", {"crmid": "crmid", "city": "city"})
    assert failed.status == "Failed"
    assert code_of(kernel.workspace.undo.undo, failed.request_id) == "nothing_to_undo"
    good = kernel.load(FIRST, CRM).request_id
    assert code_of(kernel.workspace.undo.redo, good) == "not_undone"
    kernel.workspace.undo.undo(good)
    assert code_of(kernel.workspace.undo.undo, good) == "already_undone"
    with pytest.raises(OnrampError) as caught:
        kernel.workspace.undo.undo("20260101-NOTHERE0")
    assert (caught.value.code, caught.value.exit_code) == ("no_such_upload", 2)


def test_the_log_is_read_once_and_nobody_else_is_folded(kernel):
    """The cost of an undo: the steps name each scan; profiles it did not touch keep their very rows."""
    kernel.load("crmid\tcity\n" + "".join(f"K{n}\tRome\n" for n in range(50)), {"crmid": "crmid", "city": "city"})
    second = kernel.load("crmid\tcity\nK1\tOslo\nK2\tOslo\n", {"crmid": "crmid", "city": "city"}).request_id
    with kernel.workspace.engine.session() as session:
        before = dict(session.rows("SELECT rowid, pid FROM profile"))
        done = kernel.workspace.undo.undo(second)
        after = dict(session.rows("SELECT rowid, pid FROM profile"))
    assert len(before.items() & after.items()) == 48
    assert {step.name: step.rows for step in done.steps}["profiles"] == 2
    assert sum("log_mention" in step.sql and "record" in step.sql for step in done.steps) == 1
