"""A code explained in a drawer, with the first places at which a file has it. ``?code=&of=`` opens it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.check_report import Problem
from ingest_core.audience_manager.preflights import Look
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.audience_manager.received import Received
from pages.audience import words
from pages.ui.text import count, escape, number

CODE, OF = "code", "of"


def open_in_url(code: str, landing_id: str) -> None:
    """The drawer is open from now on, also after a reload."""
    st.query_params[CODE], st.query_params[OF] = code, landing_id


def drawer(held: Received, look: Look) -> None:
    """Draws the drawer when the URL names a code that there is."""
    code, of = st.query_params.get(CODE, ""), st.query_params.get(OF, "")
    if code not in AM_REASONS:
        return
    for file, judged in zip(held.files, look.found.files, strict=True):
        if file.landing_id == of:
            found = [one for one in (*judged.check.problems, *judged.remarks) if one.code == code]
            _drawer(code, file.name, found[0] if found else None)
            return


def _close() -> None:
    for name in (CODE, OF):
        st.query_params.pop(name, None)


@st.dialog("Explained", position="right", icon=":material/help:", width=520, on_dismiss=_close)
def _drawer(code: str, file: str, problem: Problem | None) -> None:
    reason = AM_REASONS[code]
    st.markdown(f"### {escape(words.title(code))}")
    st.markdown(escape(reason.explanation))
    st.markdown(f":material/build: {escape(reason.fix)}")
    st.caption(f"Code {escape(code)}, in {escape(file)}.")
    if problem is None:
        st.caption("The file does not have it any more.")
        return
    effect = "It blocks the file." if problem.level == "error" else "It is a warning: the file can be sent."
    st.markdown(f"**{count(problem.count, 'time')}.** {effect}")
    places = [place for place in problem.places if place.line is not None or place.column is not None or place.why]
    if not places:
        return
    st.dataframe(
        pd.DataFrame({
            "line": [place.line for place in places], "column": [place.column for place in places],
            "why": [place.why for place in places],
        }).astype({"line": "Int64", "column": "Int64"}),
        hide_index=True, height="content", placeholder="–", alt=f"First places of {words.title(code)} in {file}",
        column_config={
            "line": st.column_config.NumberColumn("Line", format="localized", width=80),
            "column": st.column_config.NumberColumn("Column (byte)", format="localized", width=110),
            "why": st.column_config.TextColumn("Why", width="large"),
        },
    )  # fmt: skip
    if problem.count > len(places):
        st.caption(f"The first {number(len(places))} places.")
