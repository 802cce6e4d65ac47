"""A backup file that is not exactly what was written is refused, and no name in it leads out of the folder."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import tarfile
from pathlib import Path

import pytest

from ingest_core.errors import OnrampError
from ingest_core.operations.archive import check_archive
from ingest_core.operations.restore import restore


@pytest.fixture
def backup(filled, tmp_path) -> Path:
    filled.workspace.operations.backup(tmp_path / "b.onramp", is_quick=True)
    return tmp_path / "b.onramp"


def refused(archive: Path, tmp_path: Path) -> str:
    """The code of the error; nothing is left of the try."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OnrampError) as caught:
        restore(archive, tmp_path / "target", "bina")
    assert sorted(tmp_path.iterdir()) == before
    return caught.value.code


def sealed(tar: bytes) -> bytes:
    """What somebody who knows the format could write."""
    return tar + b"onramp sha256 %s\n" % hashlib.sha256(tar).hexdigest().encode()


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def forged(archive: Path, entries: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry, data in entries:
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    archive.write_bytes(sealed(out.getvalue()))
    return archive


def test_any_changed_bit_is_refused(backup, tmp_path):
    whole = backup.read_bytes()
    places = random.Random(7).sample(range(len(whole)), 150)
    places += [*range(600), *range(len(whole) - 600, len(whole))]  # headers, padding, the seal itself
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        backup.write_bytes(changed)
        with pytest.raises(OnrampError) as caught:
            check_archive(backup)
        assert caught.value.code in {"backup_damaged", "not_a_backup"}, place
    backup.write_bytes(whole)
    check_archive(backup)


def test_a_changed_backup_leaves_no_folder(backup, tmp_path):
    changed = bytearray(backup.read_bytes())
    changed[len(changed) // 2] ^= 1
    backup.write_bytes(changed)
    assert refused(backup, tmp_path) == "backup_damaged"


@pytest.mark.parametrize("kept", [0, 10, 79, 512, 10_240, 500_000])
def test_a_backup_without_its_end_is_refused(backup, tmp_path, kept):
    backup.write_bytes(backup.read_bytes()[:kept])
    assert refused(backup, tmp_path) == "not_a_backup"


def test_a_backup_with_something_behind_it_is_refused(backup, tmp_path):
    backup.write_bytes(backup.read_bytes() + b"\n")
    assert refused(backup, tmp_path) == "not_a_backup"


@pytest.mark.parametrize("content", [b"", b"\0" * 2000, b"crmid\temail\n" * 900])
def test_another_file_is_refused(tmp_path, content):
    other = tmp_path / "other.onramp"
    other.write_bytes(content)
    assert refused(other, tmp_path) == "not_a_backup"
    other.write_bytes(sealed(content))
    assert refused(other, tmp_path) == "backup_damaged"


@pytest.mark.parametrize(
    "name",
    [
        "/tmp/evil", "../evil", "landing/../../evil", "landing/../keys.json", "./keys.json", "evil", "tmp/evil",
        "landing/" + "a" * 32 + ".sh", "landing/" + "a" * 32 + ".land\n", "keys.json/", "onramp.duckdb.wal", "lock",
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(backup, tmp_path, name):
    content = members(backup)
    entries = [(tarfile.TarInfo(name), b"evil"), *((tarfile.TarInfo(n), data) for n, data in content.items())]
    if name == "keys.json/":
        entries[0][0].type = tarfile.DIRTYPE
    assert refused(forged(backup, entries), tmp_path) == "backup_damaged"
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_a_member_that_is_no_plain_file_is_refused(backup, tmp_path, kind):
    content = members(backup)
    link = tarfile.TarInfo("settings.json")
    link.type, link.linkname = kind, "/etc/passwd"
    entries = [(link, b""), *((tarfile.TarInfo(n), data) for n, data in content.items())]
    assert refused(forged(backup, entries), tmp_path) == "backup_damaged"


@pytest.mark.parametrize("trick", ["twice", "changed", "missing", "added", "after the manifest", "no manifest"])
def test_members_that_are_not_those_of_the_manifest_are_refused(backup, tmp_path, trick):
    entries = [(tarfile.TarInfo(name), data) for name, data in members(backup).items()]
    at = [entry.name for entry, _ in entries].index("keys.json")
    extra = (tarfile.TarInfo("settings.json"), b"{}")
    if trick == "twice":
        entries.insert(at, (tarfile.TarInfo("keys.json"), entries[at][1]))
    elif trick == "changed":
        entries[at] = (entries[at][0], entries[at][1] + b" ")
    elif trick == "missing":
        del entries[at]
    elif trick == "added":
        entries.insert(0, extra)
    elif trick == "after the manifest":
        entries.append(extra)
    else:
        entries.pop()
    assert refused(forged(backup, entries), tmp_path) == "backup_damaged"


def with_manifest(backup: Path, **changes: object) -> Path:
    content = members(backup)
    content["manifest.json"] = json.dumps({**json.loads(content["manifest.json"]), **changes}).encode()
    return forged(backup, [(tarfile.TarInfo(name), data) for name, data in content.items()])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"format": 2}, "backup_too_new"),
        ({"format": None}, "backup_damaged"),
        ({"surprise": 1}, "backup_damaged"),
        ({"members": []}, "backup_damaged"),
        ({"profiles": 99}, "restore_differs"),
        ({"digest": "0" * 64}, "restore_differs"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(backup, tmp_path, changes, code):
    assert refused(with_manifest(backup, **changes), tmp_path) == code


def test_a_manifest_that_is_no_object_is_refused(backup, tmp_path):
    content = members(backup) | {"manifest.json": b"[1]"}
    entries = [(tarfile.TarInfo(name), data) for name, data in content.items()]
    assert refused(forged(backup, entries), tmp_path) == "backup_damaged"


def test_a_forged_backup_as_such_is_taken(backup, tmp_path):
    """Else the tests above would prove nothing: the same way of writing, without a trick."""
    home = tmp_path / "target"
    restore(with_manifest(backup), home, "bina")
    shutil.rmtree(home)


def test_the_archive_is_a_tar_that_names_its_members(backup):
    manifest = json.loads(members(backup)["manifest.json"])
    assert manifest["members"].keys() == {"onramp.duckdb", "keys.json"}
    for name, member in manifest["members"].items():
        data = members(backup)[name]
        assert member == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
