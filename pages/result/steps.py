"""How it worked: the named steps of the plan as they ran."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Receipt, StepReport
from pages.ui import charts
from pages.ui.text import count, escape, percent, seconds


def draw(receipt: Receipt) -> None:
    """Each step with its purpose, SQL, rows, time and share of the time."""
    if not receipt.steps:
        st.caption("No steps were recorded.")
        return
    total = sum(step.seconds for step in receipt.steps)
    with st.container(border=True):
        charts.step_times([step.name for step in receipt.steps], [step.seconds for step in receipt.steps])
        st.caption(f"{count(len(receipt.steps), 'step')} in {seconds(total)}, in the order in which they ran.")
    for i, step in enumerate(receipt.steps):
        with st.expander(f"{i + 1}\\. {escape(step.name)} :gray[{_figures(step, total)}]"):
            st.markdown(escape(step.purpose))
            if step.sql:
                st.code(step.sql, language="sql")
            else:
                st.caption("This step is a program, not a statement.")


def _figures(step: StepReport, total: float) -> str:
    """0.4 s, 23 % of the time, 412,318 rows."""
    share = f", {percent(step.seconds / total)} of the time" if total else ""
    rows = f", {count(step.rows, 'row')}" if step.rows is not None else ""
    return f"{seconds(step.seconds)}{share}{rows}"
