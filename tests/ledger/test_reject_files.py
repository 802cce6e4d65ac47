"""Reject files: exact ones load again, spreadsheet ones run nothing."""

from __future__ import annotations

import csv
import io

import pytest

from ingest_core.files.table_file import neutral
from ingest_core.ledger.reject_files import COLUMNS, write_exact, write_spreadsheet
from ingest_core.models import RejectedRow


def row(text, line=2, **more):
    given = {
        "line": line, "column": "city", "code": "no_identifier", "codes": ("no_identifier", "too_long"), "title": "T",
        "message": "A \"message\",\twith signs.", "fix": "Fix\nit.", "text": text,
    }  # fmt: skip
    return RejectedRow(**{**given, **more})


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", "|"])
def test_an_exact_file_holds_the_lines_verbatim_behind_five_columns(delimiter):
    texts = [delimiter.join(("K1", "Pune")), delimiter.join(('"a""b"', " x ")), ""]
    out = io.StringIO()
    assert write_exact(out, [row(text, line) for line, text in enumerate(texts, 2)], ["crmid", "city"], delimiter) == 3
    lines = out.getvalue().split("\n")
    assert lines[0].split(delimiter) == [*COLUMNS, "crmid", "city"]
    assert [line.split(delimiter, len(COLUMNS))[-1] for line in lines[1:4]] == texts
    assert [line.split(delimiter)[0] for line in lines[1:4]] == ["2", "3", "4"]
    assert lines[4:] == [""]


def test_an_exact_csv_is_a_table_even_with_separators_in_its_header():
    out = io.StringIO()
    write_exact(out, [row('K1,"Pune, west"')], ["crmid", 'city,"area"'], ",")
    table = list(csv.reader(io.StringIO(out.getvalue())))
    assert [line[len(COLUMNS) :] for line in table] == [["crmid", 'city,"area"'], ["K1", "Pune, west"]]


def test_rows_of_an_exact_file_load_again_once_repaired(kernel, tmp_path):
    bad = "crmid\tcity\n\tPune\n\tGoa\n"
    failed = kernel.load(bad, {"crmid": "crmid", "city": "city"})
    path = tmp_path / "rejects.tsv"
    rejects = kernel.workspace.history.rejects(failed.request_id)
    write_exact(path, rejects, kernel.workspace.history.layout(failed.request_id)["columns"], "\t")
    cut = "\n".join("\t".join(line.split("\t")[len(COLUMNS) :]) for line in path.read_text().splitlines()) + "\n"
    assert cut == bad


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "＋1", "－1", "＠x", " =1", "\u200b=1", "\ufeff=1",
        "\u00a0=1", "\u2060\u200b =1", "=cmd|' /C calc'!A0", "\u3000=1", "\u2003=1", "\u200e=1", "\u202e=1", "\n=1",
        "\x00=1", "\x0b=1", "\u00ad=1",
    ],
)  # fmt: skip
def test_cells_a_spreadsheet_would_run_are_neutralised(cell):
    assert neutral(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", " ", "Pune", "1-2", "a=b", "1", "'=1", "K-1", "🦆", "\u200b", "名前", "(1)", '"x"']
)
def test_other_cells_are_left_alone(cell):
    assert neutral(cell) == cell


def test_a_spreadsheet_is_csv_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "rejects.csv"
    rows = [row('=1+1\tPune, west\t"quoted"'), row("short", 3), row("a\x00b\tc", 4)]
    assert write_spreadsheet(path, rows, ["crmid", "=city", "x"], "\t") == 3
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in raw
    table = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert table[0] == [*COLUMNS, "crmid", "'=city", "x"]
    assert table[1][len(COLUMNS) :] == ["'=1+1", "Pune, west", '"quoted"']
    assert table[2][len(COLUMNS) :] == ["short"]


def test_csv_text_is_split_by_its_own_rules():
    out = io.StringIO()
    write_spreadsheet(out, [row('K1;"=1+1;x";"two\nlines"')], ["a", "b", "c"], ";")
    table = list(csv.reader(io.StringIO(out.getvalue().lstrip("\ufeff"), newline="")))
    assert table[1][len(COLUMNS) :] == ["K1", "'=1+1;x", "two\nlines"]


@pytest.mark.parametrize("text", ['"open', 'a"b,c', "x" * 200_000, "a\x00,b"])
def test_text_that_is_no_row_is_written_all_the_same(text):
    out = io.StringIO()
    assert write_spreadsheet(out, [row(text)], ["a"], ",") == 1
    assert out.getvalue().splitlines()[1].startswith("2,city,")
