"""Step 2: what the file is, with the evidence, before anything is stored."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.files import head
from ingest_core.models import ColumnStatistics, Inspection, Problem
from ingest_core.reasons import REASONS
from pages.ui import charts, repaired
from pages.ui.draft import Draft
from pages.ui.forms import type_label
from pages.ui.links import open_upload
from pages.ui.state import overview, when
from pages.ui.text import ago, count, escape, number, percent

DELIMITERS = {"\t": "Tab", ",": "Comma", ";": "Semicolon", "|": "Pipe"}
ENCODINGS = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "windows-1252": "Windows-1252",
    "iso-8859-1": "ISO-8859-1",
}  # fmt: skip
FIRST_ROWS = 50
_TEXT_ONLY = "xlsx"


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    found = draft.inspection()
    _known(draft, found)
    _chips(draft, found)
    _problems(found)
    wrong = repaired.question(draft, found)
    _figures(found)
    _first_rows(draft, found)
    left, right = st.columns([3, 2])
    with left:
        _columns(found.columns)
    with right.container(border=True):
        st.markdown("#### How full the columns are")
        charts.filled_shares([c.name for c in found.columns], [c.filled for c in found.columns])
    return wrong if found.rows else "The file holds no rows that could be loaded."


def _known(draft: Draft, found: Inspection) -> None:
    """Says when the same bytes were loaded before."""
    before = overview().loaded_before(draft.source.source_id, found.sha256) if found.sha256 else None
    if before is None:
        return
    request_id, finished_at, user = before
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":orange[:material/history:] **This file was loaded before**, {ago(finished_at)} by {escape(user)}. "
            "Loading it again would change nothing; it needs your word in the options.",
            width="stretch", help=when(finished_at),
        )  # fmt: skip
        if st.button("See that upload", key="see_before"):
            open_upload(request_id)


def _chips(draft: Draft, found: Inspection) -> None:
    """Encoding, separator and header: the evidence, and a way to say otherwise."""
    with st.container(horizontal=True):
        with st.popover(f"Encoding: {ENCODINGS.get(found.encoding, found.encoding)}", icon=":material/translate:"):
            st.caption(escape(found.encoding_evidence))
            _choice(draft, "encoding", "Read as", ENCODINGS, found.encoding)
        with st.popover(
            f"Separator: {DELIMITERS.get(found.delimiter, found.delimiter)}", icon=":material/view_column:"
        ):
            st.caption(escape(found.dialect_evidence))
            _choice(draft, "delimiter", "Cells are separated by", DELIMITERS, found.delimiter)
        header = f"line {found.header_line}" if found.has_header else "none"
        with st.popover(f"Header: {header}", icon=":material/table_rows:"):
            st.caption("The first row names the columns." if found.has_header else "No row names the columns.")
            _choice(draft, "has_header", "The file has a header row", {True: "Yes", False: "No"}, found.has_header)
        st.popover(f"Line ends: {found.line_end}", icon=":material/keyboard_return:").caption(
            "Every kind of line end is read; mixed ones are made alike."
        )
        if found.container != "plain":
            st.popover(f"Packed: {found.container}", icon=":material/folder_zip:").caption(
                "The file was unpacked and its check sums compared."
            )


def _choice(draft: Draft, name: str, label: str, options: dict[Any, str], current: Any) -> None:
    keys = list(options) if current in options else [current, *options]
    chosen = st.radio(
        label, keys, index=keys.index(current), format_func=lambda key: options.get(key, str(key)), key=f"read_{name}"
    )
    if chosen != current:
        draft.override(**{name: chosen})
        st.rerun()


def _problems(found: Inspection) -> None:
    """Grouped by what to do about them."""
    groups: dict[str, list[Problem]] = {}
    for problem in found.problems:
        groups.setdefault(problem.fix, []).append(problem)
    if not groups and not found.notices:
        return
    with st.container(border=True, gap="small"):
        st.markdown(f"#### {count(len(groups) + len(found.notices), 'thing')} to know")
        for fix, problems in groups.items():
            with st.container(gap=None):
                st.markdown(f":orange[:material/build:] **{escape(fix)}**")
                for problem in problems:
                    st.caption(escape(problem.message))
        for notice in found.notices:
            st.markdown(f":blue[:material/info:] {escape(notice)}")


def _figures(found: Inspection) -> None:
    with st.grid(4, min_column_width=150):
        st.metric("Rows", number(found.rows), border=True, height="stretch")
        st.metric("Columns", number(len(found.columns)), border=True, height="stretch")
        st.metric("Blank lines", number(found.blank), border=True, height="stretch")
        reasons = ", ".join(
            f"{REASONS[code].title.lower() if code in REASONS else code}" for code in found.rejects_by_reason
        )
        st.metric(
            "Lines that are no rows", number(found.rejected), border=True, height="stretch",
            delta=escape(reasons) or None, delta_color="orange", delta_arrow="off",
        )  # fmt: skip


def _first_rows(draft: Draft, found: Inspection) -> None:
    with st.expander(f"First {FIRST_ROWS} rows", icon=":material/table:", expanded=True):
        _, part = head(draft.bytes(), rows=FIRST_ROWS, **draft.overrides)
        frame = part.table.slice(0, FIRST_ROWS).to_pandas()
        frame.columns = [f"c{i}" for i in range(len(frame.columns))]  # names may repeat; labels carry them
        st.dataframe(
            frame,
            height=260,
            hide_index=True,
            alt="First rows of the file as they are understood",
            column_config={f"c{i}": st.column_config.TextColumn(column.name) for i, column in enumerate(found.columns)},
        )


def _columns(columns: tuple[ColumnStatistics, ...]) -> None:
    with st.container(border=True):
        st.markdown("#### What the columns hold")
        frame = pd.DataFrame(
            {
                "name": [column.name for column in columns],
                "type": [type_label(column.type) for column in columns],
                "filled": [percent(column.filled) for column in columns],
                "distinct": [
                    number(column.distinct) if column.is_distinct_exact else f"about {number(column.distinct)}"
                    for column in columns
                ],
                "spread": [[bar.count for bar in column.histogram] for column in columns],
                "top": [
                    ", ".join(f"{bar.label} ({number(bar.count)})" for bar in column.top[:3]) for column in columns
                ],
                "min": [column.min for column in columns],
                "max": [column.max for column in columns],
            }
        )
        st.dataframe(
            frame,
            hide_index=True,
            height="content",
            row_height=38,
            alt="Columns with type, filled share, distinct values, spread and most frequent values",
            column_config={
                "name": st.column_config.TextColumn("Column", pinned=True),
                "type": "Looks like",
                "filled": st.column_config.TextColumn("Filled", alignment="right"),
                "distinct": st.column_config.TextColumn("Different values", alignment="right"),
                "spread": st.column_config.BarChartColumn("Spread", y_min=0, color="#4c6ef5", width="small"),
                "top": st.column_config.TextColumn("Most frequent", width="medium"),
                "min": "Smallest",
                "max": "Largest",
            },
        )
