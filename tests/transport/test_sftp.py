"""What SFTP does beyond the contract: host keys that are pinned, keys that log in, folders that are not there."""

from __future__ import annotations

import subprocess

import pytest

from ingest_core.errors import DeliveryError, InputError
from ingest_core.transport.connecting import connect
from ingest_core.transport.places import Secrets
from tests.servers.ssh import make_key
from tests.transport.bytes_of import Bytes
from tests.transport.sites import sftp_site


def error_of(call, *args, **kwargs) -> DeliveryError:
    with pytest.raises((DeliveryError, InputError)) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    assert "PRIVATE KEY" not in str(caught.value.as_dict())
    return caught.value


def go(server, secrets: Secrets | None = None, **changes):
    place = sftp_site(server).at(None).model_copy(update=changes)
    return connect(place, secrets or Secrets(private_key=server.key), seconds=5)


def logins(server) -> int:
    return (server.folder.parent / "log").read_text().count("Accepted")


def test_a_host_key_that_is_not_pinned_is_shown_and_nobody_logs_in(ssh_server):
    error = error_of(go, ssh_server, host_key=None)
    assert (error.code, error.is_retryable) == ("host_key_unknown", False)
    assert error.facts["host_key"] == ssh_server.host_key  # as ssh-keygen tells it


def test_another_host_key_than_the_pinned_one_is_refused(ssh_server):
    other = ssh_server.host_key.split(" ")[0] + " SHA256:" + "A" * 43
    error = error_of(go, ssh_server, host_key=other)
    assert (error.code, error.is_retryable) == ("host_key_changed", False)
    assert error.facts["host_key"] == ssh_server.host_key


def test_a_pinned_key_of_a_kind_that_the_server_does_not_have_is_a_changed_one(ssh_server):
    assert error_of(go, ssh_server, host_key="ssh-rsa SHA256:" + "A" * 43).code == "host_key_changed"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_every_kind_log_in_also_by_a_passphrase(ssh_server, tmp_path, kind):
    path = tmp_path / "own"
    make_key(path, kind)
    with (ssh_server.folder.parent / "authorized_keys").open("a") as keys:
        keys.write(path.with_suffix(".pub").read_text())
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "words of Asha", "-f", str(path)], check=True)
    with go(ssh_server, Secrets(private_key=path.read_text(), passphrase="words of Asha")) as place:
        place.put("a.tsv", Bytes(b"1"))
    for secrets in (
        Secrets(private_key=path.read_text()),
        Secrets(private_key=path.read_text(), passphrase="other words"),
        Secrets(private_key="no key"),
    ):
        assert error_of(go, ssh_server, secrets).code == "bad_private_key"


def test_a_key_that_the_server_does_not_know_is_refused(ssh_server, tmp_path):
    make_key(tmp_path / "own")
    error = error_of(go, ssh_server, Secrets(private_key=(tmp_path / "own").read_text()))
    assert (error.code, getattr(error, "is_retryable", False)) == ("login_refused", False)
    assert error_of(go, ssh_server, Secrets(password="x")).code == "login_refused"


def test_a_secret_is_needed(ssh_server):
    assert error_of(go, ssh_server, Secrets(passphrase="x")).code == "secret_missing"


def test_a_folder_that_is_not_there_is_told(ssh_server):
    with go(ssh_server, folder=f"{ssh_server.folder}/nowhere") as place:
        assert error_of(place.entries).code == "place_missing"
        assert error_of(place.put, "a.tsv", Bytes(b"1")).code == "place_missing"


def test_a_link_is_no_file(ssh_server):
    (ssh_server.folder / "link.tsv").symlink_to(ssh_server.folder.parent / "host_key")
    (ssh_server.folder / "a.tsv").write_bytes(b"1")
    with go(ssh_server) as place:
        assert [one.name for one in place.entries()] == ["a.tsv"]
        assert error_of(place.put, "link.tsv", Bytes(b"x"), replace=True).code == "file_exists"


def test_a_destination_is_tested_confirmed_and_works(workspace, ssh_server):
    site = sftp_site(ssh_server)
    unpinned = site.at(None).model_copy(update={"host_key": None})
    workspace.destinations.add("Partner", unpinned, site.secrets)
    first = workspace.destinations.test("Partner")
    assert (first.connect.ok, first.connect.code, first.host_key) == (False, "host_key_unknown", ssh_server.host_key)
    assert workspace.destinations.get("Partner").is_working is False
    workspace.destinations.trust("Partner", first.host_key)
    second = workspace.destinations.test("Partner")
    assert second.is_working, second
    assert site.files() == {}
