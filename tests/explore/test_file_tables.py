"""A file as tables: every cell as it stands, with types beside it, and the lines that are no row."""

from __future__ import annotations

import gzip

import pytest

from ingest_core.engine import quote
from ingest_core.errors import FileError
from tests.catalog.names import KEPT
from tests.explore.conftest import session_over


def rows(session, sql: str) -> list[list[object]]:
    return session.run(sql).as_json()["rows"]


def test_cells_stand_as_in_the_file_with_their_line(asked):
    assert rows(asked, "SELECT * FROM file WHERE line IN (2, 4)") == [
        ["C1", "zaunkoenig.wren@example.com", "2027-01-05", "10.50", "Pune", 2],
        ["C3", "cleo@example.com", "2027-02-17", "", "Pune", 4],
    ]


def test_typed_has_numbers_dates_and_null_for_blank(asked):
    types = dict(row[:2] for row in rows(asked, "DESCRIBE typed"))
    assert types == {
        "crmid": "VARCHAR", "email": "VARCHAR", "signed_up": "DATE", "amount": "DECIMAL(38,10)", "city": "VARCHAR",
        "line": "BIGINT",
    }  # fmt: skip
    assert rows(asked, "SELECT sum(amount), count(amount), max(signed_up) FROM typed") == [[17.75, 3, "2027-02-18"]]


def test_lines_that_are_no_row_are_a_table(asked):
    assert rows(asked, "FROM rejects") == [[5, "missing_cell", "Too few cells", "C4 and no more"]]


def test_tables_say_what_they_hold(asked):
    told = {table.name: table for table in asked.tables()}
    assert list(told) == ["file", "typed", "rejects"]
    assert told["file"].columns[2:4] == (("signed_up", "VARCHAR"), ("amount", "VARCHAR"))
    assert told["typed"].columns[2:4] == (("signed_up", "DATE"), ("amount", "DECIMAL(38,10)"))
    assert (told["file"].rows, told["file"].is_cut) == (4, False)
    assert told["file"].about == "all 4 rows, every cell as it stands in the file"


def test_a_file_larger_than_the_limit_is_cut_and_says_so(opened):
    text = "a\n" + "".join(f"{n}\n" for n in range(5_000))
    session = opened(text, file_rows=100)
    table = session.tables()[0]
    assert (table.rows, table.is_cut) == (100, True)
    assert "the first 100 rows of 5,000 lines" in table.about
    assert rows(session, "SELECT count(*), max(a) FROM typed") == [[100, 99]]
    whole = opened(text, file_rows=5_000).tables()[0]
    assert (whole.rows, whole.is_cut) == (5_000, False)


def test_bytes_have_a_limit_too(tmp_path):
    path = tmp_path / "wide.tsv"
    path.write_text("a\n" + f"{'x' * 1000}\n" * 30_000)
    session = session_over(path, file_rows=100_000, file_bytes=1 << 20)
    table = session.tables()[0]
    session.close()
    assert table.is_cut
    assert 0 < table.rows < 30_000


def test_what_only_a_person_can_decide_stays_text(opened):
    session = opened("day\tcode\n" + "".join(f"0{n}/0{n % 8 + 1}/2027\t00{n}\n" for n in range(1, 9)))
    assert [row[1] for row in rows(session, "DESCRIBE typed")] == ["VARCHAR", "VARCHAR", "BIGINT"]


def test_a_value_that_does_not_fit_is_null_in_typed_and_there_in_file(opened):
    session = opened("n\n" + "1\n" * 500 + "many\n")
    assert rows(session, "SELECT file.n, typed.n FROM file JOIN typed USING (line) WHERE line = 502") == [
        ["many", None]
    ]


def test_white_space_is_blank_in_typed(opened):
    session = opened("a\tb\n \u3000x\u00a0 \t \u2003 \n")
    assert rows(session, "SELECT a, b FROM typed") == [["x", None]]
    assert rows(session, "SELECT a, b FROM file") == [[" \u3000x\u00a0 ", " \u2003 "]]


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_any_name_of_a_column_can_be_asked_for(opened, delimiter):
    names = [name for name in KEPT if delimiter not in name and '"' not in name] + [
        "select", "line", "LINE", "data", "rowid", "file", "c0", "t0", "x" * 3_000, "",
    ]  # fmt: skip
    session = opened(delimiter.join(names) + "\n" + delimiter.join(str(n) for n in range(len(names))) + "\n")
    columns = [name for name, _ in session.tables()[0].columns]
    assert len({column.casefold() for column in columns}) == len(names) + 1
    for table in ("file", "typed"):
        for at, column in enumerate(columns[:-1]):
            assert rows(session, f"SELECT {quote(column)}::VARCHAR FROM {table}") == [[str(at)]], column
    assert rows(session, "SELECT * FROM file")[0][-1] == 2
    assert [row[0] for row in rows(session, "DESCRIBE file")] == columns


def test_names_with_quotes_are_names(opened):
    session = opened('say "so"\t"; DROP VIEW file; --\t\'\ta\n1\t2\t3\t4\n')
    assert [name for name, _ in session.tables()[0].columns] == ['say_"so"', '";_DROP_VIEW_file;_', "'", "a", "line"]
    assert rows(session, 'SELECT "say_""so""", """;_DROP_VIEW_file;_", "\'" FROM typed') == [[1, 2, 3]]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_an_error_of_the_file(opened, text):
    session = opened(text)
    with pytest.raises(FileError):
        session.tables()
    assert not session.is_loaded


def test_a_file_without_rows_has_empty_tables(opened):
    session = opened("a\tb\n")
    assert [table.rows for table in session.tables()] == [0, 0, 0]
    assert rows(session, "SELECT count(*), max(a) FROM typed") == [[0, None]]


def test_a_wide_file_is_asked_like_any_other(opened):
    columns = 1_500
    session = opened("\t".join(f"col{n}" for n in range(columns)) + "\n" + "\t".join(["7"] * columns) + "\n")
    assert rows(session, "SELECT col0 + col1499 FROM typed") == [[14]]
    assert len(session.run("FROM typed").columns) == columns + 1


def test_compressed_and_quoted_files_are_read_as_a_load_reads_them(tmp_path):
    path = tmp_path / "people.csv.gz"
    path.write_bytes(gzip.compress('crmid,note\nC1,"two\nlines, one cell"\nC2,ü\n'.encode("utf-16")))
    session = session_over(path)
    assert rows(session, "SELECT crmid, note, line FROM file") == [["C1", "two\nlines, one cell", 2], ["C2", "ü", 4]]
    session.close()


def test_a_file_that_changed_is_not_read_as_the_one_before(tmp_path):
    path = tmp_path / "people.tsv"
    path.write_text("a\n1\n")
    session = session_over(path)
    session.tables()
    session.close()
    path.write_text("a\tb\n1\t2\n3\t4\n")
    with pytest.raises(FileError) as caught:
        session.run("SELECT count(*) FROM file")
    assert caught.value.code == "changed_while_reading"


def test_a_received_file_is_asked_before_it_is_loaded(kernel):
    landed = kernel.workspace.landing.open(kernel.land(b"crmid\tcity\nC1\tPune\n"))
    session = kernel.workspace.explore.open_file(landed, limits=kernel.workspace.planner.limits())
    assert rows(session, "SELECT crmid, city FROM file") == [["C1", "Pune"]]
    assert kernel.workspace.history.list() == []
