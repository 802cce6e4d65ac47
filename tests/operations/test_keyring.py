"""Keys open everything or the first that does not open is named; a rotation leaves nothing that the old key opens."""

from __future__ import annotations

import base64
import json

import pytest

from ingest_core.errors import OnrampError
from ingest_core.models import Options
from ingest_core.vault import upkeep
from ingest_core.vault.keys import load_keyset, parse_keyset
from ingest_core.workspace import Workspace
from tests.operations.conftest import COLUMNS, FIRST, SECOND, people
from tests.workspaces import mapping_of


def key_file(home):
    return json.loads((home / "keys.json").read_text())


def rotate(opened):
    with opened() as kernel:
        return kernel.workspace.operations.rotate_keys()


def code_of(call):
    with pytest.raises(OnrampError) as caught:
        call()
    return caught.value.code


def versions(kernel):
    with kernel.workspace.engine.session() as session:
        return session.rows("SELECT DISTINCT key_version FROM vault_page ORDER BY 1")


# ── check ────────────────────────────────────────────────────────────────────────────────────────────────


def received(kernel):
    landing_id = kernel.land(SECOND.encode())
    mapping = mapping_of(COLUMNS)
    kernel.workspace.jobs.submit(landing_id, kernel.source(), mapping, Options(), idempotency_key="one")
    return landing_id


def test_everything_opens(filled):
    received(filled)
    filled.workspace.drafts.create(None)
    filled.land(b"nobody's")
    assert filled.workspace.operations.check_keys() == {
        "primary": 1, "versions": [1], "kept_in": "keys.json", "pages": 3, "drafts": 1, "received_files": 1,
    }  # fmt: skip


def test_a_changed_page_is_found(filled):
    with filled.workspace.engine.session() as session:
        data = bytearray(session.value("SELECT data FROM vault_page WHERE page_id = 2"))
        data[20] ^= 1
        session.run("UPDATE vault_page SET data = ? WHERE page_id = 2", [bytes(data)])
    with pytest.raises(OnrampError) as caught:
        filled.workspace.operations.check_keys()
    assert (caught.value.code, caught.value.facts) == ("vault_damaged", {"page": 2})


def test_a_changed_or_missing_received_file_is_found(filled):
    path = filled.workspace.landing.paths(received(filled))[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert code_of(filled.workspace.operations.check_keys) == "landing_damaged"
    path.unlink()
    assert code_of(filled.workspace.operations.check_keys) == "no_such_file"


def test_a_changed_draft_is_found(filled):
    filled.workspace.drafts.create(None)
    with filled.workspace.engine.session() as session:
        session.run("UPDATE draft SET state = ?", [b"x" * 60])
    assert code_of(filled.workspace.operations.check_keys) == "draft_damaged"


# ── rotate ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("batch", [1, 32 << 20])
def test_a_rotation_changes_the_key_of_every_page_and_nothing_that_a_person_sees(opened, home, monkeypatch, batch):
    monkeypatch.setattr(upkeep, "_BATCH_BYTES", batch)
    before = key_file(home)
    with opened() as kernel:
        digest, rejects = kernel.workspace.digest(), kernel.workspace.history.list()[0].request_id
        text = kernel.workspace.history.rejects(rejects)[0].text
        draft_id = kernel.workspace.drafts.create(None)
        received(kernel)
    assert rotate(opened) == {"primary": 2, "retired": [1], "pages": 3, "is_resumed": False}
    after = key_file(home)
    assert (after["primary"], list(after["pages"])) == (2, ["2"])
    assert after["pages"]["2"] != before["pages"]["1"]
    assert {name: after[name] for name in ("tokens", "suppression")} == {
        name: before[name] for name in ("tokens", "suppression")
    }
    with opened() as kernel:
        assert kernel.workspace.digest() == digest
        assert kernel.workspace.history.rejects(rejects)[0].text == text
        assert kernel.workspace.drafts.load(draft_id) is not None
        assert versions(kernel) == [(2,)]
        assert kernel.workspace.jobs.run_waiting() == 1
        assert kernel.workspace.operations.check_keys()["versions"] == [2]
        assert kernel.workspace.operations.verify_audit() == {"entries": 3}


def test_the_old_key_opens_nothing_any_more(opened, home):
    old = (home / "keys.json").read_text()
    with opened() as kernel, kernel.workspace.engine.session() as session:
        sealed = [bytes(data) for (data,) in session.rows("SELECT data FROM vault_page")]
    assert all(data in (home / "onramp.duckdb").read_bytes() for data in sealed)
    rotate(opened)
    assert not any(data in (home / "onramp.duckdb").read_bytes() for data in sealed)
    (home / "keys.json").write_text(old)
    assert code_of(lambda: Workspace.open(home)) == "wrong_keys"


def test_each_rotation_is_one_more_version(opened, home):
    for version in (2, 3, 4):
        assert rotate(opened)["retired"] == [version - 1]
        assert list(key_file(home)["pages"]) == [str(version)]


INTERRUPTED = (
    "add key:after", "pages:after", "retire:before", "retire:after", "copy:after", "replace:before", "replace:after",
    "forget key:before",
)  # fmt: skip


@pytest.mark.parametrize("point", INTERRUPTED)
def test_an_interrupted_rotation_works_on_and_is_finished_by_the_next(opened, home, monkeypatch, point):
    monkeypatch.setattr(upkeep, "_BATCH_BYTES", 1)
    with opened() as kernel:
        digest = kernel.workspace.digest()
    monkeypatch.setenv("ONRAMP_FAULT", f"rotate {point}:error")
    assert code_of(lambda: rotate(opened)) == "fault_injected"
    monkeypatch.delenv("ONRAMP_FAULT")
    assert list(key_file(home)["pages"]) == ["1", "2"]
    with opened() as kernel:
        assert kernel.workspace.digest() == digest
        kernel.load(people("C7|gina@example.com|Gina|Nice"), COLUMNS)
        assert kernel.workspace.operations.check_keys()["primary"] == 2
    told = rotate(opened)
    assert (told["primary"], told["retired"], told["is_resumed"]) == (2, [1], True)
    assert list(key_file(home)["pages"]) == ["2"]
    with opened() as kernel:
        assert versions(kernel) == [(2,)]
        assert kernel.values("crmid", "C7")["first_name"] == "Gina"


def test_keys_from_the_environment_are_rotated_by_whoever_gives_them(opened, home, monkeypatch):
    keys = key_file(home)
    (home / "keys.json").unlink()
    monkeypatch.setenv("ONRAMP_KEYS", json.dumps(keys))
    assert code_of(lambda: rotate(opened)) == "keys_in_environment"
    keys["pages"]["7"] = base64.b64encode(bytes(range(32))).decode()
    keys["primary"] = 7
    monkeypatch.setenv("ONRAMP_KEYS", json.dumps(keys))
    assert rotate(opened)["retired"] == [1]
    assert not (home / "keys.json").exists()
    del keys["pages"]["1"]
    monkeypatch.setenv("ONRAMP_KEYS", json.dumps(keys))
    with opened() as kernel:
        assert kernel.values("crmid", "C1")["first_name"] == "Anna"
        assert kernel.workspace.operations.check_keys()["kept_in"] == "environment"


def test_an_app_that_serves_goes_on_with_the_new_key(kernel):
    kernel.load(FIRST, COLUMNS)
    draft_id = kernel.workspace.drafts.create(None)
    seen = []
    told = kernel.workspace.operations.rotate_keys(lambda *step: seen.append(step))
    assert (told["primary"], told["retired"]) == (2, [1])
    assert kernel.workspace.operations.key_versions == (2, [2])
    assert ("reseal", told["pages"], told["pages"]) in seen
    assert kernel.values("crmid", "C1")["first_name"] == "Anna"
    assert kernel.workspace.drafts.load(draft_id) is not None
    kernel.load(SECOND, COLUMNS)
    assert versions(kernel) == [(2,)]
    assert load_keyset(kernel.workspace.home, may_create=False).primary == 2
    assert kernel.workspace.operations.check_keys()["versions"] == [2]


def test_a_backup_made_before_a_rotation_opens_with_its_own_keys(opened, home, tmp_path, restored):
    with opened() as kernel:
        kernel.workspace.operations.backup(tmp_path / "before.onramp")
        kernel.workspace.operations.backup(tmp_path / "apart.onramp", with_keys=False)
        digest = kernel.workspace.digest()
    old = (home / "keys.json").read_text()
    rotate(opened)
    new = (home / "keys.json").read_text()
    for archive, keys in (("before.onramp", None), ("apart.onramp", old)):
        with Workspace.open(restored(tmp_path / archive, keys=keys)) as again:
            assert again.digest() == digest
    assert code_of(lambda: restored(tmp_path / "apart.onramp", keys=new)) == "wrong_keys"
    assert parse_keyset(new).primary == 2
