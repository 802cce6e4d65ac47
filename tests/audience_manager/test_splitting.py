"""Files in parts: joined they are the file, each is a file of its own, and nothing is left when it fails."""

from __future__ import annotations

import gzip
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.checking import check_files
from ingest_core.audience_manager.names import DataName, parse_base
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.splitting import IntoFolder, IntoZone, split_file
from ingest_core.clock import now
from ingest_core.errors import FileError, InputError
from ingest_core.vault import LandingZone
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]

NAME = "ftp_dpm_21_1700000000.sync"
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "u1\td_sid=1", "K 2\td_sid=7,city=Pune", "ü\t“x”=1", "x" * 99, "a\rb", "\r", "\r\r"]),
        st.sampled_from(["\n", "\r\n"]),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def text_of(part, data):
    return gzip.decompress(data) if part.name.endswith(".gz") else data


def noise(lines, seed=7):
    """Lines that cannot be packed to nothing."""
    letters = random.Random(seed)
    return b"".join(b"u%d\tk=%s\n" % (n, letters.randbytes(40).hex().encode()) for n in range(lines))


def split_or_none(file, folder, most):
    """The parts; none where all of it fits into one."""
    try:
        return split_file(file, IntoFolder(folder), most=most)
    except InputError as error:
        if error.code != "nothing_to_split":
            raise
        return ()


@settings(deadline=None, max_examples=200)
@given(lines=LINES, most=st.integers(1, 400), is_ended=st.booleans(), is_marked=st.booleans())
def test_parts_joined_are_the_file_and_no_line_is_cut(lines, most, is_ended, is_marked):
    text = "".join(line + end for line, end in lines) + ("" if is_ended else "last\td_sid=1")
    data = ("\ufeff" if is_marked else "").encode() + text.encode()
    with tempfile.TemporaryDirectory() as folder:
        parts = split_or_none(MemoryFile(NAME, data), Path(folder), most)
        if not parts:
            assert list(Path(folder).iterdir()) == []
            return
        kept = [Path(part.kept).read_bytes() for part in parts]
        assert sorted(path.name for path in Path(folder).iterdir()) == sorted(part.name for part in parts)
    assert b"".join(kept) == data
    assert [len(one) for one in kept] == [part.size for part in parts]
    assert all(one.endswith(b"\n") for one in kept[:-1])
    assert all(one.replace(b"\r\n", b"\n").strip(b"\n") for one in kept[1:])
    assert all(len(one) >= most for one in kept[:-1])
    names = [parse_base(part.name) for part in parts]
    assert [name.tail.split for name in names] == [*range(1, len(parts) + 1)]
    assert {(name.dpid, name.timestamp, name.mode) for name in names} == {(21, 1700000000, "sync")}


@pytest.mark.parametrize("members", [1, 3])
def test_gzip_stays_gzip_and_means_the_same(tmp_path, members):
    whole = noise(30_000)
    step = len(whole) // members + 1
    packed = b"".join(gzip.compress(whole[at : at + step]) for at in range(0, len(whole), step))
    parts = split_file(MemoryFile(f"{NAME}.gz", packed), IntoFolder(tmp_path / "out"), most=200_000)
    assert len(parts) > 3
    kept = [Path(part.kept).read_bytes() for part in parts]
    assert b"".join(gzip.decompress(one) for one in kept) == whole
    assert all(200_000 <= len(one) < 400_000 for one in kept[:-1])
    assert all(gzip.decompress(one).endswith(b"\n") for one in kept)
    assert [parse_base(part.name).tail.compression for part in parts] == ["gz"] * len(parts)
    assert sum(part.lines for part in parts) == 30_000


def test_every_part_is_taken_without_a_word(tmp_path):
    whole = "".join(f"u{n}\td_sid={n % 5 + 1}\n" for n in range(500)).encode() + b"\n\n"
    parts = split_file(MemoryFile(NAME, whole), IntoFolder(tmp_path), most=1_000)
    files = [MemoryFile(part.name, Path(part.kept).read_bytes()) for part in parts]
    assert [(file.valid, file.problems) for file in check_files(files, now()).files] == [(True, [])] * len(parts)


def counts_of(workspace, files, names):
    (receipt,) = workspace.audience.ingest(files, BatchOptions(now()), is_dry_run=True).receipts
    return {name: getattr(receipt, name) for name in names}


def test_the_lines_of_a_user_count_over_all_parts_in_their_order(workspace, tmp_path):
    workspace.sources.add("CRM", kind="data_source", dpid=21, id_type="cross_device")
    for trait in (1, 2):
        workspace.audience.traits.add(f"Trait {trait}", 21, trait_id=trait)
    whole = b"often\td_sid=1\n" * 200 + b"often\td_sid=2\n" * 60 + b"once\td_sid=2\n"
    parts = split_file(MemoryFile(NAME, whole), IntoFolder(tmp_path), most=700)
    assert len(parts) > 4
    files = [MemoryFile(part.name, Path(part.kept).read_bytes()) for part in parts]
    counted = ["records_received", "lines_over_user_cap", "stored_records", "total_realized_traits"]
    seen = [counts_of(workspace, given, counted) for given in ([MemoryFile(NAME, whole)], files, files[::-1])]
    assert seen[0] == seen[1] == seen[2]
    assert (seen[0]["lines_over_user_cap"], seen[0]["total_realized_traits"]) == (60, 2)


def test_parts_in_a_landing_zone(workspace):
    zone = LandingZone(workspace.home / "landing", workspace._keyset)
    before = {*zone.ids()}
    whole = noise(100)
    parts = split_file(MemoryFile(NAME, whole), IntoZone(zone), most=2_000)
    read = []
    for part in parts:
        with zone.open(part.kept).open() as stream:
            read.append(stream.read())
    assert b"".join(read) == whole
    assert {*zone.ids()} - before == {part.kept for part in parts}
    with pytest.raises(InputError):
        split_file(MemoryFile(NAME, whole), IntoZone(zone), most=1 << 20)
    assert {*zone.ids()} - before == {part.kept for part in parts}


@pytest.mark.parametrize(
    ("name", "code"),
    [("ftp_dpm_21_1700000000.sync.2", "is_part"), ("ftp_dpm_21_1700000000.sync.pgp", "not_splittable"),
     ("people.sync", "not_splittable"), (NAME, "nothing_to_split")],
)  # fmt: skip
def test_what_cannot_be_split_is_refused_and_nothing_is_left(tmp_path, name, code):
    with pytest.raises(InputError) as caught:
        split_file(MemoryFile(name, noise(100)), IntoFolder(tmp_path), most=1 << 20)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_leaves_nothing(tmp_path):
    packed = gzip.compress(noise(30_000))
    with pytest.raises(FileError):
        split_file(MemoryFile(f"{NAME}.gz", packed[:-9]), IntoFolder(tmp_path), most=100_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", [f"{NAME}.1", f"{NAME}.3", f"{NAME}.2.part"])
def test_no_file_is_replaced(tmp_path, taken):
    (tmp_path / taken).write_bytes(b"theirs")
    with pytest.raises(InputError) as caught:
        split_file(MemoryFile(NAME, noise(100)), IntoFolder(tmp_path), most=1_000)
    assert caught.value.code == "exists_already"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {taken: b"theirs"}


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    class Late(IntoFolder):
        def keep(self):
            (tmp_path / f"{NAME}.2").write_bytes(b"theirs")
            super().keep()

    with pytest.raises(InputError):
        split_file(MemoryFile(NAME, noise(100)), Late(tmp_path), most=1_000)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {f"{NAME}.2": b"theirs"}


def test_id_syncs_are_split_too(tmp_path):
    whole = b"".join(b"%038d\tC%d\n" % (n, n) for n in range(100))
    parts = split_file(MemoryFile("adobe_id_0_21_1700000000.sync", whole), IntoFolder(tmp_path), most=1_500)
    assert all(not isinstance(parse_base(part.name), DataName) for part in parts)
    assert b"".join(Path(part.kept).read_bytes() for part in parts) == whole


def test_by_command(onramp_home, capsys):
    from ingest_core.cli.main import main

    file = onramp_home / NAME
    file.write_bytes(noise(100))
    assert main(["am", "split", str(file), "--out", str(onramp_home / "parts"), "--bytes", "2000"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f"{NAME}.1: 2,")
    assert main(["am", "split", str(file), "--out", str(onramp_home / "other"), "--bytes", "10"]) == 2


@pytest.fixture
def onramp_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ONRAMP_HOME", str(tmp_path / "home"))
    return tmp_path
