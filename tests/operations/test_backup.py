"""A backup is the state of one moment, whole, whatever happens beside it; a restored workspace goes on from there."""

from __future__ import annotations

import json
import threading

import pytest

from ingest_core.engine import copying
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.models import Options
from ingest_core.operations import backup as backups
from ingest_core.workspace import Workspace
from tests.operations.conftest import COLUMNS, FIRST, SECOND, tables, tables_of
from tests.workspaces import Kernel, mapping_of


def test_what_is_restored_is_what_was_backed_up(filled, tmp_path, restored):
    workspace = filled.workspace
    before, digest = tables_of(workspace), workspace.digest()
    told = workspace.operations.backup(tmp_path / "b.onramp")
    assert {name: told[name] for name in digest} == digest
    assert (told["uploads"], told["keys"], told["received_files"]) == (1, "included", 0)
    home = restored(tmp_path / "b.onramp")
    assert tables(home) == before
    with Workspace.open(home) as again:
        assert again.digest() == digest
        request_id = again.history.list()[0].request_id
        assert "no address" in again.history.rejects(request_id)[0].text
        assert again.rebuild()["digest"] == digest["digest"]


def test_a_restored_workspace_goes_on(filled, tmp_path, restored):
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    filled.load(SECOND, COLUMNS)
    expected = filled.workspace.digest()
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        onwards = Kernel(again, filled.folder)
        with pytest.raises(StateError) as known:
            onwards.load(FIRST, COLUMNS)
        assert known.value.code == "already_loaded"
        onwards.load(SECOND, COLUMNS)
        assert again.digest() == expected


def test_the_file_and_the_folder_are_private_and_nothing_is_left(filled, tmp_path, restored):
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert (tmp_path / "b.onramp").stat().st_mode & 0o777 == 0o600
    assert list((filled.workspace.home / "tmp").iterdir()) == []
    assert not (tmp_path / "b.onramp.partial").exists()
    home = restored(tmp_path / "b.onramp")
    assert {oct(path.stat().st_mode & 0o077) for path in [home, *home.rglob("*")]} == {"0o0"}
    assert not home.with_name(home.name + ".partial").exists()


def test_a_backup_beside_a_running_load_holds_nobody_up_and_is_the_state_before(filled, tmp_path, restored):
    """The load stands still inside its transaction, holding the writers' lock, until the backup is done."""
    before = filled.workspace.digest()
    inside, go_on = threading.Event(), threading.Event()

    def progress(name, done, total):
        if name == "segments":
            inside.set()
            assert go_on.wait(60)

    plan = filled.plan(SECOND, COLUMNS)
    load = threading.Thread(target=filled.workspace.loads.load, args=[plan, progress])
    load.start()
    assert inside.wait(60)
    told = filled.workspace.operations.backup(tmp_path / "b.onramp")
    go_on.set()
    load.join(60)
    assert told["digest"] == before["digest"]
    assert filled.workspace.digest() != before
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.digest() == before
        assert [upload.status for upload in again.history.list()] == ["Failed", "Completed"]


def test_what_is_committed_while_the_copy_is_made_is_not_in_it(filled, tmp_path, restored, monkeypatch):
    before = filled.workspace.digest()
    looked = copying.content_of

    def meanwhile(session):
        content = looked(session)
        if not done:
            done.append(filled.workspace.attributes.add("shoe_size", "number"))
            done.append(filled.load(SECOND, COLUMNS))
        return content

    done = []
    monkeypatch.setattr(copying, "content_of", meanwhile)
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert done[1].stored == 2
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.digest() == before
        assert "shoe_size" not in {attribute.name for attribute in again.attributes.list()}


def submit(kernel, data, key):
    landing_id = kernel.land(data.encode())
    jobs, mapping = kernel.workspace.jobs, mapping_of(COLUMNS)
    return jobs.submit(landing_id, kernel.source(), mapping, Options(), idempotency_key=key)


def test_an_upload_that_waits_is_in_the_backup_with_its_file(filled, tmp_path, restored):
    request_id = submit(filled, SECOND, "one")
    told = filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert told["received_files"] == 1
    filled.workspace.jobs.run_waiting()
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.jobs.run_waiting() == 1
        assert again.history.get(request_id).status == "Completed"
        assert again.digest() == filled.workspace.digest()


def test_an_upload_that_ends_while_the_copy_is_made_keeps_its_file_in_the_backup(
    filled, tmp_path, restored, monkeypatch
):
    request_id = submit(filled, SECOND, "one")
    copy_database = backups.copy_database

    def then_load(engine, path):
        content = copy_database(engine, path)
        filled.workspace.jobs.run_waiting()
        assert filled.workspace.landing.ids() == []
        return content

    monkeypatch.setattr(backups, "copy_database", then_load)
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.history.get(request_id).status == "Scheduled"
        assert again.jobs.run_waiting() == 1
        assert again.digest() == filled.workspace.digest()


@pytest.mark.parametrize("times", [1, 9])
def test_a_file_that_comes_and_goes_within_the_copy_takes_another_copy(filled, tmp_path, monkeypatch, times):
    copy_database = backups.copy_database
    tried = []

    def overtaken(engine, path):
        tried.append(path)
        if len(tried) <= times:
            submit(filled, SECOND + f"C9{len(tried)}\t\t\tNice\n", f"key {len(tried)}")
        content = copy_database(engine, path)
        filled.workspace.jobs.run_waiting()
        return content

    monkeypatch.setattr(backups, "copy_database", overtaken)
    if times == 1:
        told = filled.workspace.operations.backup(tmp_path / "b.onramp")
        assert (len(tried), told["received_files"], told["uploads"]) == (2, 0, 2)
    else:
        with pytest.raises(StateError) as caught:
            filled.workspace.operations.backup(tmp_path / "b.onramp")
        assert caught.value.code == "backup_overtaken"
        assert not (tmp_path / "b.onramp").exists()
    assert list((filled.workspace.home / "tmp").iterdir()) == []


def test_the_file_of_an_unfinished_ingest_is_in_the_backup(filled, tmp_path, restored):
    landing_id = filled.land(SECOND.encode())
    draft_id = filled.workspace.drafts.create(filled.source().source_id)
    filled.workspace.drafts.save(draft_id, {"landing_id": landing_id, "file": "people.tsv"})
    filled.land(b"on its way, nobody's yet")
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.landing.ids() == [landing_id]
        assert again.landing.open(again.drafts.load(draft_id)["landing_id"]).open().read() == SECOND.encode()


def test_settings_are_in_the_backup(filled, tmp_path, restored):
    (filled.workspace.home / "settings.json").write_text('{"shared_limit": 7}')
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.settings.shared_limit == 7


def test_keys_that_are_left_out_are_given_apart(filled, tmp_path, restored):
    told = filled.workspace.operations.backup(tmp_path / "b.onramp", with_keys=False)
    keys = (filled.workspace.home / "keys.json").read_text()
    assert told["keys"] == "left out"
    assert json.loads(keys)["tokens"].encode() not in (tmp_path / "b.onramp").read_bytes()
    with pytest.raises(OnrampError) as caught:
        restored(tmp_path / "b.onramp")
    assert caught.value.code == "keys_missing"
    with Workspace.open(restored(tmp_path / "b.onramp", keys=keys)) as again:
        assert again.digest() == filled.workspace.digest()


def test_keys_from_the_environment_are_never_written_down(filled, tmp_path, restored, monkeypatch):
    keys = (filled.workspace.home / "keys.json").read_text()
    monkeypatch.setenv("ONRAMP_KEYS", keys)
    assert filled.workspace.operations.backup(tmp_path / "b.onramp")["keys"] == "environment"
    assert json.loads(keys)["tokens"].encode() not in (tmp_path / "b.onramp").read_bytes()
    home = restored(tmp_path / "b.onramp")
    assert not (home / "keys.json").exists()
    with Workspace.open(home) as again:
        assert again.digest() == filled.workspace.digest()


def test_without_the_digest_the_copy_is_compared_all_the_same(filled, tmp_path, restored):
    told = filled.workspace.operations.backup(tmp_path / "b.onramp", is_quick=True)
    assert (told["digest"], told["profiles"]) == (None, 2)
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.digest() == filled.workspace.digest()


def test_a_copy_that_differs_is_no_backup(filled, tmp_path, monkeypatch):
    copy_database = backups.copy_database

    def forgetful(engine, path):
        return {**copy_database(engine, path), "profile": (3, "")}

    monkeypatch.setattr(backups, "copy_database", forgetful)
    with pytest.raises(StateError) as caught:
        filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert (caught.value.code, caught.value.facts) == ("copy_differs", {"tables": ["profile"]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "home"]


def test_an_archive_that_reads_back_otherwise_is_no_backup(filled, tmp_path, monkeypatch):
    check = backups.archive.check_archive
    monkeypatch.setattr(backups.archive, "check_archive", lambda path: check(path).model_copy(update={"profiles": 0}))
    with pytest.raises(StateError) as caught:
        filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert caught.value.code == "backup_unreadable"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "home"]


def test_nothing_is_overwritten_and_no_backup_lies_in_its_workspace(filled, tmp_path):
    (tmp_path / "there").write_text("mine")
    for out, code in ((tmp_path / "there", "out_exists"), (filled.workspace.home / "tmp" / "b", "out_in_workspace")):
        with pytest.raises(InputError) as caught:
            filled.workspace.operations.backup(out)
        assert caught.value.code == code
    assert (tmp_path / "there").read_text() == "mine"


def test_the_leftover_of_a_killed_backup_is_replaced(filled, tmp_path):
    (tmp_path / "b.onramp.partial").write_bytes(b"half")
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.onramp", "files", "home"]


def test_one_backup_at_a_time(filled, tmp_path, monkeypatch):
    copy_database, refused = backups.copy_database, []

    def another(engine, path):
        with pytest.raises(StateError) as caught:
            filled.workspace.operations.backup(tmp_path / "c.onramp")
        refused.append(caught.value.code)
        return copy_database(engine, path)

    monkeypatch.setattr(backups, "copy_database", another)
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    assert refused == ["backup_running"]
    monkeypatch.undo()
    filled.workspace.operations.backup(tmp_path / "c.onramp")


def test_a_file_system_without_second_names_gets_a_copy(filled, tmp_path, restored, monkeypatch):
    submit(filled, SECOND, "one")

    def refuse(self, target):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    filled.workspace.operations.backup(tmp_path / "b.onramp")
    with Workspace.open(restored(tmp_path / "b.onramp")) as again:
        assert again.jobs.run_waiting() == 1
        assert again.digest()["profiles"] == 3
