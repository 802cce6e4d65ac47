"""Files made to hurt, at moderate size: what comes out is right, and the work for it does not grow as it should not.

How long they take at full size is measured by ``benchmarks/hostile.py``.
"""

from __future__ import annotations

import gzip
import io
import itertools
import struct
import zipfile

import pytest

from ingest_core import files
from ingest_core.apart import caps
from ingest_core.errors import FileError
from ingest_core.files import lines
from ingest_core.files.container import unpacked
from ingest_core.mapping.inspect import inspect_file
from ingest_core.models import FileLimits

TEXTS = [
    b"id\tname\n" + b"1\tA\n" * 10,
    b"\n\n\nid\tname\n\n1\tA\r\n2\tB\r3\tC\n\n\n4\n5\tE\tF\n\n",
    b"id,name\n" + b'1,"A\nB"\n2,C\n3,"D""E"\n4,"open\n5,F\n' * 4,
    b"id\tname\n" + b"\n" * 20 + b"1\tA",
    b"id\tname\n1\t" + b"x" * 60 + b"\n2\tB\n3\t" + b"y" * 90 + b"\n4\tD\n" + b"\n" * 9,
    b"id\tname\n" + b"\xff\xfe\n1\tA\n" * 7,
    b"a\nb\nc\nd\n\ne",
]


@pytest.mark.parametrize("data", TEXTS)
@pytest.mark.parametrize("slice_bytes", [7, 64, 8 << 20])
def test_slices_of_few_lines_are_the_same_file(read, monkeypatch, data, slice_bytes):
    whole = read(data, limits=FileLimits(line=50), slice_bytes=slice_bytes)
    monkeypatch.setattr(lines, "_BLOCK_LINES", 3)
    cut = read(data, limits=FileLimits(line=50), slice_bytes=slice_bytes)
    assert cut == whole


def test_no_slice_holds_more_lines_than_it_may(source_of):
    """Four million empty lines fit into eight megabytes, and each that is refused costs hundreds of bytes here."""
    source = source_of(b"id\tname\n" + b"x\n" * 250_000)
    facts = files.receive(source, FileLimits())
    parts = list(files.read_slices(source, facts, files.sniff(source, facts), FileLimits()))
    assert max(part.lines_seen for part in parts) == 100_000
    assert sum(len(part.rejects) for part in parts) == 250_000


def test_a_gzip_member_for_every_byte_is_read_as_one_text(read, source_of):
    """However small the members, the text comes in chunks of a decent size."""
    data = b"id\tname\n" + b"".join(b"%d\tperson\n" % number for number in range(300))
    packed = {bytes([code]): gzip.compress(bytes([code])) for code in set(data)}
    members = b"".join(packed[data[at : at + 1]] for at in range(len(data)))
    source = source_of(members)
    assert len(list(unpacked(source, "gzip", FileLimits()))) == 1
    assert read(members).rows == read(data).rows


def test_empty_gzip_members_hold_nothing(read):
    """Wherever they stand; also over the borders of what is read from disk at once."""
    empty = gzip.compress(b"", mtime=0)
    text = gzip.compress(b"id\tname\n1\tA\n", mtime=0)
    assert read(empty * 30_000 + text + empty * 5_000 + text).rows == [("1", "A"), ("id", "name"), ("1", "A")]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_gzip_member_cut_anywhere_at_a_border_is_noticed(source_of, cut):
    """The border of what is read at once falls into every place of a member's header and trailer."""
    empty = gzip.compress(b"", mtime=0)
    filled = empty * ((1 << 18) // len(empty))
    text = gzip.compress(b"id\tname\n1\tA\n", mtime=0)
    stored = gzip.compress(bytes(range(32, 127)) * cut, compresslevel=0, mtime=0)
    facts = files.receive(source_of(text + stored + filled + text), FileLimits())
    assert facts.text_bytes == 24 + 95 * cut
    with pytest.raises(FileError) as caught:
        files.receive(source_of(text + stored + filled + text[:-cut]), FileLimits())
    assert caught.value.code == "gzip_truncated"


def test_a_zip_whose_table_of_contents_would_fill_the_memory_is_refused(source_of):
    size = (4 << 20) + 46
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, size, 0, 0)
    source = source_of(b"PK\x03\x04" + bytes(size - 4) + end)
    with pytest.raises(FileError) as caught:
        files.receive(source, FileLimits())
    assert caught.value.code == "zip_too_many_files"


@pytest.mark.parametrize("packing", ["plain", "gzip", "zip"])
def test_one_pass_over_a_file_has_its_time(source_of, monkeypatch, packing):
    """Each look at the clock finds it ten minutes later."""
    data = b"id\tname\n" + b"1\tA\n" * 400_000
    if packing == "gzip":
        data = gzip.compress(data, 1)
    if packing == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.tsv", data)
        data = buffer.getvalue()
    source = source_of(data)
    facts = files.receive(source, FileLimits())
    dialect = files.sniff(source, facts)
    clock = itertools.count(step=600)
    monkeypatch.setattr(caps.time, "monotonic", lambda: next(clock))
    for limits in (FileLimits(seconds=500), FileLimits(seconds=601)):
        with pytest.raises(FileError) as caught:
            files.receive(source, limits)
        assert (caught.value.code, caught.value.facts["seconds_limit"]) == ("too_slow", limits.seconds)
    with pytest.raises(FileError) as caught:
        list(files.read_slices(source, facts, dialect, FileLimits(seconds=500)))
    assert caught.value.code == "too_slow"
    assert files.receive(source, FileLimits(seconds=0)) == facts


def test_thousands_of_equal_names_each_get_one_of_their_own():
    """Also when they differ by case only, and when a name stands further on that a repair would take."""
    names = ["a"] * 3_000 + ["A"] * 3_000 + ["a_2", "a_4000", ""] + ["\0"] * 100
    repaired = files.repair_names(names)
    assert len({name.casefold() for name in repaired}) == len(names)
    assert repaired[:3] == ("a", "a_3", "a_4")
    assert repaired[6_000:6_003] == ("a_2", "a_4000", "column_6003")


def test_five_thousand_columns_are_read_when_they_are_allowed(source_of):
    names = [f"c{number}" for number in range(5_000)]
    data = "\t".join(names) + "\n" + ("\t".join(map(str, range(5_000))) + "\n") * 3
    made = inspect_file(source_of(data.encode()), [], limits=FileLimits(columns=5_000))
    assert [column.name for column in made.columns] == names
    assert {(column.type, column.distinct) for column in made.columns} == {("integer", 1)}
    with pytest.raises(FileError) as caught:
        inspect_file(source_of(data.encode()), [], limits=FileLimits())
    assert caught.value.code == "too_many_columns"


@pytest.mark.parametrize("limit", [1 << 20, 3 << 20])
@pytest.mark.parametrize("rows", [1, 400_000])
def test_a_header_at_the_line_limit_is_read_and_one_over_it_is_no_table(source_of, limit, rows):
    """Also where it is longer than the part of the file that is looked at first."""
    name, below = "x" * (limit - 3), "1\tA\n" * rows
    limits = FileLimits(line=limit)
    assert files.sniff(source_of(f"id\t{name}\n{below}".encode()), None, limits=limits).columns == ("id", name)
    with pytest.raises(FileError) as caught:
        files.sniff(source_of(f"id\t{name}xxx\n{below}".encode()), None, limits=limits)
    assert caught.value.code == "not_a_table"


def test_a_file_of_nothing_but_separators_is_rows_of_empty_cells(read):
    reading = read(b"id" + b"\t" * 49 + b"\n" + (b"\t" * 49 + b"\n") * 5_000)
    assert (len(reading.rows), reading.blank, reading.rejects) == (5_000, 0, [])
    assert set(reading.rows) == {("",) * 50}
