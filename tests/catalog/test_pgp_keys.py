"""OpenPGP keys of a workspace: kept, used by name, private ones sealed."""

from __future__ import annotations

import json

import pysequoia
import pytest

from ingest_core.errors import OnrampError
from ingest_core.transport.openpgp import decrypt, encrypted
from tests.transport.bytes_of import Bytes


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


@pytest.fixture(scope="module")
def key():
    return pysequoia.Tsk.generate(user_id="Asha <asha@example.com>", profile=pysequoia.Profile.RFC4880)


def test_keys_are_kept_and_used_by_their_names(workspace, key, tmp_path):
    public = str(key.extract_certificate())
    ours = workspace.pgp_keys.add("Ours", str(key))
    theirs = workspace.pgp_keys.add("Partner", public)
    assert [(one.name, one.kind) for one in workspace.pgp_keys.list()] == [("Ours", "private"), ("Partner", "public")]
    assert ours.fingerprint == theirs.fingerprint == key.extract_certificate().fingerprint
    recipients = workspace.pgp_keys.recipients(["partner"])
    parts: list[bytes] = []
    with encrypted(Bytes(b"a line\n"), recipients, tmp_path) as message:
        decrypt(message, workspace.pgp_keys.private(), parts.append)
    assert b"".join(parts) == b"a line\n"
    assert "PRIVATE" not in workspace.pgp_keys.public("Ours")


def test_a_private_key_is_in_no_table_in_the_clear_and_on_no_log(workspace, key):
    workspace.pgp_keys.add("Ours", str(key))
    with workspace.engine.session() as session:
        kept = session.rows("SELECT * FROM pgp_key")
        audit = session.rows("SELECT * FROM audit WHERE action = 'add pgp key'")
    assert "PRIVATE" not in json.dumps(kept, default=str)
    assert len(audit) == 1
    assert "example.com" not in json.dumps([kept, audit], default=str)


def test_names_are_taken_once_and_what_is_removed_is_gone(workspace, key):
    workspace.pgp_keys.add("Ours", str(key))
    assert code_of(workspace.pgp_keys.add, "OURS", str(key)) == "pgp_key_exists"
    workspace.pgp_keys.remove("ours")
    assert workspace.pgp_keys.list() == workspace.pgp_keys.private() == []
    assert code_of(workspace.pgp_keys.remove, "ours") == "no_such_pgp_key"
    assert code_of(workspace.pgp_keys.recipients, ["ours"]) == "no_such_pgp_key"


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"])
def test_what_is_no_key_is_refused(workspace, text):
    assert code_of(workspace.pgp_keys.add, "Ours", text) == "bad_pgp_key"
