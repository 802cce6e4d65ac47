"""Queries to start from run as they are, whatever the columns are called, and answer what their title asks."""

from __future__ import annotations

import pytest

from ingest_core.explore.charts import chart_values
from ingest_core.explore.starters import column_starters, main_table, starters

HOSTILE = (
    'rows\tline\t"a" "b"\t<b>x</b>\tamount\tsigned up\n'
    "x\t1\ty\tz\t10.5\t2027-01-05\n"
    "x\t2\ty\tz\t7\t2027-02-05\n"
    "x\t2\ty\tz\t7\t2027-02-05\n"
    "w\t3\t\tz\t900\t2027-02-28\n"
    "too short\n"
)


def answer(session, found, title):
    """(rows, values of the chart or None) of the query with this title."""
    (cell,) = [starter.cell for starter in found if starter.title == title]
    result = session.run(cell.sql)
    if cell.chart is not None and cell.chart.kind != "none":
        chart_values(result, cell.chart)
    return result.as_json()["rows"]


@pytest.fixture
def hostile(opened):
    return opened(HOSTILE)


def test_every_query_runs_on_columns_of_any_name(hostile):
    tables = hostile.tables()
    columns = [name for name, _ in main_table(tables).columns]
    assert len(columns) == 7
    found = [*starters(tables), *(starter for column in columns for starter in column_starters(tables, column))]
    for starter in found:
        result = hostile.run(starter.cell.sql)
        if starter.cell.chart is not None:
            chart_values(result, starter.cell.chart)


def test_they_answer_what_they_ask(hostile):
    tables = hostile.tables()
    general = starters(tables)
    assert answer(hostile, general, "Lines that are no row, by reason") == [["Too few cells", 1]]
    assert [row[:3] for row in answer(hostile, general, "Rows that stand there twice")] == [[2, 3, 4]]
    assert dict(answer(hostile, general, "Filled share of every column"))["amount"] == 1.0
    amount = column_starters(tables, "amount")
    assert answer(hostile, amount, "Rows per value") == [[7, 2], [10.5, 1], [900, 1]]
    assert [row[1] for row in answer(hostile, amount, "Spread of the values")] == [3, 1]
    assert answer(hostile, amount, "Smallest, middle, largest")[0][::4] == [7, 4]
    dates = column_starters(tables, "signed_up")
    assert [row[1] for row in answer(hostile, dates, "Rows per month")] == [1, 3]
    assert answer(hostile, column_starters(tables, "rows"), "Values that occur more than once") == [["x", 3, 2, 4]]


def test_cells_that_do_not_fit_are_found(opened):
    session = opened("n\tname\n" + "".join(f"{i}\tx\n" for i in range(40)) + "nine\tx\n\ty\n")
    found = column_starters(session.tables(), "n")
    assert answer(session, found, "Cells that do not fit the type") == [[42, "nine"]]
    assert len(answer(session, found, "Rows without a value")) == 2


def test_rejects_are_asked_for_only_where_there_are_any(opened):
    titles = [starter.title for starter in starters(opened("a\tb\nx\ty\n").tables())]
    assert "Lines that are no row, by reason" not in titles


def test_a_column_that_is_not_there_has_none(hostile):
    assert column_starters(hostile.tables(), "nothing") == []
    assert (starters(()), column_starters((), "x"), main_table(())) == ([], [], None)


def test_profiles_uploads_and_segments_are_asked_about(workspace):
    workspace.load_sample_data()
    session = workspace.explore.open_profiles()
    tables = session.tables()
    assert dict(answer(session, starters(tables), "Profiles per source"))
    for starter in starters(tables):
        result = session.run(starter.cell.sql)
        if starter.cell.chart is not None:
            chart_values(result, starter.cell.chart)
    for column, _ in main_table(tables).columns:
        for starter in column_starters(tables, column):
            session.run(starter.cell.sql)
