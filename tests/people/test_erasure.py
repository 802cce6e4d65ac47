"""An erased person is in no table, page, segment or reject file, and does not come back with the next file."""

from __future__ import annotations

import json

import pytest

from ingest_core.errors import InputError, OnrampError
from ingest_core.ledger.audit import verify_audit
from ingest_core.operations.restore import restore
from ingest_core.vault.reading import VaultReader
from ingest_core.workspace import Workspace
from tests.workspaces import counts

COLUMNS = {"crmid": "crmid", "email": "email", "phone": "phone", "first_name": "first_name", "city": "city"}
HEAD = "crmid\temail\tphone\tfirst_name\tcity\n"
FIRST = (
    HEAD
    + "K1\tpriya@example.in\t+919820012345\tPriya\tPune\n"
    + "K2\tbina@example.in\t+919820012345\tBina\tGoa\n"
    + "\tpriya@example.in\t\tPriyanka\tAgra\n"
    + "K3\tchitra@example.in\t\tPriya\tPune\n"
)


def everything(workspace):
    """Every plain text that the vault still opens."""
    with workspace.engine.session() as session:
        reader = VaultReader(session, workspace._keyset)
        pages = session.rows("SELECT page_id FROM vault_page ORDER BY page_id")
        return {text for (page,) in pages for text in reader.page(page).to_pylist()}


def rows_of(workspace, table):
    with workspace.engine.session() as session:
        return session.value(f"SELECT count(*) FROM {table}")


def folds_are_those_of_the_log(workspace):
    before = workspace.digest()
    rebuilt = workspace.rebuild()
    return {name: rebuilt[name] for name in before} == before


def test_the_person_is_gone_and_what_others_hold_stays(kernel):
    kernel.load(FIRST, COLUMNS)
    erased = kernel.workspace.erasure.erase("crmid", "K1")
    assert (erased.rows, erased.uploads, erased.suppressed) == (2, 1, 2)
    assert (erased.values, erased.kept_values) == (
        2,
        2,
    )  # her address and Priyanka; the phone and Priya are others', too
    assert everything(kernel.workspace) == {
        "bina@example.in", "chitra@example.in", "+919820012345", "Bina", "Priya",
    }  # fmt: skip
    assert (kernel.workspace.profiles.count(), rows_of(kernel.workspace, "record")) == (2, 2)
    with pytest.raises(InputError):
        kernel.workspace.profiles.show("email", "priya@example.in")
    assert folds_are_those_of_the_log(kernel.workspace)


def test_the_person_does_not_come_back_with_the_next_file_and_a_shared_phone_bars_nobody(kernel):
    kernel.load(FIRST, COLUMNS)
    kernel.workspace.erasure.erase("email", " PRIYA@example.in")
    receipt = kernel.load(FIRST + "K9\t\t+919820012345\tEsha\tPune\n", COLUMNS)
    assert counts(receipt) == {"lines": 5, "suppressed": 2, "stored": 3}


def test_a_phone_that_was_contested_belongs_to_who_is_left(kernel):
    kernel.load(FIRST, COLUMNS)
    with pytest.raises(InputError):
        kernel.workspace.profiles.show("phone", "+919820012345")
    kernel.workspace.erasure.erase("crmid", "K1")
    assert kernel.values("phone", "+919820012345")["crmid"] == "K2"


def test_texts_of_rejected_rows_that_name_the_person_go_too(kernel):
    numbers = {**COLUMNS, "city": {"attribute": "birth_date"}}
    text = HEAD + "K1\tpriya@example.in\t\tPriya\t1990-02-03\nK1\t\t\tPriyadarshini\tnever\nK2\t\t\tBina\tnever\n"
    receipt = kernel.load(text + "K2\tbina@example.in\t\tBina\t1991-02-03\n", numbers)
    assert receipt.rejected == 2
    erased = kernel.workspace.erasure.erase("crmid", "K1")
    assert erased.rejected_rows == 1
    left = [row.text for row in kernel.workspace.history.rejects(receipt.request_id)]
    assert left == ["K2\t\t\tBina\tnever"]
    assert not [text for text in everything(kernel.workspace) if "Priya" in text]


def test_rows_of_undone_uploads_go_too_and_nothing_comes_back_by_a_redo(kernel):
    kernel.load(FIRST, COLUMNS)
    older = kernel.load(HEAD + "K1\tpriya.old@example.in\t\t\t\nK2\t\t\t\tDelhi\n", COLUMNS).request_id
    asleep = kernel.load(HEAD + "\tpriya.old@example.in\t\tPri\t\nK3\t\t\tChitra\t\n", COLUMNS).request_id
    kernel.workspace.undo.undo(asleep)
    kernel.workspace.undo.undo(older)
    erased = kernel.workspace.erasure.erase("crmid", "K1")
    assert (erased.rows, erased.uploads) == (4, 3)
    assert "priya.old@example.in" not in everything(kernel.workspace)
    kernel.workspace.undo.redo(older)
    kernel.workspace.undo.redo(asleep)
    assert kernel.workspace.profiles.count() == 2
    assert kernel.values("crmid", "K2")["city"] == "Delhi"
    assert folds_are_those_of_the_log(kernel.workspace)


def test_segments_lose_the_person_and_keep_the_count(kernel):
    kernel.load(FIRST, COLUMNS, segment="create:ALL_OF_IT")
    erased = kernel.workspace.erasure.erase("crmid", "K1")
    assert [(one.name, one.before, one.after) for one in erased.segments] == [("ALL_OF_IT", 3, 2)]
    assert kernel.workspace.segments.list()[0]["count"] == 2


def test_a_preview_changes_nothing_and_says_what_would_go(kernel):
    kernel.load(FIRST, COLUMNS)
    before = kernel.workspace.digest()
    said = kernel.workspace.erasure.preview("crmid", "K1")
    assert kernel.workspace.digest() == before
    assert rows_of(kernel.workspace, "suppression") == 0
    done = kernel.workspace.erasure.erase_of(said.profile_id, reason="asked by letter")
    assert {**done.as_dict(), "steps": []} == {**said.as_dict(), "steps": []}


def test_it_is_on_the_audit_log_without_a_value(kernel):
    kernel.load(FIRST, COLUMNS)
    kernel.workspace.erasure.erase("crmid", "K1", reason="asked by letter")
    with kernel.workspace.engine.session() as session:
        verify_audit(session)
        actor, what, detail = session.row("SELECT actor, object, detail FROM audit WHERE action = 'erase'")
    assert (actor, what) == ("asha", "1-2")
    assert "asked by letter" in detail
    assert "priya" not in detail.lower()


@pytest.mark.parametrize("step", ["rows of the person", "erase rows", "vault", "commit"])
def test_one_that_fails_has_changed_nothing(kernel, monkeypatch, step):
    kernel.load(FIRST, COLUMNS)
    before, known = kernel.workspace.digest(), everything(kernel.workspace)
    monkeypatch.setenv("ONRAMP_FAULT", f"{step}:before:error")
    with pytest.raises(OnrampError):
        kernel.workspace.erasure.erase("crmid", "K1")
    monkeypatch.delenv("ONRAMP_FAULT")
    assert (kernel.workspace.digest(), everything(kernel.workspace)) == (before, known)
    assert rows_of(kernel.workspace, "suppression") == 0


def test_nobody_by_this_value_is_told(kernel):
    kernel.load(FIRST, COLUMNS)
    with pytest.raises(InputError) as caught:
        kernel.workspace.erasure.erase("crmid", "K404")
    assert caught.value.code == "no_such_profile"


class TestRestore:
    """A backup from before the erasure, restored with the list of those who were erased since."""

    @pytest.fixture
    def archive(self, kernel, tmp_path):
        kernel.load(FIRST, COLUMNS)
        archive = tmp_path / "before.onramp"
        kernel.workspace.operations.backup(archive)
        return archive

    def test_erased_people_do_not_come_back_by_an_older_backup(self, kernel, archive, tmp_path):
        kernel.workspace.erasure.erase("crmid", "K1")
        listed = json.dumps(kernel.workspace.erasure.erased())
        assert "priya" not in listed.lower()
        made = restore(archive, tmp_path / "restored", "asha", erased=listed)
        assert (made["erased"]["people"], made["erased"]["rows"]) == (1, 2)
        with Workspace.open(tmp_path / "restored") as restored:
            assert restored.digest() == kernel.workspace.digest()
            assert everything(restored) == everything(kernel.workspace)
            assert restored.erasure.erased() == kernel.workspace.erasure.erased()
            assert folds_are_those_of_the_log(restored)

    def test_an_empty_list_erases_nobody(self, kernel, archive, tmp_path):
        listed = json.dumps(kernel.workspace.erasure.erased())
        made = restore(archive, tmp_path / "restored", "asha", erased=listed)
        assert made["erased"]["rows"] == 0
        with Workspace.open(tmp_path / "restored") as restored:
            assert restored.digest() == kernel.workspace.digest()

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "onramp-erased-1", "erased": [{"token": "x"}]}'])
    def test_something_else_is_refused_and_nothing_is_restored(self, archive, tmp_path, text):
        with pytest.raises(InputError) as caught:
            restore(archive, tmp_path / "restored", "asha", erased=text)
        assert caught.value.code == "not_an_erased_list"
        assert not (tmp_path / "restored").exists()
