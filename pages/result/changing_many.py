"""One change to a column of many rejected rows at once: trim, replace a text, clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from ingest_core.jobs.corrections import BrokenRow, Cells, emptied, replaced, trimmed
from pages.result import edits
from pages.result.headline import title_of
from pages.ui.state import workspace
from pages.ui.text import count, escape, number

MOST = 10_000  # rows that one change looks at
REPLACE, TRIM, CLEAR = "Replace a text", "Remove spaces around it", "Clear the cell"


@st.dialog("Change many rows", icon=":material/find_replace:", position="right")
def open_drawer(request_id: str, code: str | None) -> None:
    """Says how many rows a change would touch, and makes it; each can still be edited afterwards."""
    fixes = workspace().fixes
    columns = fixes.columns(request_id)
    rows = fixes.edited(request_id, fixes.rows(request_id, code=code, limit=MOST))
    which = f"rejected for “{escape(title_of(code))}”" if code else "that are left to fix"
    st.markdown(f"Looks at {count(len(rows), 'row')} {which}.")
    if len(rows) == MOST:
        st.caption(f"Only the first {number(MOST)} at a time.")
    at = st.selectbox(
        "Column", range(len(columns)), index=_offending(rows, columns), key="many_column",
        format_func=lambda place: escape(columns[place]),
    )  # fmt: skip
    action = st.radio("Change", [REPLACE, TRIM, CLEAR], key="many_change")
    changes = _changes(rows, at, action)
    st.caption(f"{count(len(changes), 'row')} would change. They are checked, and loaded only when you say so.")
    if st.button(
        f"Change {count(len(changes), 'row')}", type="primary", disabled=not changes, key="many_apply", width="stretch"
    ):
        fixes.keep(request_id, changes)
        edits.forget()
        st.session_state["done"] = f"{count(len(changes), 'row')} changed"
        st.rerun()


def _changes(rows: Sequence[BrokenRow], at: int, action: str) -> dict[int, Cells]:
    if action == TRIM:
        return trimmed(rows, at)
    if action == CLEAR:
        return emptied(rows, at)
    old = st.text_input("Find", key="many_find", live=True)
    new = st.text_input("Replace with", key="many_replace", live=True)
    return replaced(rows, at, old, new)


def _offending(rows: Sequence[BrokenRow], columns: Sequence[str]) -> int:
    """The column that is wrong most often."""
    often = Counter(row.column for row in rows if row.column in columns)
    return columns.index(str(often.most_common(1)[0][0])) if often else 0
