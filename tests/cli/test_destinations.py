"""The commands about destinations: every field, secrets by where they are, results and exit codes."""

from __future__ import annotations

import pytest

SFTP = ["--kind", "sftp", "--host", "sftp.example.com", "--user", "asha"]


def test_a_destination_is_made_listed_changed_and_removed(onramp, monkeypatch, tmp_path):
    monkeypatch.setenv("SFTP_PASSWORD", "s3cret")
    made = onramp.json(
        "destination", "add", "Partner", *SFTP, "--port", "2222", "--folder", "in", "--secret",
        "password=env:SFTP_PASSWORD"
    )  # fmt: skip
    assert made["place"] == {"kind": "sftp", "host": "sftp.example.com", "port": 2222, "user": "asha", "folder": "in"}
    assert made["secrets"] == ["password"]
    assert onramp.json("destination", "list") == [made]
    key = tmp_path / "key"
    key.write_text("a private key\n")
    changed = onramp.json(
        "destination", "set", "partner", "--name", "Agency", "--folder", "out", "--secret", f"private_key=file:{key}",
        "--forget", "password",
    )  # fmt: skip
    assert (changed["name"], changed["place"]["folder"], changed["secrets"]) == ("Agency", "out", ["private_key"])
    pinned = onramp.json("destination", "trust", "Agency", "--host-key", "ssh-ed25519 SHA256:" + "A" * 43)
    assert pinned["place"]["host_key"].endswith("A" * 43)
    assert onramp.json("destination", "show", "Agency") == pinned
    assert "s3cret" not in str(made) + str(changed) + onramp.run("destination", "show", "Agency").out
    assert onramp.json("destination", "remove", "Agency") == {"name": "Agency", "removed": True}
    assert onramp.json("destination", "list") == []


def test_a_folder_is_tested_and_the_exit_code_says_whether_it_works(onramp, tmp_path):
    folder = tmp_path / "exchange"
    folder.mkdir()
    onramp.json("destination", "add", "Shelf", "--kind", "folder", "--path", folder)
    made = onramp.json("destination", "test", "Shelf")
    assert [made[step]["ok"] for step in ("connect", "list", "write", "delete")] == [True] * 4
    assert "write: ok" in onramp.run("destination", "test", "Shelf").out
    folder.rmdir()
    done = onramp.run("destination", "test", "Shelf")
    assert done.code == 1
    assert "connect: failed" in done.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["add", "P", *SFTP, "--secret", "password=s3cret"], "bad_secret"),
        (["add", "P", *SFTP, "--secret", "password=env:NOT_THERE"], "bad_secret"),
        (["add", "P", *SFTP, "--secret", "colour=env:HOME"], "bad_secret"),
        (["add", "P", *SFTP, "--secret", "secret_key=env:HOME"], "bad_secret"),
        (["add", "P", *SFTP, "--secret", "password=file:/not/there"], "no_such_file"),
        (["add", "P", "--kind", "sftp", "--host", "sftp.example.com"], "bad_place"),
        (["add", "P", "--kind", "ftp", "--host", "ftp.example.com", "--user", "u"], "bad_place"),
        (["add", "P", "--kind", "folder", "--path", "relative"], "bad_place"),
        (["add", "P", "--kind", "carrier"], "usage"),
        (["add", "P", "--kind", "s3", "--preset", "beta"], "usage"),
        (["add", "P", "--kind", "folder", "--path", "/srv", "--partner", "acme"], "usage"),
        (["add", "P", "--preset", "production", "--access-key", "A"], "bad_preset"),
        (["add", "P", "--preset", "production", "--partner", "date=1", "--access-key", "A"], "bad_place"),
        (["add", "P", "--preset", "production", "--partner", "a/b", "--access-key", "A"], "bad_place"),
        (["add", "P", "--preset", "beta", "--partner", "acme", "--access-key", "A", "--acl", "private"], "bad_place"),
        (["add", "P", "--preset", "beta", "--by", "sftp", "--user", "u", "--host", "ftp-in.demdex.com"], "bad_place"),
        (["set", "Nobody", "--folder", "x"], "no_such_destination"),
        (["test", "Nobody"], "no_such_destination"),
        (["remove", "Nobody"], "no_such_destination"),
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_is_quoted(onramp, arguments, code):
    told = onramp.refuse("destination", *arguments)
    assert told["code"] == code
    assert "s3cret" not in str(told)


def test_nothing_to_set_is_no_change(onramp):
    onramp.json("destination", "add", "Partner", *SFTP)
    assert onramp.refuse("destination", "set", "Partner")["code"] == "usage"


def test_openpgp_keys_are_added_listed_shown_and_removed(onramp, tmp_path):
    import pysequoia

    key = pysequoia.Tsk.generate(user_id="Asha <asha@example.com>", profile=pysequoia.Profile.RFC4880)
    file = tmp_path / "private.asc"
    file.write_text(str(key))
    made = onramp.json("pgp", "add", "Ours", file)
    assert (made["name"], made["kind"], made["fingerprint"]) == (
        "Ours",
        "private",
        key.extract_certificate().fingerprint,
    )
    assert onramp.json("pgp", "list") == [made]
    assert "BEGIN PGP PUBLIC KEY" in onramp.run("pgp", "public", "Ours").out
    assert onramp.json("pgp", "remove", "Ours") == {"name": "Ours", "removed": True}
    assert onramp.refuse("pgp", "public", "Ours")["code"] == "no_such_pgp_key"


@pytest.mark.parametrize(("preset", "bucket", "host"), [
    ("production", "demdex-s2s-clients", "ftp-in.demdex.com"),
    ("beta", "demdex-s2s-clients-sandbox-us-east-1", "sandbox-ftp-in.demdex.com"),
])  # fmt: skip
def test_a_place_of_audience_manager_is_made_by_one_command(onramp, monkeypatch, preset, bucket, host):
    monkeypatch.setenv("SECRET", "s3cret")
    s3 = onramp.json("destination", "add", "Bucket", "--preset", preset, "--partner", "acme", "--access-key", "AKIA",
                     "--secret", "secret_key=env:SECRET")  # fmt: skip
    receiver = {"environment": preset, "partner": "acme"}
    assert (s3["place"]["bucket"], s3["place"]["acl"]) == (bucket, "bucket-owner-full-control")
    assert s3["place"]["receiver"] == receiver
    for by in ("sftp", "ftps"):
        made = onramp.json("destination", "add", by, "--preset", preset, "--by", by, "--user", "acme",
                           "--secret", "password=env:SECRET")  # fmt: skip
        assert (made["place"]["kind"], made["place"]["host"]) == (by, host)
    assert f"environment: {preset}" in onramp.run("destination", "show", "Bucket").out
    kept = onramp.json("destination", "set", "Bucket", "--endpoint", "https://s3.example.com", "--secret",
                       "secret_key=env:SECRET")  # fmt: skip
    assert kept["place"]["receiver"] == receiver
    assert onramp.refuse("destination", "set", "Bucket", "--acl", "none")["code"] == "bad_place"
