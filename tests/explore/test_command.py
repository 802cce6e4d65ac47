"""explore on the command line: one query, one document, nothing stored."""

from __future__ import annotations

import json
import zipfile

import pytest

from tests.cli.conftest import onramp, people, prepared_home
from tests.explore.test_export import run

__all__ = ["onramp", "people", "prepared_home"]  # fixtures


def test_a_file_is_asked_before_anything_is_stored(onramp, people):
    before = onramp.state()
    answer = onramp.json("explore", people, "--sql", "SELECT city, count(*) AS n FROM typed GROUP BY 1 ORDER BY 1")
    assert set(answer) == {"columns", "rows", "row_count", "is_cut", "seconds"}
    assert answer["columns"] == [{"name": "city", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}]
    assert answer["rows"] == [["Bonn", 1], ["Kiel", 1], ["Lyon", 1], ["Oslo", 1], ["Rome", 1]]
    assert (answer["row_count"], answer["is_cut"]) == (5, False)
    assert onramp.state() == before


def test_profiles_are_asked_masked(onramp, people):
    onramp.load(people, "--auto")
    answer = onramp.json("explore", "--profiles", "--sql", "SELECT crmid, email FROM profiles ORDER BY 1")
    assert [row[0] for row in answer["rows"]] == ["C1", "C2", "C4"]
    assert "anna@" not in str(answer["rows"])


def test_rows_are_printed_as_a_grid(onramp, people):
    done = onramp.run("explore", people, "--sql", "SELECT crmid, line * 1000 AS line_no FROM file", "--rows", 2)
    assert done.code == 0
    assert done.out.splitlines() == [
        "crmid  line_no",
        "C1        2000",
        "C2        3000",
        "The first 2 rows; there are more.",
    ]
    assert onramp.run("explore", people, "--sql", "SELECT 1 AS a").out.splitlines() == ["a", "1", "1 row."]
    assert onramp.run("explore", people, "--sql", "SELECT 1 AS a WHERE false").out.splitlines() == ["a", "0 rows."]


def test_no_cell_moves_the_cursor(onramp, people):
    done = onramp.run(
        "explore", people, "--sql", "SELECT chr(27) || '[31m' AS red, repeat('x', 100) AS long, [1, 2] AS l"
    )
    assert "\x1b" not in done.out
    assert "x" * 47 + "…" in done.out
    assert "1, 2" in done.out


def test_the_dialect_can_be_said(onramp, tmp_path):
    path = tmp_path / "odd.txt"
    path.write_bytes("C1~Köln\nC2~Bonn\n".encode("windows-1252"))
    options = ["--delimiter", "~", "--no-header", "--encoding", "windows-1252", "--source", "CRM"]
    answer = onramp.json("explore", path, "--sql", "SELECT column_2 FROM file", *options)
    assert answer["rows"] == [["Köln"], ["Bonn"]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--sql", "SELECT 1"], "usage"),
        (["{people}"], "usage"),
        (["{people}", "--profiles", "--sql", "SELECT 1"], "usage"),
        (["{people}", "--sql", "SELECT 1", "--rows", "0"], "usage"),
        (["{people}", "--sql", "SELECT 1", "--rows", "many"], "usage"),
        (["{people}", "--sql", ""], "sql_empty"),
        (["{people}", "--sql", "SELECT nothing FROM file"], "sql_wrong"),
        (["{people}", "--sql", "SELECT * FROM profiles"], "sql_no_table"),
        (["{people}", "--sql", "COPY file TO 'x'"], "sql_not_allowed"),
        (["{people}", "--sql", "SELECT email::INTEGER FROM file"], "sql_failed"),
        (["--profiles", "--sql", "SELECT * FROM file"], "sql_no_table"),
        (["missing.tsv", "--sql", "SELECT 1"], "no_such_file"),
        (["{people}", "--source", "Nobody", "--sql", "SELECT 1"], "no_such_source"),
        (["{people}", "--sql", "SELECT 1", "--export", "{people}"], "exists_already"),
    ],
)
def test_what_cannot_be_asked_is_an_error_that_can_be_corrected(onramp, people, arguments, code):
    given = [argument.replace("{people}", str(people)) for argument in arguments]
    assert onramp.refuse("explore", *given)["code"] == code


def test_a_notebook_is_written_beside_the_answer(onramp, people, tmp_path):
    sql = "SELECT city, count(*) AS n FROM file GROUP BY 1 ORDER BY 1"
    answer = onramp.json("explore", people, "--sql", sql, "--export", tmp_path / "out")
    assert run(tmp_path / "out")[0]["rows"] == answer["rows"]
    onramp.json("explore", people, "--sql", sql, "--export", tmp_path / "out.zip")
    assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        made = json.loads(archive.read("notebook.ipynb"))
    assert made["nbformat"] == 4
