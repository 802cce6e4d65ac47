"""What a folder does beyond the contract that all places share (test_contract.py)."""

from __future__ import annotations

import os

import pytest

from ingest_core.errors import DeliveryError, InputError
from ingest_core.transport.connecting import connect
from ingest_core.transport.places import FolderPlace
from tests.transport.bytes_of import Bytes


@pytest.fixture
def place(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    with connect(FolderPlace(path=str(root))) as place:
        yield place


@pytest.fixture
def root(tmp_path, place):
    return tmp_path / "root"


@pytest.fixture
def outside(tmp_path):
    made = tmp_path / "outside"
    made.mkdir()
    (made / "kept.txt").write_bytes(b"theirs")
    return made


def test_a_link_is_neither_listed_nor_fetched(place, root, outside):
    (root / "link.txt").symlink_to(outside / "kept.txt")
    (root / "hard.txt").write_bytes(b"ours")
    assert [one.name for one in place.entries()] == ["hard.txt"]
    entry = place.entries()[0]
    (root / "hard.txt").unlink()
    (root / "hard.txt").symlink_to(outside / "kept.txt")
    with pytest.raises(DeliveryError):
        place.fetch(entry, lambda block: pytest.fail("bytes through a link"))


@pytest.mark.parametrize("name", ["link/new.txt", "link/kept.txt"])
def test_no_folder_is_entered_through_a_link(place, root, outside, name):
    (root / "link").symlink_to(outside)
    for call in (
        lambda: place.put(name, Bytes(b"x"), replace=True),
        lambda: place.delete(name),
        lambda: place.entries("link"),
        lambda: place.move(name, "here.txt"),
    ):
        with pytest.raises(DeliveryError):
            call()
    assert [path.name for path in outside.iterdir()] == ["kept.txt"]
    assert (outside / "kept.txt").read_bytes() == b"theirs"


def test_a_link_under_the_name_of_the_draft_is_not_written_through(place, root, outside):
    (root / "new.txt.part").symlink_to(outside / "kept.txt")
    place.put("new.txt", Bytes(b"whole"))
    assert (outside / "kept.txt").read_bytes() == b"theirs"
    assert (root / "new.txt").read_bytes() == b"whole"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "", "a//b", ".", "a\\b", "a\nb"])
def test_no_name_leaves_the_folder(place, root, name):
    for call in (lambda: place.put(name, Bytes(b"x")), lambda: place.delete(name), lambda: place.move(name, "y")):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "bad_file_name"
    assert [path.name for path in root.parent.iterdir()] == ["root"]


def test_a_pipe_is_no_file(place, root):
    os.mkfifo(root / "pipe")
    assert place.entries() == []


def test_the_folder_itself_is_never_made(tmp_path):
    with pytest.raises(DeliveryError) as caught:
        connect(FolderPlace(path=str(tmp_path / "not there")))
    assert (caught.value.code, caught.value.is_retryable) == ("place_missing", True)
    assert not (tmp_path / "not there").exists()


def test_a_full_disk_leaves_nothing_and_the_next_try_succeeds(place, root, monkeypatch):
    full = Bytes(b"x" * 3_000_000)
    full.fail_at(2_000_000, OSError(28, "No space left on device"))
    with pytest.raises(DeliveryError) as caught:
        place.put("new.bin", full)
    assert (caught.value.code, caught.value.is_retryable) == ("place_full", True)
    assert list(root.iterdir()) == []
    place.put("new.bin", Bytes(b"x" * 3_000_000))
    assert [one.name for one in place.entries()] == ["new.bin"]


def test_a_file_of_another_length_than_it_says_is_not_left(place, root):
    short = Bytes(b"1234")
    short.size = 9
    with pytest.raises(DeliveryError) as caught:
        place.put("new.bin", short)
    assert caught.value.code == "transfer_incomplete"
    assert list(root.iterdir()) == []


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_another_one(place, root):
    (root / "a.txt").write_bytes(b"first")
    os.utime(root / "a.txt", (1_700_000_000, 1_700_000_000))
    [entry] = place.entries()
    (root / "b.txt").write_bytes(b"other")
    os.utime(root / "b.txt", (1_700_000_000, 1_700_000_000))
    (root / "b.txt").rename(root / "a.txt")
    with pytest.raises(DeliveryError) as caught:
        place.fetch(entry, lambda _: None)
    assert caught.value.code == "file_changed"
