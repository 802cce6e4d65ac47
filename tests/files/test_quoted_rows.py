from __future__ import annotations

import pytest

from ingest_core.models import FileLimits

SIZES = [1, 2, 3, 7, 64, 8 << 20]


@pytest.mark.parametrize("slice_bytes", SIZES)
def test_quoted_cells_hold_separators_quotes_and_line_breaks(read, slice_bytes):
    data = b'id,name\r\n1,"a,b"\r\n2,"x\r\ny\nz\rw"\r\n3,"say ""hi"""\r\n4,""\r\n\r\n5,plain\r\n'
    reading = read(data, slice_bytes=slice_bytes)
    assert reading.rows == [("1", "a,b"), ("2", "x\r\ny\nz\rw"), ("3", 'say "hi"'), ("4", ""), ("5", "plain")]
    assert reading.lines == [2, 3, 7, 8, 10]
    assert (reading.blank, reading.lines_seen, reading.physical_lines) == (1, 6, 9)


@pytest.mark.parametrize("slice_bytes", SIZES)
def test_an_open_quote_costs_its_own_line_only(read, slice_bytes):
    """One open quote swallowed the rest of a file of 49,999 lines (facts.md F4)."""
    rows = "".join(f"{number},name\n" for number in range(50))
    data = f'id,name\n1,"open\n{rows}'.encode()
    reading = read(data, slice_bytes=slice_bytes)
    assert reading.codes == [(2, "open_quote")]
    assert reading.rejects[0].text == '1,"open'
    assert (len(reading.rows), reading.lines[0]) == (50, 3)


def test_an_open_quote_far_from_the_end_is_given_up_after_a_thousand_lines(read):
    data = b'id,name\n1,"open\n' + b"2,x\n" * 200_000
    reading = read(data)
    assert (reading.codes, len(reading.rows)) == ([(2, "open_quote")], 200_000)


@pytest.mark.parametrize("slice_bytes", SIZES)
def test_text_after_a_closing_quote_rejects_the_line(read, slice_bytes):
    reading = read(b'id,name\n1,"a"b\n2,"c" \n3,d\n', slice_bytes=slice_bytes)
    assert (reading.rows, reading.codes) == ([("3", "d")], [(2, "open_quote"), (3, "open_quote")])


@pytest.mark.parametrize("slice_bytes", SIZES)
def test_two_open_quotes_do_not_close_each_other_unseen(read, slice_bytes):
    data = b'id,name\n1,"open\n2,x\n3,"open too\n4,y\n5,"fine"\n6,z\n'
    reading = read(data, slice_bytes=slice_bytes)
    assert reading.rows == [("2", "x"), ("4", "y"), ("5", "fine"), ("6", "z")]
    assert reading.codes == [(2, "open_quote"), (4, "open_quote")]


@pytest.mark.parametrize("slice_bytes", SIZES)
def test_a_record_that_breaks_after_a_line_break_rejects_each_of_its_lines(read, slice_bytes):
    """Nothing of it is read as a row, and every physical line stands in the rejects."""
    data = b'id,name\n1,"a\nb","open\n2,x\n'
    reading = read(data, slice_bytes=slice_bytes)
    assert reading.rows == [("2", "x")]
    assert reading.codes == [(2, "open_quote"), (3, "open_quote")]


def test_an_open_quote_in_the_last_line(read):
    for data in (b'id,name\n1,a\n2,"open', b'id,name\n1,a\n2,"open\n', b'id,name\n1,a\n2,"open\r'):
        reading = read(data)
        assert (reading.rows, reading.codes) == ([("1", "a")], [(3, "open_quote")])


def test_a_quote_inside_an_unquoted_cell_is_a_character(read):
    reading = read(b'id,name\n1,ab"c\n2,5" disk\n3, "x"\n4,a""b\n')
    assert reading.rows == [("1", 'ab"c'), ("2", '5" disk'), ("3", ' "x"'), ("4", 'a""b')]
    assert "quote" in reading.dialect.evidence


@pytest.mark.parametrize("extra", ["", '7,ab"c\n'])
def test_ragged_rows_and_blank_lines_among_quoted_rows(read, extra):
    """Alike by the fast reader and, with a bare quote in the file, by the exact one."""
    data = f'id,name\n{extra}1,"a"\n\n"2"\n  \n3,"b",c\n4,"d\ne"\n'.encode()
    reading = read(data)
    shift = 1 if extra else 0
    assert reading.rows[shift:] == [("1", "a"), ("4", "d\ne")]
    assert reading.codes == [(4 + shift, "missing_cell"), (6 + shift, "extra_cell")]
    assert [reject.text for reject in reading.rejects] == ['"2"', '3,"b",c']
    assert (reading.blank, reading.lines[-1], reading.facts.physical_lines) == (2, 7 + shift, 8 + shift)


def test_a_quoted_empty_cell_in_one_column_is_a_row_and_an_empty_line_is_not(read):
    reading = read(b'name\n""\n\n"a"\n" "\n', delimiter=",")
    assert (reading.rows, reading.blank, reading.lines) == ([("",), ("a",), (" ",)], 1, [2, 4, 5])


def test_a_header_with_line_breaks(read):
    for slice_bytes in SIZES:
        reading = read(b'\n"i\nd","na""me"\r\n1,a\n', slice_bytes=slice_bytes)
        assert reading.dialect.columns == ("i\nd", 'na"me')
        assert (reading.rows, reading.lines, reading.blank) == ([("1", "a")], [4], 1)


def test_a_long_line_closes_an_open_quote(read):
    data = b'id,name\n1,"open\n2,' + b"x" * 100 + b'\n3,"fine"\n4,y\n'
    for slice_bytes in SIZES:
        reading = read(data, limits=FileLimits(line=50), slice_bytes=slice_bytes)
        assert reading.codes == [(2, "open_quote"), (3, "line_too_long")]
        assert reading.rows == [("3", "fine"), ("4", "y")]


def test_a_quoted_cell_over_the_line_limit_is_not_a_row(read):
    data = b'id,name\n1,"' + b"some line\n" * 30 + b'"\n2,y\n'
    for slice_bytes in SIZES:
        reading = read(data, limits=FileLimits(line=100), slice_bytes=slice_bytes)
        assert reading.codes[0] == (2, "open_quote")
        assert reading.rows == [("2", "y")]
        assert reading.lines_seen == reading.physical_lines


def test_a_record_of_a_thousand_lines_is_read_and_one_more_is_not(read):
    for lines, is_row in ((1_000, True), (1_001, False)):
        data = b'id,name\n1,"' + b"\n" * (lines - 1) + b'"\n2,y\n'
        rows = read(data).rows
        assert rows == ([("1", "\n" * (lines - 1)), ("2", "y")] if is_row else [("2", "y")])


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_every_separator_but_the_tab_has_quoting(read, delimiter):
    data = f'id{delimiter}name\n1{delimiter}"a{delimiter}b"\n2{delimiter}c\n'.encode()
    reading = read(data)
    assert (reading.dialect.delimiter, reading.dialect.quoting) == (delimiter, True)
    assert reading.rows == [("1", f"a{delimiter}b"), ("2", "c")]


def test_a_file_full_of_open_quotes_is_read_in_linear_time(read):
    data = b"id,name\n" + b'1,"open\n' * 50_000
    reading = read(data)
    assert (reading.lines_seen, reading.rows) == (50_000, [])


def test_thousands_of_quoted_rows_with_one_odd_quote_are_all_there(read):
    """The odd quote makes its block go through the exact reader; nothing else changes."""
    rows = [f'{number},"name, {number}"\n' for number in range(20_000)]
    rows[10_000] = '10000,5" disk\n'
    for slice_bytes in (50_000, 8 << 20):
        reading = read(("id,name\n" + "".join(rows)).encode(), slice_bytes=slice_bytes)
        assert (len(reading.rows), reading.rejects) == (20_000, [])
        assert reading.rows[9_999:10_002] == [("9999", "name, 9999"), ("10000", '5" disk'), ("10001", "name, 10001")]
        assert reading.lines == list(range(2, 20_002))
