from __future__ import annotations

import pytest

from ingest_core import files
from ingest_core.errors import FileError
from ingest_core.models import FileLimits

TABLE = "id\tname\n1\tJosé Müller\n2\tАнна\n3\t王小明\n4\t🙂\n"
WESTERN = "id\tname\n1\tJosé Müller\n2\tPrice: 5 €\n"


@pytest.mark.parametrize(
    ("data", "encoding", "has_bom"),
    [
        (TABLE.encode(), "utf-8", False),
        (b"\xef\xbb\xbf" + TABLE.encode(), "utf-8", True),
        (b"\xff\xfe" + TABLE.encode("utf-16-le"), "utf-16-le", True),
        (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16-be", True),
        (TABLE.encode("utf-16-le"), "utf-16-le", False),
        (TABLE.encode("utf-16-be"), "utf-16-be", False),
    ],
)
@pytest.mark.parametrize("slice_bytes", [1, 5, 8 << 20])
def test_unicode_encodings_give_the_same_rows(read, data, encoding, has_bom, slice_bytes):
    reading = read(data, slice_bytes=slice_bytes)
    assert (reading.facts.encoding, reading.facts.has_bom) == (encoding, has_bom)
    assert reading.rows == [("1", "José Müller"), ("2", "Анна"), ("3", "王小明"), ("4", "🙂")]
    assert reading.dialect.columns == ("id", "name")


def test_windows_1252_by_evidence(read):
    reading = read(WESTERN.encode("cp1252"))
    assert reading.facts.encoding == "windows-1252"
    assert reading.rows == [("1", "José Müller"), ("2", "Price: 5 €")]
    assert any("windows-1252" in notice for notice in reading.facts.notices)


def test_bytes_that_windows_1252_does_not_have_mean_latin_1(read):
    reading = read(b"id\tname\n1\tJos\xe9\x81\n")
    assert reading.facts.encoding == "iso-8859-1"
    assert reading.rows == [("1", "José\x81")]


def test_the_evidence_covers_the_whole_text(read):
    """A file whose first foreign byte stands behind three megabytes of ASCII."""
    data = b"id\tname\n" + b"1\tAnna\n" * 400_000 + b"2\tJos\xe9\n"
    assert read(data).rows[-1] == ("2", "José")


def test_a_mostly_utf8_file_stays_utf8_and_rejects_its_broken_lines(read):
    data = b"id\tname\n" + "1\tJosé\n".encode() * 50 + b"2\tJos\xe9\n" + "3\tJürgen\n".encode()
    reading = read(data)
    assert reading.facts.encoding == "utf-8"
    assert reading.codes == [(52, "bad_encoding")]
    assert reading.rejects[0].text == "2\tJos\\xe9"
    assert (len(reading.rows), reading.lines[-1]) == (51, 53)
    assert any("broken" in notice for notice in reading.facts.notices)


def test_broken_bytes_inside_quotes_reject_the_record(read):
    data = 'id,name\n1,"é\né"\n'.encode() * 5 + b'2,"x\n\xe9"\n3,z\n'
    reading = read(data)
    assert reading.codes == [(16, "bad_encoding")]
    assert reading.rows[-1] == ("3", "z")


def test_a_lone_surrogate_in_utf16_rejects_its_line(read):
    data = b"\xff\xfe" + "id\tname\n1\tA\n2\t".encode("utf-16-le") + b"\x00\xd8" + "\n3\tC\n".encode("utf-16-le")
    reading = read(data)
    assert reading.codes == [(3, "bad_encoding")]
    assert reading.rows == [("1", "A"), ("3", "C")]


def test_half_a_unit_at_the_end_of_utf16_rejects_its_line(read):
    reading = read(b"\xff\xfe" + "id\tname\n1\tA\n2\tB".encode("utf-16-le") + b"\x43")
    assert (reading.codes, reading.rows) == ([(3, "bad_encoding")], [("1", "A")])


def test_nothing_becomes_a_replacement_character(read):
    for data in (WESTERN.encode("cp1252"), b"a\tb\n\xff\t\xfe\n", TABLE.encode() + b"\xff\tx\n"):
        reading = read(data)
        assert "\ufffd" not in str(reading.rows) + str(reading.rejects)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("iso-8859-15", "id\tname\n1\t5 €\n".encode("iso-8859-15")),
        ("cp1251", "id\tname\n1\t5 €\n".encode("cp1251")),
        ("latin-1", "id\tname\n1\tJosé\n".encode("latin-1")),
        ("UTF-16", "id\tname\n1\tJosé\n".encode("utf-16-le")),
        ("shift_jis", "id\tname\n1\t日本\n".encode("shift_jis")),
    ],
)
def test_a_chosen_encoding_is_honoured(read, encoding, data):
    expected = data.decode("utf-16-le" if encoding == "UTF-16" else encoding).split("\n")[1].split("\t")
    assert read(data, encoding=encoding).rows == [tuple(expected)]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", WESTERN.encode("cp1252")),
        ("utf-8", b"\xff\xfe" + WESTERN.encode("utf-16-le")),
        ("windows-1252", b"id\n\xe9\x81\n"),
        ("windows-1252", b"\xef\xbb\xbfid\n1\n"),
        ("windows-1252", WESTERN.encode("utf-16-le")),
        ("utf-16-le", WESTERN.encode()),
        ("utf-16-be", WESTERN.encode("utf-16-le")),
        ("shift_jis", b"id\tname\n1\t\x81\n"),
    ],
)
def test_a_chosen_encoding_that_does_not_fit_is_refused(source_of, encoding, data):
    with pytest.raises(FileError) as caught:
        files.receive(source_of(data), FileLimits(), encoding=encoding)
    assert (caught.value.code, caught.value.facts["encoding"]) == ("wrong_encoding", encoding)


@pytest.mark.parametrize("encoding", ["klingon", "utf-7", "cp037", "base64", "rot13", "idna", "utf-32", "a\x00b", "hz"])
def test_an_encoding_that_is_not_text_over_ascii_is_refused(source_of, encoding):
    with pytest.raises(FileError) as caught:
        files.receive(source_of(WESTERN.encode()), FileLimits(), encoding=encoding)
    assert caught.value.code == "unsupported_encoding"


def test_utf32_is_refused(source_of):
    with pytest.raises(FileError) as caught:
        files.receive(source_of("id\n1\n".encode("utf-32")), FileLimits())
    assert caught.value.code == "unsupported_encoding"


def test_a_text_of_exactly_one_mebibyte_with_a_cut_character_is_utf8(source_of):
    for shift in range(4):
        data = b"id\n" + b"a" * ((1 << 20) - 3 - shift) + "🙂\n".encode()
        facts = files.receive(source_of(data), FileLimits())
        assert facts.encoding == "utf-8"


def test_the_head_alone_is_judged_by_the_same_evidence(source_of):
    for encoding in ("utf-8", "utf-16-le", "cp1252"):
        _, part = files.head(source_of(WESTERN.encode(encoding)))
        assert part.table["c1"].to_pylist() == ["José Müller", "Price: 5 €"]
    _, part = files.head(source_of(WESTERN.encode("utf-16-le")), encoding="utf-16")
    assert part.table.num_rows == 2
    with pytest.raises(FileError, match="byte order mark"):
        files.head(source_of(b"\xef\xbb\xbf" + WESTERN.encode()), encoding="cp1252")


def test_broken_lines_in_a_large_block_are_found(read):
    data = b"id\tname\n" + "1\tJosé\n".encode() * 2_000 + b"2\t\xff\n" + "3\té\n".encode() * 10
    reading = read(data)
    assert (reading.codes, len(reading.rows)) == ([(2_002, "bad_encoding")], 2_010)


def test_nul_characters_alone_do_not_make_utf16(read):
    reading = read("h\u00e9ader\n\u00e9\n\n\x00\n\x00".encode())
    assert (reading.facts.encoding, reading.rows) == ("utf-8", [("é",), ("\x00",), ("\x00",)])


def test_chinese_in_utf16_without_a_byte_order_mark(read):
    """Half of the characters of this text have a low byte like a line feed."""
    text = "编号\t名称\n" + "1\t上上上上上海\n" * 20
    for encoding in ("utf-16-le", "utf-16-be"):
        reading = read(text.encode(encoding))
        assert (reading.facts.encoding, reading.rows[0]) == (encoding, ("1", "上上上上上海"))
