"""Restore makes a new workspace or nothing; what is there already is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_core.engine.lock import WorkspaceLock
from ingest_core.errors import OnrampError
from ingest_core.operations.restore import restore
from ingest_core.vault.keys import new_keyset
from ingest_core.workspace import Workspace


@pytest.fixture
def backup(filled, tmp_path) -> Path:
    filled.workspace.operations.backup(tmp_path / "b.onramp", is_quick=True)
    return tmp_path / "b.onramp"


def refused(*arguments, **options) -> str:
    with pytest.raises(OnrampError) as caught:
        restore(*arguments, "bina", **options)
    return caught.value.code


def test_a_folder_that_holds_something_is_left_as_it_is(backup, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (target / "note").write_text("mine")
    assert refused(backup, target) == "target_not_empty"
    assert [path.name for path in target.iterdir()] == ["note"]
    assert refused(backup, tmp_path / "home") == "target_not_empty"
    assert refused(backup, target / "note") == "target_not_empty"
    assert (target / "note").read_text() == "mine"


def test_an_empty_folder_and_missing_parents_will_do(backup, tmp_path):
    (tmp_path / "empty").mkdir()
    for home in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        restore(backup, home, "bina")
        with Workspace.open(home) as again:
            assert again.profiles.count() == 2


def test_the_folder_may_be_named_by_a_link(backup, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    restore(backup, tmp_path / "link", "bina")
    assert (tmp_path / "real" / "onramp.duckdb").exists()
    assert (tmp_path / "link").is_symlink()


def test_what_a_killed_restore_left_is_cleared_away(backup, tmp_path):
    partial = tmp_path / "target.partial"
    (partial / "landing").mkdir(parents=True)
    for name in ("onramp.duckdb", "onramp.duckdb.wal.checkpoint", "keys.json", "lock"):
        (partial / name).write_bytes(b"half")
    restore(backup, tmp_path / "target", "bina")
    assert not partial.exists()


def test_a_folder_of_that_name_that_is_not_ours_stays(backup, tmp_path):
    partial = tmp_path / "target.partial"
    partial.mkdir()
    (partial / "thesis.txt").write_text("mine")
    assert refused(backup, tmp_path / "target") == "partial_in_the_way"
    assert (partial / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "target").exists()


def test_two_restores_to_one_place_do_not_meet(backup, tmp_path):
    partial = tmp_path / "target.partial"
    partial.mkdir()
    lock = WorkspaceLock(partial, "command")
    assert refused(backup, tmp_path / "target") == "workspace_locked"
    lock.release()
    restore(backup, tmp_path / "target", "bina")


@pytest.mark.parametrize(
    ("keys", "code"), [(new_keyset().dump(), "wrong_keys"), ("{}", "bad_keys"), ("\ufffd", "bad_keys")]
)
def test_keys_that_do_not_fit_restore_nothing(filled, tmp_path, keys, code):
    filled.workspace.operations.backup(tmp_path / "b.onramp", with_keys=False, is_quick=True)
    before = sorted(tmp_path.iterdir())
    assert refused(tmp_path / "b.onramp", tmp_path / "target", keys=keys) == code
    assert sorted(tmp_path.iterdir()) == before


def test_keys_from_the_environment_win(backup, tmp_path, monkeypatch):
    monkeypatch.setenv("ONRAMP_KEYS", new_keyset().dump())
    assert refused(backup, tmp_path / "target") == "wrong_keys"


def test_the_restore_is_in_the_audit_log_and_the_chain_holds(backup, tmp_path):
    told = restore(backup, tmp_path / "target", "bina")
    with Workspace.open(tmp_path / "target") as again:
        assert again.operations.verify_audit()["entries"] == 2
        with again.engine.session() as session:
            row = session.row("SELECT actor, action, detail FROM audit ORDER BY seq DESC")
    assert row[:2] == ("bina", "restore")
    assert told["created_at"][:19] in row[2]


def test_a_database_of_a_newer_version_is_refused(filled, tmp_path):
    with filled.workspace.engine.session() as session:
        session.run("INSERT INTO migration VALUES (9999, '9999_future.sql', now()::TIMESTAMP)")
    filled.workspace.operations.backup(tmp_path / "b.onramp", is_quick=True)
    assert refused(tmp_path / "b.onramp", tmp_path / "target") == "workspace_too_new"
    assert not (tmp_path / "target").exists()
