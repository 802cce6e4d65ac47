"""Step 2: what the file is, with the evidence, before anything is stored."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Inspection, Problem
from ingest_core.reasons import REASONS
from pages.steps import columns, reading
from pages.steps.known import say_known
from pages.ui import charts, repaired
from pages.ui.draft import Draft
from pages.ui.notebooks import explore_draft
from pages.ui.text import count, escape, number

FIRST_ROWS = 50


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    found = draft.inspection()
    say_known(draft, found.sha256 or "")
    reading.chips(draft, found)
    _problems(found)
    wrong = repaired.question(draft, found)
    _figures(found)
    _first_rows(draft, found)
    left, right = st.columns([3, 2])
    with left:
        chosen = columns.table(found.columns)
    if chosen is not None:
        with right:
            columns.detail(found.columns[chosen], found.rows)
    with (right if chosen is None else left).container(border=True):
        st.markdown("#### How full the columns are")
        charts.filled_shares([c.name for c in found.columns], [c.filled for c in found.columns])
    return wrong if found.rows else "The file holds no rows that could be loaded."


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
        _, part = draft.workspace.tables.head(draft.bytes(), rows=FIRST_ROWS, **draft.overrides)
        frame = part.table.slice(0, FIRST_ROWS).to_pandas().fillna("")
        frame.columns = [f"c{i}" for i in range(len(frame.columns))]  # names may repeat; labels carry them
        st.dataframe(
            frame,
            height=260,
            hide_index=True,
            alt="First rows of the file as they are understood",
            column_config={f"c{i}": st.column_config.TextColumn(column.name) for i, column in enumerate(found.columns)},
        )
        explore_draft(draft.draft_id, draft.file, draft.size)
