from __future__ import annotations

import gzip

import pytest

from ingest_core import files
from ingest_core.errors import FileError
from ingest_core.models import FileLimits


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("id\tname\n1\tA, B; C\n2\tD, E\n", "\t", 2),
        ("id,name\n1,A\n2,B\n", ",", 2),
        ("id;price\n1;1,5\n2;2,5\n", ";", 2),
        ("id|name\n1|A\n", "|", 2),
        ('id,note\n1,"a;b;c"\n2,"d;e;f"\n', ",", 2),
        ('a;b\n"x;y;z";1\n"1;2;3";2\n', ";", 2),
        ("name\nAnna\nBob\n", "\t", 1),
        ("name\nSmith, John\nMiller, Ann\n", "\t", 1),
        ("id,name,city", ",", 3),
        ("a;b,c;d\n1;2,3;4\n", ";", 3),
        ("id\tname\n1\n2\n3\tx\n", "\t", 2),
    ],
)
def test_the_separator_is_found_by_evidence(source_of, text, delimiter, columns):
    dialect = files.sniff(source_of(text.encode()), None)
    assert (dialect.delimiter, len(dialect.columns)) == (delimiter, columns)
    assert dialect.quoting == (delimiter != "\t")
    assert dialect.evidence


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("id,name\n1,A\n", True),
        ("1,2,3\n", False),
        ("1,2,3\n4,5,6\n", False),
        ("a,b\nc,d\ne,f\n", True),
        ("name,city\n", True),
        ("name,2019,2020\nx,5,6\ny,7,8\n", True),
        ("id,100022,100025\nid1,TRUE,FALSE\n", True),
        ("17,anna@x.example\n18,bob@x.example\n", False),
        ("anna@x.example\nbob@x.example\n", False),
        ("Anna,1980-01-02\nBob,1990-03-04\n", False),
        ("email\nanna@x.example\n", True),
        ("id,phone\n1,+49 30 123456\n", True),
        ("00017\n00018\n", False),
    ],
)
def test_the_first_line_is_the_header_unless_it_clearly_is_data(source_of, text, has_header):
    dialect = files.sniff(source_of(text.encode()), None)
    assert dialect.has_header == has_header
    assert dialect.header_line == (1 if has_header else 0)


def test_what_is_chosen_is_taken(source_of):
    source = source_of(b"1,a;b\n2,c;d\n")
    dialect = files.sniff(source, None, delimiter=";", has_header=True)
    assert (dialect.columns, dialect.has_header) == (("1,a", "b"), True)
    assert files.sniff(source, None, has_header=False).columns == ("column_1", "column_2")
    assert files.sniff(source_of(b"a:b\n1:2\n"), None, delimiter=":").columns == ("a", "b")


def test_names_are_kept_as_they_stand_in_the_file(source_of):
    assert files.sniff(source_of(b" id \tslot num\t\t\n1\t2\t3\t4\n"), None).columns == (" id ", "slot num", "", "")


def test_without_a_header_the_usual_width_counts(source_of):
    dialect = files.sniff(source_of(b"1,2\n1,2,3\n4,5,6\n"), None, delimiter=",", has_header=False)
    assert dialect.columns == ("column_1", "column_2", "column_3")


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n", "\r", "\x00", "é"])
def test_what_cannot_separate_is_refused(source_of, delimiter):
    with pytest.raises(FileError) as caught:
        files.sniff(source_of(b"a,b\n"), None, delimiter=delimiter)
    assert caught.value.code == "wrong_delimiter"


def test_too_many_columns(source_of):
    source = source_of(",".join(f"c{index}" for index in range(2_001)).encode() + b"\n")
    with pytest.raises(FileError) as caught:
        files.sniff(source, None)
    assert (caught.value.code, caught.value.facts["columns"]) == ("too_many_columns", 2_001)
    assert "2,001" in caught.value.message
    assert "2,000" in caught.value.message
    assert len(files.sniff(source, None, limits=FileLimits(columns=2_001)).columns) == 2_001


@pytest.mark.parametrize("data", [b"\n\n\n", b"   \n \r\n", b"\xef\xbb\xbf\n"])
def test_nothing_but_blank_lines_is_an_empty_file(source_of, data):
    with pytest.raises(FileError) as caught:
        files.sniff(source_of(data), None)
    assert caught.value.code == "empty_file"


@pytest.mark.parametrize("size", [1_100_000, 4_000_000])
def test_a_first_line_over_the_limit_is_no_table(source_of, size):
    with pytest.raises(FileError) as caught:
        files.sniff(source_of(b"x" * size + b"\n1\n"), None)
    assert caught.value.code == "not_a_table"


def test_a_header_with_an_open_quote_is_taken_as_it_stands(read):
    reading = read(b'id,"name\n1,a\n2,b\n')
    assert reading.dialect.columns == ("id", '"name')
    assert (reading.rows, reading.lines) == ([("1", "a"), ("2", "b")], [2, 3])


def test_the_head_of_a_file_with_its_account(source_of):
    data = b"\n \nid\tname\n1\tA\n\n2\n3\tB\n\n4\tC\n"
    dialect, part = files.head(source_of(data), rows=2)
    assert dialect.columns == ("id", "name")
    assert (part.table.to_pydict(), part.lines.to_pylist()) == ({"c0": ["1", "3"], "c1": ["A", "B"]}, [4, 7])
    assert [(reject.line, reject.code) for reject in part.rejects] == [(6, "missing_cell")]
    assert (part.blank, part.lines_seen, part.physical_lines) == (4, 7, 7)


def test_the_head_of_a_large_file_reads_only_its_head(source_of, tmp_path):
    rows = b"".join(b'%d,"name\n%d"\n' % (number, number) for number in range(200_000))
    for data in (b"id,name\n" + rows, gzip.compress(b"id,name\n" + rows, 1)):
        source = source_of(data)
        read = []

        class Watched:
            name, size = source.name, source.size

            def open(self, source=source, read=read):
                stream = source.open()
                read.append(stream)
                return stream

        dialect, part = files.head(Watched(), rows=50)
        assert part.table.num_rows == 50
        assert part.table["c1"][49].as_py() == "name\n49"
        assert dialect.quoting
        assert all(stream.closed for stream in read)


def test_the_head_without_any_complete_row(source_of):
    dialect, part = files.head(source_of(b"id,name\n" + b'1,"' + b"x" * 2_000_000 + b'"\n'))
    assert (dialect.columns, part.table.num_rows, part.lines_seen) == (("id", "name"), 0, 0)
    dialect, part = files.head(source_of(b"id,name"))
    assert (part.table.num_rows, part.table.num_columns) == (0, 2)
