"""Bytes against the name: compression, OpenPGP, size, encoding; and text cut into blocks in constant memory."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.audience_manager.name_types import Tail
from ingest_core.audience_manager.reading import LongLine, TextBlock, read_blocks
from ingest_core.audience_manager.wire import WireLimits, check_decrypted, looks_like_pgp, size_warnings, text_chunks
from ingest_core.errors import FileError
from ingest_core.files import PathSource

PLAIN, GZ, PGP = Tail(), Tail(None, "gz"), Tail(None, None, "gpg")
TEXT = b"u1\td_sid=24\n" * 50


def read(tmp_path: Path, data: bytes, tail: Tail, limits: WireLimits = WireLimits()) -> bytes:
    path = tmp_path / "file"
    path.write_bytes(data)
    return b"".join(text_chunks(PathSource(path), tail, limits))


def refusal(tmp_path: Path, data: bytes, tail: Tail, limits: WireLimits = WireLimits()) -> str:
    with pytest.raises(FileError) as caught:
        read(tmp_path, data, tail, limits)
    assert caught.value.hint.endswith("Nothing was changed.")
    return caught.value.code


def test_plain_and_gzip_are_read_also_in_several_members(tmp_path):
    assert read(tmp_path, TEXT, PLAIN) == TEXT
    assert read(tmp_path, gzip.compress(TEXT) + gzip.compress(TEXT), GZ) == TEXT + TEXT


@pytest.mark.parametrize(
    ("data", "tail", "code"),
    [
        (b"", PLAIN, "empty_file"),
        (gzip.compress(TEXT), PLAIN, "compression_mismatch"),
        (b"PK\x03\x04rest", PLAIN, "compression_mismatch"),
        (b"-----BEGIN PGP MESSAGE-----\n", PLAIN, "compression_mismatch"),
        (TEXT, GZ, "corrupt_gzip"),
        (gzip.compress(TEXT)[:-9], GZ, "corrupt_gzip"),
        (gzip.compress(TEXT)[:-8] + b"\x00" * 8, GZ, "corrupt_gzip"),
        (gzip.compress(TEXT) + b"more", GZ, "corrupt_gzip"),
        (gzip.compress(gzip.compress(TEXT)), GZ, "compression_mismatch"),
        (TEXT, PGP, "decrypt_failed"),
        (TEXT.decode().encode("utf-16"), PLAIN, "bad_encoding"),
        (TEXT.decode().encode("utf-16-le"), PLAIN, "bad_encoding"),
        (gzip.compress(TEXT.decode().encode("utf-32")), GZ, "bad_encoding"),
    ],
    ids=range(13),
)
def test_what_does_not_fit_the_name_is_refused(tmp_path, data, tail, code):
    assert refusal(tmp_path, data, tail) == code


def test_sizes_are_limits_of_what_is_sent(tmp_path):
    small = WireLimits(packed=30, plain=600, good_packed=20, good_plain=100)
    assert read(tmp_path, TEXT, PLAIN, small) == TEXT
    assert refusal(tmp_path, TEXT + b"x", PLAIN, small) == "file_too_large"
    assert refusal(tmp_path, gzip.compress(TEXT), GZ, small) == "file_too_large"
    assert size_warnings(101, PLAIN, small) == size_warnings(21, GZ, small) == ("size_not_optimal",)
    assert size_warnings(100, PLAIN, small) == size_warnings(20, PGP, small) == ()


def test_unpacking_ends_at_the_cap(tmp_path):
    bomb = gzip.compress(b"u1\t1\n" * (4 << 20))
    assert refusal(tmp_path, bomb, GZ, WireLimits(unpacked=17 << 20)) == "compression_bomb"


def test_gzip_inside_a_decrypted_message_is_refused(tmp_path):
    path = tmp_path / "f.gpg"
    path.write_bytes(b"x")
    check_decrypted(TEXT, PathSource(path))
    with pytest.raises(FileError) as caught:
        check_decrypted(gzip.compress(TEXT), PathSource(path))
    assert caught.value.code == "gzip_and_pgp"


@pytest.mark.parametrize("options", [[], ["--armor"], ["--compress-algo", "none"]], ids=["binary", "armour", "stored"])
def test_messages_of_gnupg_are_known_by_their_first_bytes(tmp_path, options):
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "invented"]
    done = subprocess.run(
        [*command, "--cipher-algo", "AES256", *options, "--symmetric"], input=TEXT, capture_output=True, timeout=60
    )
    if done.returncode:
        pytest.skip("gpg cannot run here")
    assert looks_like_pgp(done.stdout)


@pytest.mark.parametrize("text", ["é\t1", "Ҁ\t1", "ünal\td_sid=1", "Ä1", "Ô", "ҳ2", "名前\t1"])
def test_text_of_any_script_is_not_taken_for_a_message(text):
    assert not looks_like_pgp(text.encode())


LINES = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12)


@given(LINES, st.booleans(), st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_blocks_are_the_lines_of_the_file_however_it_arrives(lines, has_end, sizes):
    data = b"\n".join(lines) + (b"\n" if has_end and lines else b"")
    chunks, at, turn = [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        chunks.append(data[at : at + size])
        at, turn = at + size, turn + 1
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    found: list[bytes | int] = []
    for block in read_blocks(chunks, 5):
        if isinstance(block, LongLine):
            assert block.line == len(found) + 1
            found.append(block.size)
        else:
            assert block.first_line == len(found) + 1
            found += (block.data[:-1] if block.data.endswith(b"\n") else block.data).split(b"\n")
    assert len(found) == len(expected)
    for line, block_line in zip(expected, found, strict=True):
        assert block_line == line or (block_line == len(line) and len(line) > 6)


def test_blocks_hold_a_bounded_number_of_lines():
    blocks = [block for block in read_blocks([b"\n" * 150_000], 100) if isinstance(block, TextBlock)]
    assert [len(block.data) for block in blocks] == [65_536, 65_536, 18_928]
    assert [block.first_line for block in blocks] == [1, 65_537, 131_073]


def test_a_line_without_end_is_passed_over_in_constant_memory():
    chunk = b"x" * (1 << 20)
    tracemalloc.start()
    found = list(read_blocks((chunk for _ in range(200)), 102_400))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [LongLine(1, 200 << 20)]
    assert peak < 8 << 20


def test_reading_is_of_one_stream():
    stream = io.BytesIO(b"a\t1\nb\t2")
    blocks = list(read_blocks(iter(lambda: stream.read(3), b""), 100))
    assert b"".join(block.data for block in blocks) == b"a\t1\nb\t2"


@pytest.mark.parametrize("begin", [b"BZh1", b"%PDF-7", b"GIF8", b"PAR1", b"{\\rtf", b"x" * 257 + b"ustar"])
def test_an_id_that_begins_like_another_kind_of_file_is_an_id(tmp_path, begin):
    text = begin + b"\td_sid=1\n"
    assert read(tmp_path, text, PLAIN) == read(tmp_path, gzip.compress(text), GZ) == text


def test_an_empty_archive_is_an_archive(tmp_path):
    data = b"PK\x05\x06" + bytes(18)
    assert refusal(tmp_path, data, PLAIN) == refusal(tmp_path, gzip.compress(data), GZ) == "compression_mismatch"


def test_a_byte_order_mark_is_not_counted_in_the_first_line():
    line = b"\xef\xbb\xbf" + b"x" * 102_400
    assert list(read_blocks([line], 102_400)) == [TextBlock(line, 1)]
