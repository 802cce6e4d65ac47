"""backup, restore, maintain, keys and audit as a script sees them."""

from __future__ import annotations

import json

import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp


@pytest.fixture
def loaded(onramp, people) -> Onramp:
    onramp.load(people, "--auto")
    return onramp


def test_a_backup_is_told_and_restored(loaded, tmp_path):
    told = loaded.json("backup", tmp_path / "b.onramp")
    assert set(told) == {
        "out", "bytes", "created_at", "digest", "profiles", "memberships", "uploads", "keys", "received_files",
    }  # fmt: skip
    assert (tmp_path / "b.onramp").stat().st_size == told["bytes"]
    again = Onramp(tmp_path / "again")
    made = again.json("restore", tmp_path / "b.onramp")
    assert made["home"] == str(tmp_path / "again")
    assert made["digest"] == told["digest"] == loaded.json("digest")["digest"]
    assert again.json("digest") == loaded.json("digest")
    assert again.counts() | {"audit": 1} == loaded.counts()
    assert again.json("audit", "verify") == {"entries": 2}


def test_a_backup_changes_nothing(loaded, tmp_path):
    before = loaded.state()
    loaded.json("backup", tmp_path / "b.onramp", "--quick")
    assert loaded.state() == before


def test_backups_that_cannot_be(loaded, tmp_path):
    (tmp_path / "there").touch()
    assert loaded.refuse("backup", tmp_path / "there")["code"] == "out_exists"
    assert loaded.refuse("backup", loaded.home / "b.onramp")["code"] == "out_in_workspace"
    assert loaded.refuse("backup", tmp_path / "no" / "folder", exit_code=3)["code"] == "disk_error"


def test_restores_that_cannot_be(loaded, tmp_path, people):
    loaded.json("backup", tmp_path / "b.onramp", "--without-keys")
    assert loaded.refuse("restore", tmp_path / "b.onramp", exit_code=3)["code"] == "target_not_empty"
    again = Onramp(tmp_path / "again")
    assert again.refuse("restore", tmp_path / "missing")["code"] == "no_such_file"
    assert again.refuse("restore", people)["code"] == "not_a_backup"
    assert again.refuse("restore", tmp_path / "b.onramp")["code"] == "keys_missing"
    assert again.refuse("restore", tmp_path / "b.onramp", "--keys", people)["code"] == "bad_keys"
    assert again.refuse("restore", tmp_path / "b.onramp", "--keys", tmp_path / "missing")["code"] == "no_such_file"
    assert not again.home.exists()
    again.json("restore", tmp_path / "b.onramp", "--keys", loaded.home / "keys.json")
    assert again.json("digest") == loaded.json("digest")


def test_restore_takes_the_folder_from_the_environment(loaded, tmp_path, monkeypatch, capsys):
    from ingest_core.cli.main import main

    loaded.json("backup", tmp_path / "b.onramp", "--quick")
    monkeypatch.setenv("ONRAMP_HOME", str(tmp_path / "elsewhere"))
    assert main(["restore", str(tmp_path / "b.onramp")]) == 0
    assert "profiles: 3" in capsys.readouterr().out
    assert (tmp_path / "elsewhere" / "onramp.duckdb").exists()


def test_maintenance_says_what_it_removed(loaded):
    digest = loaded.json("digest")
    told = loaded.json("maintain", "--keep-days", 0)
    assert told["removed"] == {
        "drafts": 0, "uploads": 0, "log_rows": 0, "rejected_rows": 1, "received_files": 0, "inbox_files": 0,
        "audience_rows": 0, "audience_samples": 0, "audience_files": 0, "values": 0,
    }  # fmt: skip
    assert 0 < told["bytes_after"]
    assert loaded.json("digest") == digest
    text = loaded.run("maintain").out
    assert "rejected rows: 0" in text
    assert "bytes after: " in text


@pytest.mark.parametrize("days", ["-1", "many", "36501", "1.5"])
def test_days_are_a_number_from_0(loaded, days):
    assert loaded.refuse("maintain", f"--keep-days={days}")["code"] == "usage"


def test_keys_are_checked_and_rotated(loaded):
    digest = loaded.json("digest")
    before = loaded.json("keys", "check")
    assert (before["primary"], before["versions"], before["kept_in"]) == (1, [1], "keys.json")
    assert loaded.json("keys", "rotate") == {
        "primary": 2, "retired": [1], "pages": before["pages"], "is_resumed": False,
    }  # fmt: skip
    assert loaded.json("keys", "check") == {**before, "primary": 2, "versions": [2]}
    assert loaded.json("digest") == digest


def test_a_changed_audit_log_is_found(loaded):
    assert loaded.json("audit", "verify") == {"entries": 1}
    with Workspace.open(loaded.home) as workspace, workspace.engine.session() as session:
        session.run("UPDATE audit SET actor = 'nobody'")
    error = loaded.refuse("audit", "verify", exit_code=3)
    assert (error["code"], error["facts"]) == ("audit_changed", {"entry": 1, "entries": 1})


def test_a_workspace_that_is_held_is_not_backed_up_by_another_process(loaded, tmp_path):
    with Workspace.open(loaded.home, worker="app"):
        for command in (["backup", tmp_path / "b.onramp"], ["maintain"], ["keys", "rotate"]):
            done = loaded.run("--json", *command)
            assert (done.code, json.loads(done.out)["error"]["code"]) == (3, "workspace_locked")
    assert not (tmp_path / "b.onramp").exists()
