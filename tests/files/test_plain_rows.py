from __future__ import annotations

import gzip
import tracemalloc

import pytest

from ingest_core import files
from ingest_core.errors import Stopped
from ingest_core.models import FileLimits

HEADER = b"id\tname\n"


def test_an_account_of_every_line(read):
    reading = read(b"\n  \r\nid\tname\r1\tAnna\r\n\n2\tBob\n3\n4\t5\t6\n \x0b \n\t\n7\t8")
    assert reading.dialect.header_line == 3
    assert reading.rows == [("1", "Anna"), ("2", "Bob"), ("", ""), ("7", "8")]
    assert reading.lines == [4, 6, 10, 11]
    assert reading.codes == [(7, "missing_cell"), (8, "extra_cell")]
    assert [reject.column for reject in reading.rejects] == [1, 2]
    assert [reject.text for reject in reading.rejects] == ["3", "4\t5\t6"]
    assert (reading.blank, reading.lines_seen, reading.physical_lines) == (4, 10, 10)
    assert reading.facts.physical_lines == 11


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("has_last", [True, False])
def test_every_line_end_gives_the_same_rows(read, end, has_last):
    text = end.join(["id\tname", "1\tAnna", "", "2\tBob"]) + (end if has_last else "")
    reading = read(text.encode())
    assert (reading.rows, reading.lines, reading.blank) == ([("1", "Anna"), ("2", "Bob")], [2, 4], 1)


def test_mixed_line_ends_lose_nothing(read):
    """Engines abort such files or drop identifiers silently (facts.md F6)."""
    lines = [f"{number}\tname {number}" for number in range(3_000)]
    data = "id\tname\n" + "".join(line + ("\n", "\r\n", "\r")[index % 3] for index, line in enumerate(lines))
    reading = read(data.encode())
    assert reading.facts.line_end == "mixed"
    assert reading.rows == [tuple(line.split("\t")) for line in lines]
    assert reading.lines == list(range(2, 3_002))


def test_only_line_ends_end_a_line(read):
    """Form feed, vertical tab, NEL and the Unicode separators are characters of a cell."""
    cell = "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"
    assert read(f"id\tname\n1\t{cell}\n".encode()).rows == [("1", cell)]


def test_a_quote_in_tsv_is_a_character(read):
    """With quoting, one open quote swallowed 49,999 lines (facts.md F4)."""
    data = HEADER + b'1\t"open\n2\t5" disk\n3\t""\n' + b"4\tx\n" * 1_000
    reading = read(data)
    assert reading.rows[:3] == [("1", '"open'), ("2", '5" disk'), ("3", '""')]
    assert (len(reading.rows), reading.rejects) == (1_003, [])


def test_empty_cells_are_empty_never_null(read):
    assert read(HEADER + b"\tNULL\nNA\t\nnan\tN/A\n").rows == [("", "NULL"), ("NA", ""), ("nan", "N/A")]


def test_nul_and_control_characters_stay_in_their_cell(read):
    reading = read(HEADER + b"1\ta\x00b\n2\t\x01\x7f\n\x00\t\n" + b"4\tx\n" * 20)
    assert reading.rows[:3] == [("1", "a\x00b"), ("2", "\x01\x7f"), ("\x00", "")]


def test_a_line_of_white_space_is_blank_only_without_a_separator(read):
    reading = read(HEADER + b" \n\t\n \t \n   \n" + "\u00a0\u3000\n".encode())
    assert (reading.rows, reading.blank) == ([("", ""), (" ", " ")], 3)


def test_one_column_keeps_cells_and_counts_white_lines_as_blank(read):
    reading = read("name\nAnna\n\n  \n\u3000\n éa\n王\n Bob \n".encode())
    assert reading.rows == [("Anna",), (" éa",), ("王",), (" Bob ",)]
    assert (reading.lines, reading.blank) == ([2, 6, 7, 8], 3)


def test_a_long_line_costs_one_row(read):
    """Above 32 MB an engine drops a line without a reject (facts.md F5)."""
    data = HEADER + b"1\tAnna\n2\t" + b"x" * 3_000_000 + b"\n3\tBob\n"
    for slice_bytes in (1_000, 1 << 20, 8 << 20):
        reading = read(data, slice_bytes=slice_bytes)
        assert reading.rows == [("1", "Anna"), ("3", "Bob")]
        assert reading.codes == [(3, "line_too_long")]
        assert reading.rejects[0].text == "2\t" + "x" * 998 + "…"
        assert (reading.lines, reading.lines_seen) == ([2, 4], 3)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("slice_bytes", [1, 2, 7, 100])
def test_the_line_limit_is_exact_whatever_the_line_end(read, end, slice_bytes):
    lines = [b"id\tname", b"1\t" + b"x" * 18, b"2\t" + b"x" * 19, b"3\t" + b"x" * 50, b"4\tx"]
    reading = read(end.join(lines) + end, limits=FileLimits(line=20), slice_bytes=slice_bytes)
    assert [row[0] for row in reading.rows] == ["1", "4"]
    assert reading.codes == [(3, "line_too_long"), (4, "line_too_long")]
    assert reading.lines == [2, 5]


def test_a_long_last_line_without_an_end_is_one_reject(read):
    reading = read(HEADER + b"1\tA\n" + b"x" * 100, limits=FileLimits(line=20), slice_bytes=16)
    assert (reading.rows, reading.codes) == ([("1", "A")], [(3, "line_too_long")])


def test_a_huge_line_from_a_small_gzip_is_passed_over_in_constant_memory(read, source_of):
    """A 1 MB gzip file that held one 1 GB line gave 0 rows and no error (facts.md F5)."""
    packed = gzip.compress(HEADER + b"1\tA\n") + gzip.compress(b"x" * 100_000_000) + gzip.compress(b"\n2\tB\n")
    source = source_of(packed)
    limits = FileLimits(ratio=2_000)
    facts = files.receive(source, limits)
    dialect = files.sniff(source, facts)
    tracemalloc.start()
    parts = list(files.read_slices(source, facts, dialect, limits))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row for part in parts for row in part.table["c0"].to_pylist()] == ["1", "2"]
    assert [(reject.line, reject.code) for part in parts for reject in part.rejects] == [(3, "line_too_long")]
    assert peak < 40_000_000


def test_a_million_blank_lines_before_the_header(read):
    reading = read(b"\n" * 1_200_000 + HEADER + b"1\tA\n")
    assert (reading.dialect.header_line, reading.blank, reading.rows) == (1_200_001, 1_200_000, [("1", "A")])
    assert reading.lines == [1_200_002]


@pytest.mark.parametrize("data", [b"id\tname", HEADER, HEADER + b"\n"])
def test_a_header_without_rows_yields_no_rows(read, data):
    reading = read(data)
    assert (reading.rows, reading.rejects, reading.blank) == ([], [], data.count(b"\n\n"))


def test_without_a_header_every_line_is_a_row(read):
    reading = read(b"1\tA\n2\tB\n", has_header=False)
    assert reading.dialect.columns == ("column_1", "column_2")
    assert (reading.rows, reading.lines) == ([("1", "A"), ("2", "B")], [1, 2])


def test_progress_may_stop_the_reading_at_once(source_of):
    source = source_of(HEADER + b"1\tA\n" * 1_000)
    facts = files.receive(source, FileLimits())
    dialect = files.sniff(source, facts)

    def stop(phase, done, total):
        assert (phase, total) == ("read", facts.text_bytes)
        if done > 1_000:
            raise Stopped

    parts = files.read_slices(source, facts, dialect, FileLimits(), slice_bytes=500, progress=stop)
    assert next(parts).table.num_rows > 0
    with pytest.raises(Stopped):
        list(parts)
