"""Destinations: named, checked, their secrets sealed and never handed back."""

from __future__ import annotations

import json

import pytest

from ingest_core.catalog.destinations import place_from
from ingest_core.errors import OnrampError
from ingest_core.ledger.audit import verify_audit
from ingest_core.transport.places import FolderPlace, Secrets

SFTP = {"kind": "sftp", "host": "sftp.example.com", "user": "asha", "folder": "in"}
PIN = "ssh-ed25519 SHA256:" + "A" * 43
PASSWORD = Secrets(password="s3cret-of-asha")


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value.as_dict())
    return caught.value.code


@pytest.fixture
def destinations(workspace):
    return workspace.destinations


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "exchange"
    made.mkdir()
    return FolderPlace(path=str(made))


def test_a_destination_has_what_it_was_given_but_its_secrets(destinations):
    made = destinations.add(" Partner ", place_from({**SFTP, "host_key": PIN}), PASSWORD)
    assert made == destinations.get("PARTNER") == destinations.get(made.destination_id)
    assert (made.name, made.kind, made.place.host_key, made.secrets) == ("Partner", "sftp", PIN, ("password",))
    assert (made.tested_at, made.is_working) == (None, None)
    assert "s3cret" not in repr(made) + made.model_dump_json()


def test_secrets_are_in_no_table_no_file_and_no_log(workspace, destinations):
    destinations.add("Partner", place_from(SFTP), PASSWORD)
    with workspace.engine.session() as session:
        kept = session.value("SELECT secrets FROM destination")
        assert kept.startswith("sealed:")
        everything = json.dumps(
            [session.rows("SELECT * FROM destination"), session.rows("SELECT * FROM audit")], default=str
        )
        assert verify_audit(session) is None
    assert "s3cret" not in everything
    workspace.engine.checkpoint()
    assert all(b"s3cret" not in path.read_bytes() for path in workspace.home.rglob("*") if path.is_file())


def test_a_sealed_secret_opens_for_its_own_destination_only(workspace, destinations):
    first = destinations.add("First", place_from(SFTP), PASSWORD)
    second = destinations.add("Second", place_from(SFTP), Secrets(password="other"))
    with workspace.engine.session() as session:
        session.run(
            "UPDATE destination SET secrets = (SELECT secrets FROM destination WHERE destination_id = ?) "
            "WHERE destination_id = ?",
            [first.destination_id, second.destination_id],
        )
    assert code_of(destinations.connect, "Second") == "secret_damaged"


@pytest.mark.parametrize("again", ["Partner", "partner", " PARTNER "])
def test_names_are_unique_without_regard_to_case(destinations, again):
    destinations.add("Partner", place_from(SFTP))
    assert code_of(destinations.add, again, place_from(SFTP)) == "destination_exists"


def test_a_change_keeps_what_is_not_given(destinations):
    made = destinations.add("Partner", place_from(SFTP), PASSWORD)
    changed = destinations.change("partner", name="Agency", place=place_from({**SFTP, "folder": "out"}))
    assert (changed.name, changed.place.folder, changed.secrets) == ("Agency", "out", ("password",))
    assert changed.destination_id == made.destination_id
    changed = destinations.change("Agency", secrets=Secrets(private_key="key", passphrase="words"), forget=["password"])
    assert changed.secrets == ("private_key", "passphrase")


@pytest.mark.parametrize(
    "elsewhere",
    [{"host": "evil.example.com"}, {"port": 2222}, {"kind": "ftps"}, {"kind": "ftp", "plain": True}],
    ids=["host", "port", "kind", "plain"],
)
def test_who_sends_it_elsewhere_gives_the_secrets_again(destinations, elsewhere):
    destinations.add("Partner", place_from(SFTP), PASSWORD)
    place = place_from({**SFTP, **elsewhere})
    assert code_of(destinations.change, "Partner", place=place) == "secrets_needed_again"
    assert destinations.get("Partner").place == place_from(SFTP)
    assert destinations.change("Partner", place=place, secrets=PASSWORD).place == place


def test_a_host_key_is_pinned_and_the_test_is_forgotten(destinations, folder):
    destinations.add("Partner", place_from(SFTP))
    assert destinations.trust("Partner", PIN + "=").place.host_key == PIN
    assert code_of(destinations.trust, "Partner", "MD5:aa:bb") == "bad_place"
    destinations.add("Folder", folder)
    assert code_of(destinations.trust, "Folder", PIN) == "no_host_key"
    assert destinations.test("Folder").is_working
    assert destinations.get("Folder").is_working
    assert destinations.change("Folder", name="Shelf").tested_at is None


def test_what_was_removed_is_gone_but_its_name_in_the_history(workspace, destinations):
    made = destinations.add("Partner", place_from(SFTP), PASSWORD)
    destinations.remove("Partner")
    assert destinations.list() == []
    assert code_of(destinations.get, "Partner") == "no_such_destination"
    assert destinations.get(made.destination_id).removed_at is not None
    assert code_of(destinations.connect, made.destination_id) == "destination_removed"
    assert [one.name for one in destinations.list(include_removed=True)] == ["Partner"]
    with workspace.engine.session() as session:
        assert session.value("SELECT secrets FROM destination") is None
    assert destinations.add("Partner", place_from(SFTP)).destination_id != made.destination_id


def test_changes_are_on_the_audit_log(workspace, destinations):
    destinations.add("Partner", place_from(SFTP), PASSWORD)
    destinations.change("Partner", secrets=Secrets(password="s3cret-too"))
    destinations.remove("Partner")
    with workspace.engine.session() as session:
        entries = session.rows("SELECT action, object, detail FROM audit WHERE action LIKE '%destination' ORDER BY seq")
    assert [entry[:2] for entry in entries] == [
        ("add destination", "Partner"), ("change destination", "Partner"), ("remove destination", "Partner"),
    ]  # fmt: skip
    assert json.loads(entries[1][2])["new_secrets"] == ["password"]


def test_a_test_says_what_works_and_leaves_nothing(destinations, folder, tmp_path):
    destinations.add("Folder", folder)
    made = destinations.test("Folder")
    assert [made.connect.ok, made.list.ok, made.write.ok, made.delete.ok] == [True] * 4
    assert list((tmp_path / "exchange").iterdir()) == []


def test_a_test_of_what_is_not_there_says_so(destinations, folder, tmp_path):
    destinations.add("Folder", folder)
    (tmp_path / "exchange").rmdir()
    made = destinations.test("Folder")
    assert (made.connect.ok, made.connect.code) == (False, "place_missing")
    assert [made.list.ok, made.write.ok, made.delete.ok] == [None] * 3
    assert destinations.get("Folder").is_working is False


@pytest.mark.parametrize("inside", ["", "landing", "tmp/x", ".."])
def test_nothing_is_left_among_the_files_of_the_workspace(workspace, destinations, inside):
    place = FolderPlace(path=str((workspace.home / inside).resolve()))
    assert code_of(destinations.add, "Folder", place) == "bad_folder"


def test_a_link_to_the_workspace_is_the_workspace(workspace, destinations, tmp_path):
    (tmp_path / "link").symlink_to(workspace.home)
    assert code_of(destinations.add, "Folder", FolderPlace(path=str(tmp_path / "link"))) == "bad_folder"


def test_the_outbox_of_the_workspace_may_be_used(workspace, destinations):
    assert destinations.add("Out", FolderPlace(path=str(workspace.home / "outbox")))


def test_a_kind_takes_its_own_secrets_only(destinations, folder):
    assert code_of(destinations.add, "Folder", folder, PASSWORD) == "bad_secret"
    assert code_of(destinations.add, "Partner", place_from(SFTP), Secrets(secret_key="x")) == "bad_secret"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gopher"},
        {"kind": "folder", "path": "relative"},
        {"kind": "folder", "path": "/srv/../etc"},
        {**SFTP, "host": "user:word@host"},
        {**SFTP, "host": "host/path"},
        {**SFTP, "host": "169.254.169.254"},
        {**SFTP, "host": "::ffff:169.254.169.254"},
        {**SFTP, "host": "fe80::1"},
        {**SFTP, "host": "0.0.0.0"},
        {**SFTP, "host": "metadata.google.internal"},
        {**SFTP, "port": 0},
        {**SFTP, "folder": "../up"},
        {**SFTP, "surprise": 1},
        {**SFTP, "host_key": "SHA256:short"},
        {"kind": "ftp", "host": "ftp.example.com", "user": "u"},
        {"kind": "ftps", "host": "ftp.example.com", "user": "u", "certificate": "no pem"},
        {"kind": "s3", "bucket": "b", "access_key": "A"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "endpoint": "http://s3.example.com"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "endpoint": "https://user:word@s3.example.com"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "endpoint": "https://s3.example.com/bucket"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "endpoint": "https://169.254.169.254"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "endpoint": "file:///etc"},
        {"kind": "s3", "bucket": "bucket", "access_key": "A", "kms_key": "k"},
    ],
)
def test_a_place_that_cannot_be_is_refused_without_quoting_it(wrong):
    with pytest.raises(OnrampError) as caught:
        place_from(wrong)
    assert caught.value.code == "bad_place"
    assert "word" not in caught.value.message.replace("password", "")
