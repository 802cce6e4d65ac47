from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib

import pytest

from ingest_core import files
from ingest_core.errors import FileError
from ingest_core.models import FileLimits

TEXT = b"id\tname\n" + b"".join(b"%d\tperson number %d\n" % (n, n * 7919 % 1000) for n in range(500))
HEADER_BYTES = 10  # magic, flags, time, system: not covered by the checksum


def code_of(action) -> str:
    with pytest.raises(FileError) as caught:
        action()
    assert caught.value.hint
    return caught.value.code


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as packed:
        for name, data in members:
            packed.writestr(name, data)
    return buffer.getvalue()


def test_reads_gzip_with_several_members(read):
    half = TEXT.index(b"\n250\t") + 1
    reading = read(gzip.compress(TEXT[:half]) + gzip.compress(TEXT[half:]))
    assert reading.facts.container == "gzip"
    assert (len(reading.rows), reading.facts.text_bytes) == (500, len(TEXT))


def test_no_flipped_bit_of_a_gzip_file_is_read_as_wrong_data(source_of):
    """An engine loads 53 of 300 single-bit flips with wrong data; here each is refused (facts.md F1)."""
    whole = gzip.compress(TEXT, mtime=0)
    expected = zlib.crc32(TEXT)
    chosen = random.Random(1).sample(range(HEADER_BYTES * 8, len(whole) * 8), 300)
    outcomes = []
    for bit in chosen:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        try:
            files.receive(source_of(bytes(damaged)), FileLimits())
        except FileError as error:
            outcomes.append(error.code)
        else:  # unused bits in the last byte of the deflate stream change nothing
            assert zlib.crc32(gzip.decompress(bytes(damaged))) == expected
            outcomes.append("same data")
    assert set(outcomes) <= {"gzip_damaged", "gzip_truncated", "gzip_trailing_garbage", "same data"}
    assert outcomes.count("same data") <= 1


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 100])
def test_refuses_truncated_gzip(source_of, cut):
    source = source_of(gzip.compress(TEXT)[:-cut])
    assert code_of(lambda: files.receive(source, FileLimits())) == "gzip_truncated"


@pytest.mark.parametrize("garbage", [b"x", b"\x00", b"\x1f", b"id\tname\n", bytes(512)])
def test_refuses_bytes_after_gzip(source_of, garbage):
    source = source_of(gzip.compress(TEXT) + garbage)
    assert code_of(lambda: files.receive(source, FileLimits())) == "gzip_trailing_garbage"


def test_refuses_a_gzip_bomb_by_ratio(source_of):
    source = source_of(gzip.compress(b"id\tname\n" * (8 << 20)))
    assert code_of(lambda: files.receive(source, FileLimits(ratio=500))) == "compression_bomb"


def test_refuses_a_gzip_file_over_the_unpacked_limit(source_of):
    source = source_of(gzip.compress(TEXT))
    assert code_of(lambda: files.receive(source, FileLimits(unpacked=len(TEXT) - 1))) == "compression_bomb"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_reads_a_zip_with_one_file(read, method):
    """Folders and the shadow files of macOS do not count."""
    data = archive(("folder/", b""), ("folder/a.tsv", TEXT), ("__MACOSX/folder/._a.tsv", b"\0"), method=method)
    reading = read(data)
    assert (reading.facts.container, len(reading.rows)) == ("zip", 500)


@pytest.mark.parametrize("members", [(), (("a.tsv", TEXT), ("b.tsv", TEXT))])
def test_refuses_a_zip_with_no_or_several_files(source_of, members):
    source = source_of(archive(*members))
    assert code_of(lambda: files.receive(source, FileLimits())) == "zip_not_one_file"


def test_refuses_damaged_zips(source_of):
    whole = archive(("a.tsv", TEXT))
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 1
    assert code_of(lambda: files.receive(source_of(bytes(middle)), FileLimits())) == "zip_damaged"
    assert code_of(lambda: files.receive(source_of(whole[:-30]), FileLimits())) == "zip_damaged"


def test_refuses_zip_bombs_and_methods_without_a_limit(source_of):
    bomb = archive(("a.tsv", b"id\tname\n" * (4 << 20)))
    assert code_of(lambda: files.receive(source_of(bomb), FileLimits(ratio=100))) == "compression_bomb"
    lzma = archive(("a.tsv", TEXT), method=zipfile.ZIP_LZMA)
    assert code_of(lambda: files.receive(source_of(lzma), FileLimits())) == "unsupported_container"


def test_refuses_a_password(source_of):
    locked = bytearray(archive(("a.tsv", TEXT)))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert code_of(lambda: files.receive(source_of(bytes(locked)), FileLimits())) == "unsupported_container"


@pytest.mark.parametrize("name", ["word/document.xml", "content.xml"])
def test_refuses_other_documents_in_a_zip(source_of, name):
    source = source_of(archive(("[Content_Types].xml", b"<x/>"), (name, b"<x/>")))
    assert code_of(lambda: files.receive(source, FileLimits())) == "unsupported_container"


def test_refuses_an_archive_in_an_archive(source_of):
    source = source_of(gzip.compress(gzip.compress(TEXT)))
    assert code_of(lambda: files.receive(source, FileLimits())) == "unsupported_container"
    source = source_of(archive(("a.tsv.gz", gzip.compress(TEXT))))
    assert code_of(lambda: files.receive(source, FileLimits())) == "unsupported_container"
