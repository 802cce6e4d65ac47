"""Received originals: encrypted, resumable, readable anywhere, refused when changed."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_core.errors import OnrampError, StateError
from ingest_core.vault import LandingZone
from ingest_core.vault.keys import new_keyset
from ingest_core.vault.landing import CHUNK

SEALED = CHUNK + 28
SIZES = (0, 1, 65_535, 65_536, 65_537, 200_000)


@pytest.fixture
def zone(tmp_path):
    return LandingZone(tmp_path / "landing", new_keyset())


def content(size):
    return os.urandom(size)


def land(zone, data, name="people.tsv"):
    writer = zone.create(name, len(data))
    writer.write(data)
    return writer.finish()


def read(zone, landing_id):
    with zone.open(landing_id).open() as stream:
        return stream.read()


def path_of(zone, landing_id, suffix=".land"):
    return zone._folder / (landing_id + suffix)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("block", [1 << 20, 65_536, 7_919])
def test_what_was_received_is_read_back(zone, size, block):
    data = content(size)
    writer = zone.create("people.tsv", size)
    for start in range(0, size, block):
        writer.write(data[start : start + block])
        assert writer.offset == min(start + block, size)
    landing_id = writer.finish()
    source = zone.open(landing_id)
    assert (source.name, source.size, zone.offset(landing_id)) == ("people.tsv", size, size)
    assert read(zone, landing_id) == data
    assert read(zone, landing_id) == data, "it can be read any number of times"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cut", [0, 1, 65_535, 65_536, 65_537, 131_072])
def test_a_parked_file_goes_on_where_it_ended(zone, size, cut):
    data, cut = content(size), min(cut, size)
    landing_id = land(zone, data[:cut])
    writer = zone.resume(landing_id)
    assert writer.offset == cut
    writer.write(data[cut:])
    writer.finish()
    assert read(zone, landing_id) == data


@pytest.mark.parametrize("torn", [1, 11, 12, 27, 28, 100, 3_000])
def test_a_torn_last_chunk_is_dropped_and_sent_again(zone, torn):
    data = content(CHUNK + 5_000)
    landing_id = land(zone, data)
    with path_of(zone, landing_id).open("r+b") as file:
        file.truncate(SEALED + torn)
    writer = zone.resume(landing_id)
    assert writer.offset == CHUNK
    writer.write(data[CHUNK:])
    writer.finish()
    assert read(zone, landing_id) == data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_any_place_can_be_read(zone, data):
    size = data.draw(st.sampled_from(SIZES))
    expected = bytes(range(256)) * (size // 256) + bytes(size % 256)
    places = data.draw(st.lists(st.tuples(st.integers(0, size + 10), st.integers(-1, 140_000)), max_size=6))
    landing_id = land(zone, expected)
    with zone.open(landing_id).open() as stream:
        for offset, length in places:
            assert stream.seek(offset) == offset
            wanted = expected[offset:] if length < 0 else expected[offset : offset + length]
            assert stream.read(length) == wanted
            assert stream.tell() == offset + len(wanted)
        assert stream.seek(0, os.SEEK_END) == size
        assert stream.seek(-size, os.SEEK_CUR) == 0


def test_a_changed_bit_is_refused_wherever_it_is(zone):
    landing_id = land(zone, content(CHUNK + 100))
    path = path_of(zone, landing_id)
    sealed = path.read_bytes()
    for place in (0, 11, 12, 5_000, SEALED - 1, SEALED, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(StateError) as caught:
            read(zone, landing_id)
        assert caught.value.code == "landing_damaged"


def test_chunks_cannot_be_swapped_or_taken_from_another_file(zone):
    landing_id, other = land(zone, content(2 * CHUNK)), land(zone, content(2 * CHUNK))
    path = path_of(zone, landing_id)
    sealed, foreign = path.read_bytes(), path_of(zone, other).read_bytes()
    for changed in (sealed[SEALED:] + sealed[:SEALED], foreign[:SEALED] + sealed[SEALED:], foreign):
        path.write_bytes(changed)
        with pytest.raises(StateError) as caught:
            read(zone, landing_id)
        assert caught.value.code == "landing_damaged"


def test_the_name_is_sealed_too_and_bound_to_its_file(zone):
    landing_id, other = land(zone, b"a", "priya raman.tsv"), land(zone, b"b", "other.tsv")
    assert b"priya" not in path_of(zone, landing_id, ".json").read_bytes()
    path_of(zone, landing_id, ".json").write_bytes(path_of(zone, other, ".json").read_bytes())
    with pytest.raises(StateError) as caught:
        zone.open(landing_id)
    assert caught.value.code == "landing_damaged"


def test_nothing_is_on_disk_in_the_clear(zone):
    landing_id = land(zone, b"priya.raman@example.in\n" * 10_000)
    for path in zone._folder.iterdir():
        assert b"priya" not in path.read_bytes(), path.suffix
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stem == landing_id
    assert zone._folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["../../etc/passwd", "名前.tsv", "a\nb", "=cmd()", "[ab].csv", "", "x" * 5000])
def test_the_users_name_is_only_data(zone, name):
    landing_id = land(zone, b"a", name)
    assert zone.open(landing_id).name == name
    assert zone.ids() == [landing_id]


@pytest.mark.parametrize(
    "landing_id", ["", "x", "../keys", "a" * 31, "a" * 33, "A" * 32, "a" * 32 + "\n", "/" + "a" * 31, "%2e" * 10 + "aa"]
)
def test_hostile_ids_are_refused(zone, landing_id):
    for call in (zone.open, zone.resume, zone.offset, zone.delete):
        with pytest.raises(OnrampError) as caught:
            call(landing_id)
        assert caught.value.code == "no_such_file"


def test_a_file_that_is_gone_says_so(zone):
    landing_id = land(zone, b"a")
    zone.delete(landing_id)
    zone.delete(landing_id)
    for call in (zone.open, zone.resume, zone.offset):
        with pytest.raises(OnrampError) as caught:
            call(landing_id)
        assert caught.value.code == "no_such_file"
    assert list(zone._folder.iterdir()) == []


def test_other_keys_open_nothing(zone, tmp_path):
    landing_id = land(zone, b"a")
    with pytest.raises(StateError) as caught:
        LandingZone(tmp_path / "landing", new_keyset()).open(landing_id)
    assert caught.value.code == "landing_damaged"
