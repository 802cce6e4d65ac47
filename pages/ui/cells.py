"""The cells of a notebook: a query each, with its table and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from ingest_core.errors import Stopped
from ingest_core.explore.charts import completed, missing_column, suggest_chart
from ingest_core.explore.notebooks import Cell, Chart
from ingest_core.explore.result import Result
from pages.ui import errors
from pages.ui.result_charts import KINDS, result_chart
from pages.ui.sheet import Sheet
from pages.ui.sql_editor import sql_editor
from pages.ui.text import count, escape, number, seconds

MENU = {
    "up": ":material/arrow_upward: Move up",
    "down": ":material/arrow_downward: Move down",
    "twice": ":material/content_copy: Duplicate",
    "delete": ":material/delete: Delete",
}
_SHORT = 10  # rows of a table that is as high as it needs to be


def cells(sheet: Sheet) -> None:
    """All of them, and in the place of one that was deleted the way back."""
    for at, key in enumerate(sheet.cells):
        if sheet.removed is not None and sheet.removed[0] == at:
            _bring_back(sheet)
        _cell(sheet, key, at + 1)
    if sheet.removed is not None and sheet.removed[0] >= len(sheet.cells):
        _bring_back(sheet)


def _bring_back(sheet: Sheet) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True):
        st.caption(":material/delete: The cell was deleted.", width="content")
        st.button("Undo", icon=":material/undo:", key="bring_back", on_click=sheet.bring_back)


@st.fragment
def _cell(sheet: Sheet, key: str, place: int) -> None:
    """One cell; what is typed and chosen in it draws this cell again and no other."""
    if key not in sheet.cells:
        st.rerun()
    cell, is_at_work = sheet.cells[key], sheet.bench is not None and sheet.bench.is_waiting(key)
    with st.container(border=True, gap="small", key=f"cell_{key}"):
        _head(sheet, key, place, is_at_work=is_at_work)
        sql_editor(
            cell.sql, sheet.stamps[key], label=f"Query {place}", key=f"sql_{key}",
            on_change=partial(sheet.write, key), on_run=partial(_write_and_run, sheet, key),
        )  # fmt: skip
        _outcome(sheet, key, cell, is_at_work=is_at_work)
    if is_at_work != (sheet.bench is not None and sheet.bench.is_waiting(key)) or st.session_state.pop("redraw", None):
        st.rerun()


def _head(sheet: Sheet, key: str, place: int, *, is_at_work: bool) -> None:
    """Its number, Run or Stop, and what else can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Query {place}", width="content")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            if is_at_work:
                st.button("Stop", icon=":material/stop_circle:", key=f"stop_{key}", on_click=_stop, args=(sheet,))
            else:
                st.button(
                    "Run", icon=":material/play_arrow:", key=f"run_{key}", on_click=_run, args=(sheet, key),
                    disabled=sheet.bench is None, help="Ctrl+Enter in the query",
                )  # fmt: skip
            names = [
                name for name in MENU if (name != "up" or place > 1) and (name != "down" or place < len(sheet.cells))
            ]
            st.menu_button(
                "", names, icon=":material/more_vert:", type="tertiary", format_func=MENU.__getitem__,
                key=f"menu_{key}", on_click=_chosen, args=(sheet, key), help=f"More for query {place}",
            )  # fmt: skip


def _run(sheet: Sheet, key: str) -> None:
    sheet.run(key)
    st.session_state["redraw"] = True


def _write_and_run(sheet: Sheet, key: str, sql: str) -> None:
    sheet.write(key, sql)
    _run(sheet, key)


def _stop(sheet: Sheet) -> None:
    if sheet.bench is not None:
        sheet.bench.stop()


def _chosen(sheet: Sheet, key: str) -> None:
    does: dict[str, Any] = {
        "up": partial(sheet.move, key, -1), "down": partial(sheet.move, key, 1), "twice": partial(sheet.duplicate, key),
        "delete": partial(sheet.remove, key),
    }  # fmt: skip
    if (wanted := st.session_state[f"menu_{key}"]) is not None:
        does[wanted]()
        st.session_state["redraw"] = True


def _outcome(sheet: Sheet, key: str, cell: Cell, *, is_at_work: bool) -> None:
    outcome = sheet.bench.outcome(key) if sheet.bench is not None else None
    if is_at_work:
        st.caption(
            ":blue[:material/progress_activity:] Running"
            if outcome is None
            else ":blue[:material/progress_activity:] Running again"
        )
    elif outcome is None:
        st.caption(
            "Run to see the result. Results are not kept when the page is left."
            if cell.sql.strip()
            else "An empty query."
        )
    elif outcome.sql != cell.sql:
        st.caption(":orange[:material/info:] The query was changed since. Run it again to see its result.")
    if outcome is None:
        return
    if isinstance(outcome.error, Stopped):
        st.caption(f":material/stop_circle: {escape(outcome.error.message)} {escape(outcome.error.hint)}")
    elif outcome.error is not None:
        errors.show(outcome.error)
    elif outcome.result is not None:
        _result(sheet, key, cell, outcome.result)


def _result(sheet: Sheet, key: str, cell: Cell, result: Result) -> None:
    chart = completed(result, cell.chart) if cell.chart else suggest_chart(result)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_told(result), width="content")
        if result.row_count and result.columns:
            _controls(sheet, key, result, chart)
    missing = missing_column(result, chart)
    if chart.kind == "none" or missing is not None:
        _table(result, key)
        if missing is not None:
            st.caption(
                f"The chart needs a column that this result does not have: {escape(missing)}. Choose another one."
            )
        return
    left, right = st.columns([1, 1])
    with left:
        _table(result, key)
    with right:
        if note := result_chart(result, chart, key=f"chart_{key}"):
            st.caption(note)


def _told(result: Result) -> str:
    """1,204 rows in 0.3 s, or that there are more."""
    took = seconds(result.seconds)
    if result.is_cut:
        rows = count(result.row_count, "row")
        return (
            f":orange[:material/content_cut:] The first {rows}, in {took}. There are more: narrow the query, or sum up."
        )
    return f"{count(result.row_count, 'row')} in {took}"


def _controls(sheet: Sheet, key: str, result: Result, chart: Chart) -> None:
    """What is drawn: kind, columns, colours. A choice is saved with the cell."""
    shown = [column.name for column in result.columns if column.kind != "other"]
    numbers = [column.name for column in result.columns if column.kind == "number"]
    if not shown:
        return
    kinds = [kind for kind in KINDS if numbers or kind in ("none", "histogram", chart.kind)]
    label = KINDS[chart.kind] if chart.kind != "none" else "Chart"
    with st.popover(label, icon=":material/bar_chart:", type="tertiary", key=f"chart_of_{key}"):
        st.segmented_control(
            "Chart", kinds, format_func=KINDS.__getitem__, default=chart.kind, required=True,
            key=f"kind_{key}_{chart.kind}", on_change=_kind_chosen, args=(sheet, key, result, chart),
        )  # fmt: skip
        if chart.kind == "none":
            return
        choose = partial(_column, sheet, key, chart)
        choose("x", "Across", shown)
        if chart.kind != "histogram":
            choose("y", "Up", numbers)
        choose("colour", "Colours by", [None, *shown])


def _kind_chosen(sheet: Sheet, key: str, result: Result, chart: Chart) -> None:
    kind = st.session_state[f"kind_{key}_{chart.kind}"]
    sheet.draw_as(key, completed(result, chart.model_copy(update={"kind": kind})))


def _column(sheet: Sheet, key: str, chart: Chart, axis: str, label: str, names: Sequence[str | None]) -> None:
    """A column of the result; the widget's key names what is chosen, so that a change from elsewhere shows."""
    current = getattr(chart, axis)
    widget = f"{axis}_{key}_{current}"
    st.selectbox(
        label, names, index=names.index(current) if current in names else None, key=widget, format_func=_shown,
        placeholder="Choose a column", on_change=_column_chosen, args=(sheet, key, chart, axis, widget),
    )  # fmt: skip


def _column_chosen(sheet: Sheet, key: str, chart: Chart, axis: str, widget: str) -> None:
    sheet.draw_as(key, chart.model_copy(update={axis: st.session_state[widget]}))


def _shown(name: str | None) -> str:
    return "One colour" if name is None else escape(name)


def _table(result: Result, key: str) -> None:
    st.dataframe(
        frame_of(result.table),
        hide_index=True,
        height="content" if result.row_count <= _SHORT else 320,
        placeholder="NULL",
        key=f"table_{key}",
        alt=f"Result of the query: {count(result.row_count, 'row')}, {number(len(result.columns))} columns",
    )


def frame_of(table: pa.Table) -> pd.DataFrame:
    """A result for the grid; times that pandas does not know become text."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        try:
            columns[name] = column.to_pandas()
        except (pa.ArrowException, ValueError, OverflowError):
            columns[name] = column.cast(pa.string()).to_pandas()
    return pd.DataFrame(columns, index=range(table.num_rows))
