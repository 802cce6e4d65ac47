"""A notebook that was taken along runs without us and shows the same tables."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.errors import InputError, Stopped
from ingest_core.explore.export import export_folder, export_zip, python_text
from ingest_core.explore.notebooks import Cell, Chart
from tests.catalog.names import KEPT
from tests.explore.test_limits import ENDLESS, until_at_work

RUN = """
import ast, json, sys
shown, space = [], {"__name__": "__main__"}
for cell in json.load(open("notebook.ipynb", encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    body = ast.parse("".join(cell["source"])).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), space)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
        if type(value).__name__ == "Figure":
            shown.append({"chart": value.data[0].type, "points": len(value.data)})
        elif type(value).__name__ == "DataFrame":
            names, rows = list(value.columns), value.astype(object).where(value.notna(), None).values.tolist()
            shown.append({"columns": names, "rows": json.loads(json.dumps(rows, default=str))})
print(json.dumps(shown))
"""
"""Runs the code cells one after another as Jupyter does, and prints what each shows."""


def run(folder: Path) -> list[dict]:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", RUN], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_shown(session, sql: str) -> dict:
    answer = session.run(sql).as_json()
    return {"columns": [column["name"] for column in answer["columns"]], "rows": answer["rows"]}


QUERIES = (
    "SELECT city, count(*) AS n FROM file GROUP BY city ORDER BY ALL",
    "SELECT crmid, amount::DOUBLE AS amount FROM typed WHERE amount IS NOT NULL ORDER BY line",
    'SELECT \'it\'\'s \\ """quoted""" 100 % {x} ü 🦆\' AS "a\\b"\r\n-- with a comment at its end',
    "SELECT 1 AS a, 2 AS a",
    "FROM rejects",
)


def test_it_runs_and_finds_the_same_tables(asked, tmp_path):
    told = export_folder(asked, "People", [Cell(sql=sql) for sql in QUERIES], tmp_path / "out")
    assert (told.cells, told.left_out) == (5, ())
    shown = [one for one in run(tmp_path / "out") if "rows" in one]
    assert shown == [as_shown(asked, sql) for sql in QUERIES]


def test_charts_are_drawn_as_chosen_or_as_suggested(asked, tmp_path):
    sql = "SELECT city, count(*) AS n FROM file GROUP BY city ORDER BY ALL"
    cells = [
        Cell(sql=sql),
        Cell(sql=sql, chart=Chart(kind="scatter", x="city", y="n", colour="city")),
        Cell(sql=sql, chart=Chart(kind="histogram", x="n", y="city")),
        Cell(sql=sql, chart=Chart(kind="line", x="city", y="n")),
        Cell(sql=sql, chart=Chart()),
        Cell(sql=sql, chart=Chart(kind="bar", x="a column that is gone", y="n")),
    ]
    export_folder(asked, "Charts", cells, tmp_path / "out")
    drawn = [one["chart"] for one in run(tmp_path / "out") if "chart" in one]
    assert drawn == ["bar", "scatter", "histogram", "scatter"]  # a line is a scatter to Plotly


def test_a_query_that_did_not_run_is_kept_as_text(asked, tmp_path):
    cells = [Cell(sql="SELECT nothing FROM file\n--```\n--# no heading"), Cell(sql=" \n"), Cell(sql="SELECT 2 AS two")]
    told = export_folder(asked, "Half", cells, tmp_path / "out")
    assert told.cells == 1
    assert [number for number, _ in told.left_out] == [1]
    assert "nothing" in told.left_out[0][1]
    assert [one["rows"] for one in run(tmp_path / "out")] == [[[2]]]
    text = json.loads((tmp_path / "out" / "notebook.ipynb").read_text("utf-8"))
    kept = next(cell for cell in text["cells"][1:] if cell["cell_type"] == "markdown")
    assert "````sql\nSELECT nothing FROM file\n--```\n--# no heading\n````" in "".join(kept["source"])


def test_its_form_is_that_of_jupyter(asked, tmp_path):
    """Version 4.5 of nbformat: what its schema requires of a notebook and of each kind of cell."""
    export_folder(asked, "<b>*Bold*</b>", [Cell(sql="SELECT 1")], tmp_path / "out")
    made = json.loads((tmp_path / "out" / "notebook.ipynb").read_text("utf-8"))
    assert set(made) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    assert made["metadata"]["kernelspec"].keys() >= {"name", "display_name"}
    ids = [cell["id"] for cell in made["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in made["cells"]:
        assert all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in cell["id"])
        wanted = {"id", "cell_type", "metadata", "source"}
        assert set(cell) == wanted | ({"execution_count", "outputs"} if cell["cell_type"] == "code" else set())
        assert cell["metadata"] == {}
        assert all(isinstance(line, str) for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert made["cells"][0]["source"][0] == "# \\<b\\>\\*Bold\\*\\</b\\>\n"


def test_the_archive_holds_the_same(asked, tmp_path):
    export_folder(asked, "People", [Cell(sql=QUERIES[0])], tmp_path / "out")
    archive = io.BytesIO()
    export_zip(asked, "People", [Cell(sql=QUERIES[0])], archive)
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        opened.extractall(tmp_path / "unpacked")
    assert run(tmp_path / "unpacked") == run(tmp_path / "out")
    names = sorted(path.relative_to(tmp_path / "unpacked").as_posix() for path in (tmp_path / "unpacked").rglob("*.*"))
    assert names == ["data/file.parquet", "data/rejects.parquet", "data/typed.parquet", "notebook.ipynb"]


def test_nobody_else_can_read_it_and_nothing_is_written_over(asked, tmp_path):
    folder = tmp_path / "out"
    export_folder(asked, "People", [], folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o77 for path in folder.rglob("*")} == {0}
    with pytest.raises(InputError) as caught:
        export_folder(asked, "People", [], folder)
    assert caught.value.code == "exists_already"


def test_one_that_was_stopped_leaves_nothing(opened, tmp_path):
    session = opened()
    session.tables()
    thread = threading.Thread(target=lambda: (until_at_work_with_a_query(session), session.stop()))
    thread.start()
    with pytest.raises(Stopped):
        export_folder(session, "People", [Cell(sql=ENDLESS)], tmp_path / "out")
    thread.join()
    assert not (tmp_path / "out").exists()


def until_at_work_with_a_query(session) -> None:
    """Returns when an order is under way for longer than the reading of a small table takes."""
    seen = None
    while seen is None or session._sandbox._number != seen:
        until_at_work(session)
        seen = session._sandbox._number
        time.sleep(0.5)


def test_empty_tables_are_taken_along(opened, tmp_path):
    session = opened("a\tb\n")
    export_folder(session, "Nothing", [Cell(sql="SELECT count(*) AS n FROM typed")], tmp_path / "out")
    assert [one["rows"] for one in run(tmp_path / "out")] == [[[0]]]


def test_masked_profiles_are_taken_along_masked(kernel, tmp_path):
    kernel.load("crmid\temail\tcity\nC1\tanna.wren@example.com\tPune\n", {n: n for n in ("crmid", "email", "city")})
    session = kernel.workspace.explore.open_profiles()
    sql = "SELECT crmid, email, sources[1] AS source, city FROM profiles"
    export_folder(session, "People", [Cell(sql=sql)], tmp_path / "out")
    shown = run(tmp_path / "out")
    assert shown == [as_shown(session, sql)]
    assert "anna.wren" not in str(shown)
    for path in (tmp_path / "out").rglob("*.*"):
        assert b"anna.wren" not in path.read_bytes()


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=60) | st.sampled_from(KEPT))
def test_any_text_reads_back_from_its_literal(text):
    written = python_text(text)
    assert written.isprintable() or "\n" in written
    assert ast.literal_eval(written) == text


@given(st.text(alphabet="\"\\\n\r'x", max_size=30))
def test_quotes_and_backslashes_read_back(text):
    assert ast.literal_eval(python_text(text)) == text
