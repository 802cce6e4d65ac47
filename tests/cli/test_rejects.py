"""Rows that were not stored: said why, given back exactly, harmless in a spreadsheet."""

from __future__ import annotations

import csv

import pytest

from tests.cli.onramp import write_mapping, write_table


@pytest.fixture
def rejected(onramp, people) -> str:
    request_id: str = onramp.load(people, "--auto")["request_id"]
    return request_id


def test_rejects_name_line_column_reason_and_fix(onramp, rejected):
    (row,) = onramp.json("rejects", rejected)
    assert (row["line"], row["column"], row["code"], row["codes"]) == (5, "email", "not_an_email", ["not_an_email"])
    assert row["text"] == "C3\tnot an address\tCleo\tRome"
    assert row["title"]
    assert row["message"]
    assert row["fix"]


def test_the_exact_file_loads_again_after_a_fix_and_the_cut_of_five_columns(onramp, rejected, people, tmp_path):
    out = tmp_path / "rejected.tsv"
    assert onramp.json("rejects", rejected, "--out", out) == {"request_id": rejected, "rejected": 1, "out": str(out)}
    assert out.stat().st_mode & 0o777 == 0o600
    lines = out.read_text(encoding="utf-8").splitlines()
    original = people.read_text(encoding="utf-8").splitlines()
    cut = [line.split("\t", 5)[5] for line in lines]
    assert cut == [original[0], original[4]]
    fixed = write_table(tmp_path / "fixed.tsv", *cut)
    fixed.write_text(fixed.read_text().replace("not an address", "cleo@example.com"))
    receipt = onramp.load(fixed)
    assert (receipt["created"], receipt["rejected"]) == (1, 0)


def test_rejects_of_a_csv_file_come_back_as_csv(onramp, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(
        'crmid,email,first_name\nC1,anna@example.com,Anna\nC2,"no, not really","Ben ""B"" Lee"\n'
        'C3,"cleo@example.com","Cleo\nRosa",extra\nC4,dora@example.com,Dora\n'
    )
    request_id = onramp.load(file, "--auto")["request_id"]
    out = tmp_path / "rejected.csv"
    onramp.json("rejects", request_id, "--out", out)
    rows = list(csv.reader(out.open(newline="", encoding="utf-8")))
    assert rows[0][5:] == ["crmid", "email", "first_name"]
    assert rows[1][5:] == ["C2", "no, not really", 'Ben "B" Lee']
    assert rows[2][5:] == ["C3", "cleo@example.com", "Cleo\nRosa", "extra"]
    assert [row[2] for row in rows[1:]] == ["not_an_email", "extra_cell"]


def test_column_names_that_need_quotes_stay_one_column_in_the_exact_file(onramp, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text('crmid,email,"city, or ""town"""\nC1,anna@example.com,Bonn\nC2,nobody,Rome\n')
    mapping = write_mapping(
        tmp_path / "m.json",
        {"column": "crmid", "attribute": "crmid"},
        {"column": "email", "attribute": "email"},
        {"column": 'city,_or_"town"', "attribute": "city"},
    )
    request_id = onramp.load(file, "--mapping", mapping)["request_id"]
    out = tmp_path / "rejected.csv"
    onramp.json("rejects", request_id, "--out", out)
    header, row = csv.reader(out.open(newline="", encoding="utf-8"))
    assert len(header) == len(row) == 8


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize(
    "before", ["", " ", "\u200b", "\ufeff\u200f", "\u00a0\u3000", "\u202e", "\u2800", "\u034f\u180e"]
)
def test_no_cell_of_the_spreadsheet_file_is_a_formula(sign, before):
    from ingest_core.files.table_file import neutral

    cell = f"{before}{sign}HYPERLINK(1)"
    assert neutral(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", " ", "plain", "a=b", "\u200bplain", "12", "é+1", "'=1"])
def test_harmless_cells_stay_as_they_are(cell):
    from ingest_core.files.table_file import neutral

    assert neutral(cell) == cell


def test_the_spreadsheet_file_neutralises_header_and_cells(onramp, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text(
        "crmid\temail\t=note\nC1\tanna@example.com\tx\nC2\t@nobody\t\u200b=1+1\nC3\t+n@\t＋49\n", encoding="utf-8"
    )
    mapping = write_mapping(
        tmp_path / "m.json", {"column": "crmid", "attribute": "crmid"}, {"column": "email", "attribute": "email"}
    )
    request_id = onramp.load(file, "--mapping", mapping)["request_id"]
    out = tmp_path / "rejected.csv"
    onramp.json("rejects", request_id, "--out", out, "--spreadsheet")
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(out.open(newline="", encoding="utf-8-sig")))
    assert rows[0][5:] == ["crmid", "email", "'=note"]
    assert [row[5:] for row in rows[1:]] == [["C2", "'@nobody", "'\u200b=1+1"], ["C3", "'+n@", "'＋49"]]


def test_a_rejected_line_of_any_length_can_be_written(onramp, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("crmid,email\nC1,anna@example.com\nC2," + "x" * 300_000 + "\n")
    request_id = onramp.load(file, "--auto")["request_id"]
    for options in ([], ["--spreadsheet"]):
        onramp.json("rejects", request_id, "--out", tmp_path / "out.csv", *options)
        assert (tmp_path / "out.csv").stat().st_size > 300_000


def test_nothing_is_written_where_there_is_no_such_upload(onramp, tmp_path):
    kept = tmp_path / "kept.tsv"
    kept.write_text("mine")
    assert onramp.refuse("rejects", "NOTHING", "--out", kept)["code"] == "no_such_upload"
    assert kept.read_text() == "mine"


def test_a_spreadsheet_needs_a_file(onramp, rejected):
    assert onramp.refuse("rejects", rejected, "--spreadsheet")["code"] == "usage"


def test_a_folder_that_is_not_there_is_a_clear_error(onramp, rejected, tmp_path):
    assert onramp.refuse("rejects", rejected, "--out", tmp_path / "no" / "x", exit_code=3)["code"] == "disk_error"


def test_an_upload_without_rejects_has_an_empty_list(onramp, tmp_path):
    request_id = onramp.load(write_table(tmp_path / "a.tsv", "crmid|city", "C1|Bonn"), "--auto")["request_id"]
    assert onramp.json("rejects", request_id) == []
    assert onramp.run("rejects", request_id).out == "Nothing to show.\n"
