"""What every place keeps to, whatever its kind."""

from __future__ import annotations

import hashlib
import random

import pytest

from ingest_core.errors import DeliveryError, InputError
from ingest_core.transport.port import Place
from tests.transport.bytes_of import Bytes

DATA = random.Random(7).randbytes(3_300_001)


def taken(place: Place, entry) -> bytes:
    parts: list[bytes] = []
    place.fetch(entry, parts.append)
    return b"".join(parts)


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(DeliveryError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def test_what_was_left_is_listed_and_fetched_byte_for_byte(site):
    with site.connect() as place:
        assert isinstance(place, Place)
        assert place.entries() == []
        seen: list[int] = []
        stored = place.put("out.bin", Bytes(DATA), seen.append)
        assert (stored.name, stored.size) == ("out.bin", len(DATA))
        assert seen == sorted(seen)
        assert seen[-1] == len(DATA)
        assert "out.bin" in stored.location
        [entry] = place.entries()
        assert (entry.name, entry.size) == ("out.bin", len(DATA))
        assert entry.modified is not None
        assert entry.modified.tzinfo is not None
        assert taken(place, entry) == DATA
    assert site.files() == {"out.bin": DATA}


@pytest.mark.parametrize("data", [b"", b"\x00", b"\r\n\r\n", bytes(range(256)) * 5])
def test_bytes_stay_what_they_are(site, data):
    with site.connect() as place:
        place.put("a b.tsv", Bytes(data))
        [entry] = place.entries()
        assert taken(place, entry) == data
    assert site.files() == {"a b.tsv": data}


def test_names_beyond_ascii_come_back(site):
    with site.connect() as place:
        place.put("größe 客户.tsv", Bytes(b"x"))
        assert [one.name for one in place.entries()] == ["größe 客户.tsv"]
        assert taken(place, place.entries()[0]) == b"x"
    assert site.files() == {"größe 客户.tsv": b"x"}


def test_folders_are_made_and_listed_on_their_own(site):
    with site.connect() as place:
        place.put("in/2026/a.tsv", Bytes(b"1"))
        place.put("in/b.tsv", Bytes(b"22"))
        place.put("c.tsv", Bytes(b"333"))
        assert [one.name for one in place.entries()] == ["c.tsv"]
        assert [one.name for one in place.entries("in")] == ["in/b.tsv"]
        assert [one.name for one in place.entries("in/2026")] == ["in/2026/a.tsv"]
        assert place.entries("nowhere") == []


def test_files_that_are_being_written_are_not_listed(site):
    site.write("whole.tsv", b"1")
    site.write("half.tsv.part", b"1")
    with site.connect() as place:
        assert [one.name for one in place.entries()] == ["whole.tsv"]


def test_the_same_bytes_twice_are_one_file(site):
    with site.connect() as place:
        first = place.put("out.bin", Bytes(DATA))
        again = place.put("out.bin", Bytes(DATA))
        assert (again.size, again.location) == (first.size, first.location)
    assert site.files() == {"out.bin": DATA}


@pytest.mark.parametrize("other", [b"shorter", DATA[:-1] + bytes([DATA[-1] ^ 1])], ids=["size", "bit"])
def test_other_bytes_under_the_same_name_are_refused_unless_asked_for(site, other):
    with site.connect() as place:
        place.put("out.bin", Bytes(DATA))
        assert code_of(place.put, "out.bin", Bytes(other)) == "file_exists"
        assert site.files() == {"out.bin": DATA}
        place.put("out.bin", Bytes(other), replace=True)
    assert site.files() == {"out.bin": other}


def test_a_file_moves_also_over_another_and_into_a_new_folder(site):
    site.write("a.tsv", b"new")
    site.write("done/a.tsv", b"old")
    with site.connect() as place:
        place.move("a.tsv", "done/a.tsv")
        assert site.files() == {"done/a.tsv": b"new"}
        place.move("done/a.tsv", "failed/deep/b.tsv")
        assert site.files() == {"failed/deep/b.tsv": b"new"}
        assert code_of(place.move, "a.tsv", "b.tsv") == "file_gone"


def test_a_deleted_file_is_gone_and_deleting_again_is_no_error(site):
    site.write("a.tsv", b"1")
    with site.connect() as place:
        place.delete("a.tsv")
        place.delete("a.tsv")
        place.delete("nowhere/a.tsv")
        assert place.entries() == []
    assert site.files() == {}


def test_a_file_that_changed_since_it_was_looked_at_is_not_taken(site):
    site.write("a.tsv", b"first")
    with site.connect() as place:
        [entry] = place.entries()
        site.write("a.tsv", b"longer than first")
        assert code_of(place.fetch, entry, lambda _: None) == "file_changed"
        [entry] = place.entries()
        assert taken(place, entry) == b"longer than first"


def test_a_file_that_grows_while_it_is_fetched_is_not_taken(site):
    if site.kind == "s3":
        pytest.skip("an object is replaced, never changed")
    site.write("a.tsv", DATA)
    with site.connect() as place:
        [entry] = place.entries()
        grown: list[bytes] = []

        def write(block: bytes) -> None:
            if not grown:
                site.write("a.tsv", DATA + b"more")
            grown.append(block)

        assert code_of(place.fetch, entry, write) == "file_changed"


def test_a_file_that_went_since_it_was_looked_at_is_gone(site):
    site.write("a.tsv", b"1")
    with site.connect() as place:
        [entry] = place.entries()
        place.delete("a.tsv")
        assert code_of(place.fetch, entry, lambda _: None) == "file_gone"


@pytest.mark.parametrize("name", ["../x", "/x", "", "a//b", "a\nb", "a\r\nDELE b"])
def test_no_name_leaves_the_place_or_says_more_than_a_name(site, name):
    site.write("b", b"kept")
    with site.connect() as place:
        for call in (lambda: place.put(name, Bytes(b"x")), lambda: place.delete(name), lambda: place.move("b", name)):
            with pytest.raises(InputError):
                call()
    assert site.files() == {"b": b"kept"}


def test_who_is_asked_to_stop_leaves_nothing(site):
    class StopError(Exception):
        pass

    def told(done: int) -> None:
        raise StopError

    with site.connect() as place, pytest.raises(StopError):
        place.put("out.bin", Bytes(DATA), told)
    assert site.files().keys() <= {"out.bin.part"} or site.files() == {"out.bin": DATA}
    with site.connect() as place:
        place.put("out.bin", Bytes(DATA))
        assert [one.name for one in place.entries()] == ["out.bin"]
    assert {name: hashlib.md5(data).hexdigest() for name, data in site.files().items()} == {
        "out.bin": hashlib.md5(DATA).hexdigest()
    }


def test_a_source_of_another_length_than_it_says_is_not_left(site):
    short = Bytes(DATA[:1000])
    short.size = 1001
    with site.connect() as place:
        assert code_of(place.put, "out.bin", short) == "transfer_incomplete"
        assert place.entries() == []
    assert "out.bin" not in site.files()
