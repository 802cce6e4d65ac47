from __future__ import annotations

import hashlib
import os

import pytest

from ingest_core import files
from ingest_core.errors import FileError, Stopped
from ingest_core.models import FileLimits
from tests.files.test_containers import archive


@pytest.mark.parametrize(
    ("data", "line_end", "lines", "longest"),
    [
        (b"a\tb\n1\t2\n", "LF", 2, 3),
        (b"a\tb\r\n1\t22\r\n", "CRLF", 2, 4),
        (b"a\tb\r1\t2\r", "CR", 2, 3),
        (b"a\r\nb\nc\rd", "mixed", 4, 1),
        (b"a", "none", 1, 1),
        (b"a\n\n\n", "LF", 3, 1),
        (b"a\n\r", "mixed", 2, 1),
    ],
)
def test_counts_lines_by_every_line_end(source_of, data, line_end, lines, longest):
    """LF, CRLF and CR end a line; a last line without an end counts too."""
    facts = files.receive(source_of(data), FileLimits())
    assert (facts.line_end, facts.physical_lines, facts.longest_line) == (line_end, lines, longest)


def test_counts_a_crlf_across_a_chunk_border_once(source_of):
    data = b"x" * ((1 << 20) - 1) + b"\r\n" + b"y\r\n"
    facts = files.receive(source_of(data), FileLimits())
    assert (facts.line_end, facts.physical_lines, facts.longest_line) == ("CRLF", 2, (1 << 20) - 1)


def test_hashes_the_bytes_as_they_are(source_of):
    data = b"\xef\xbb\xbfid\r\n1\r\n"
    facts = files.receive(source_of(data), FileLimits())
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    assert (facts.size, facts.has_bom, facts.encoding, facts.text_bytes) == (len(data), True, "utf-8", len(data) - 3)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_refuses_an_empty_file(source_of, data):
    with pytest.raises(FileError) as caught:
        files.receive(source_of(data), FileLimits())
    assert caught.value.code == "empty_file"


def test_refuses_a_file_over_the_size_limit_before_reading(source_of):
    with pytest.raises(FileError) as caught:
        files.receive(source_of(b"a\n" * 100), FileLimits(size=199))
    assert (caught.value.code, caught.value.facts["limit"]) == ("too_large", 199)


def test_says_when_the_text_holds_nul(source_of):
    facts = files.receive(source_of(b"a\tb\tc\n1\t\x002\t3\n4\t5\t6\n"), FileLimits())
    assert facts.has_nul


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"BZh91AY&SY" + bytes(20), "unsupported_container"),
        (b"\xfd7zXZ\x00" + bytes(20), "unsupported_container"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "unsupported_container"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "unsupported_container"),
        (b"%PDF-1.7\n", "unsupported_container"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), "unsupported_container"),
        (b"PAR1" + bytes(20), "unsupported_container"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "unsupported_container"),
        (bytes(257) + b"ustar" + bytes(300), "unsupported_container"),
        (bytes(range(256)) * 8, "not_a_table"),
        (b"<!DOCTYPE html>\n<html></html>", "not_a_table"),
        (b'<?xml version="1.0"?>\n<a/>', "not_a_table"),
        (b'[{"id": 1}, {"id": 2}]', "not_a_table"),
        (b'{"id": 1}\n{"id": 2}\n', "not_a_table"),
    ],
)
def test_refuses_what_is_no_table(source_of, data, code):
    """What has no reader is named by its first bytes, whatever the file is called."""
    with pytest.raises(FileError) as caught:
        files.receive(source_of(data, "people.csv"), FileLimits())
    assert caught.value.code == code
    assert caught.value.hint


def test_progress_is_told_and_can_stop(source_of):
    source = source_of(b"a\tb\n" * 1_000_000)
    told = []

    def progress(phase, done, total):
        told.append((phase, done, total))
        if done >= 2 << 20:
            raise Stopped

    with pytest.raises(Stopped):
        files.receive(source, FileLimits(), progress=progress)
    assert told == [("receive", 1 << 20, 4_000_000), ("receive", 2 << 20, 4_000_000)]


def test_notices_a_file_that_grows_while_it_is_read(tmp_path):
    path = tmp_path / "growing.tsv"
    path.write_bytes(b"a\n1\n")
    source = files.PathSource(path)
    path.write_bytes(b"a\n1\n2\n")
    with pytest.raises(FileError) as caught:
        files.receive(source, FileLimits())
    assert caught.value.code == "changed_while_reading"


def test_notices_a_file_that_changed_after_receive(tmp_path):
    path = tmp_path / "changing.tsv"
    path.write_bytes(b"a\tb\n1\t2\n")
    source = files.PathSource(path)
    facts = files.receive(source, FileLimits())
    dialect = files.sniff(source, facts)
    path.write_bytes(b"a\tb\n1\n2\n")
    with pytest.raises(FileError) as caught:
        list(files.read_slices(source, facts, dialect, FileLimits()))
    assert caught.value.code == "changed_while_reading"
    path.write_bytes(b"a\tb\n1\t2\n3\t4\n")
    with pytest.raises(FileError) as caught:
        list(files.read_slices(files.PathSource(path), facts, dialect, FileLimits()))
    assert caught.value.code == "changed_while_reading"


@pytest.mark.parametrize("name", ["[ab].tsv", "*.tsv", "?.tsv", "../../etc/passwd", "a\x00b"])
def test_a_name_like_a_glob_is_only_data(tmp_path, name):
    """Reading [ab].csv must not read a.csv and b.csv (facts.md F7)."""
    for other in ("a.tsv", "b.tsv"):
        (tmp_path / other).write_bytes(b"other\n")
    path = tmp_path / "stored"
    path.write_bytes(b"id\n1\n")
    source = files.PathSource(path, name)
    assert files.receive(source, FileLimits()).name == name
    assert files.sniff(source, None).columns == ("id",)


def test_a_path_with_glob_signs_is_that_file_only(tmp_path):
    for other, content in (("a.tsv", b"other\n"), ("[ab].tsv", b"mine\n1\n")):
        (tmp_path / other).write_bytes(content)
    assert files.sniff(files.PathSource(tmp_path / "[ab].tsv"), None).columns == ("mine",)


@pytest.mark.parametrize("name", ["missing.tsv", "", "a\x00b"])
def test_a_missing_file_is_a_clear_error(tmp_path, name):
    with pytest.raises(FileError) as caught:
        files.PathSource(os.path.join(tmp_path, name))  # noqa: PTH118 - also names that Path would change
    assert caught.value.code == "file_not_found"


def test_a_zip_can_be_stopped_while_it_is_unpacked(source_of):
    """Its raw bytes were all counted before: a person who asks then must not wait for the end."""
    source = source_of(archive(("a.tsv", b"id\n" + b"1\n" * 3_000_000)))
    told = []

    def progress(phase, done, total):
        told.append(done)
        if len(told) > 1:
            raise Stopped

    with pytest.raises(Stopped):
        files.receive(source, FileLimits(), progress=progress)
    assert told == [source.size, source.size]
