"""Blocked values: patterns of what identifies nobody, and a test of one value."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.plan.blocked import Verdict
from ingest_core.settings import BLOCKED, BlockedPattern
from pages.ui.knobs import act
from pages.ui.state import workspace
from pages.ui.text import count, escape

RANKS = {"any": "Every identifier", "primary": "Primary only", "secondary": "Secondary only"}


def draw_tab() -> None:
    """The test first, then the list."""
    st.caption(
        "A value that matches identifies nobody: the cell counts as empty, and a row that has nothing else is "
        "rejected. A change counts for files loaded from now on. What earlier files stored stays, also in a rebuild: "
        "to apply the list to one of them, take the upload back and load the file again."
    )
    is_fixed = workspace().configuration.is_fixed("blocked")
    if is_fixed:
        st.info("Fixed by ONRAMP_BLOCKED in the environment.", icon=":material/lock:")
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        _test()
    if not is_fixed:
        with right.container(border=True, height="stretch"):
            _add()
    with st.container(border=True):
        _patterns(workspace().settings.blocked, is_fixed=is_fixed)


def _test() -> None:
    st.markdown("#### Would it be blocked?")
    identifiers = {a.name: a.display_name for a in workspace().attributes.list() if a.identifier}
    attribute = st.selectbox("Identifier", list(identifiers), format_func=identifiers.__getitem__, key="test_attribute")
    value = st.text_input("Value", key="test_value", live=True, placeholder="none@none.com", max_chars=500)
    if not value:
        st.caption("Type a value to see what a load would make of it.")
        return
    st.markdown(said(workspace().configuration.judge(value, attribute)))


def said(verdict: Verdict) -> str:
    """A verdict in a sentence."""
    sentences = {
        "identifies": ":green[:material/check_circle: **Not blocked.** It identifies a person.]",
        "short": ":orange[:material/block: **Names nobody:** it has too few characters.]",
        "unfit": ":orange[:material/error: **Rejected:** it is no value of this kind.]",
        "empty": ":gray[:material/remove: It counts as empty.]",
    }
    if verdict.outcome == "blocked":
        return f":red[:material/block: **Blocked** by the pattern] {escape(verdict.pattern)}"
    return sentences[verdict.outcome]


def _add() -> None:
    st.markdown("#### Add a pattern")
    pattern = st.text_input(
        "Pattern", key="new_pattern", live=True, max_chars=1_000, placeholder="unknown|not given",
        help="A regular expression (RE2) for the whole value, in any case.",
    )  # fmt: skip
    rank = st.selectbox("Blocks", list(RANKS), format_func=RANKS.__getitem__, key="new_rank")
    if st.button("Add pattern", type="primary", key="add_pattern", disabled=not pattern):
        act(lambda: workspace().configuration.block(str(pattern), rank), "Pattern added")


def _patterns(patterns: tuple[BlockedPattern, ...], *, is_fixed: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"#### {count(len(patterns), 'pattern')}", width="content")
        if patterns != BLOCKED and not is_fixed and st.button("Back to defaults", key="reset_blocked", type="tertiary"):
            act(lambda: workspace().configuration.reset("blocked"), "The patterns are the defaults again")
    if not patterns:
        st.caption("No value is blocked.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "title": one.title,
                    "pattern": one.pattern,
                    "rank": RANKS[one.rank],
                    "default": one in BLOCKED,
                    "remove": None if is_fixed else ":material/delete: Remove",
                }
                for one in patterns
            ]
        ),
        hide_index=True,
        height="content",
        row_height=38,
        placeholder="–",
        alt="Patterns of values that identify nobody",
        column_config={
            "title": "What it is",
            "pattern": "Pattern",
            "rank": "Blocks",
            "default": st.column_config.CheckboxColumn("Default", width="small"),
            "remove": st.column_config.ButtonColumn(
                "", key="remove_pattern", on_click=_clicked_remove, args=(patterns,), width="small"
            ),
        },
    )
    if wanted := st.session_state.pop("removing", None):
        act(lambda: workspace().configuration.unblock(wanted), "Pattern removed")


def _clicked_remove(patterns: tuple[BlockedPattern, ...]) -> None:
    st.session_state["removing"] = patterns[st.session_state["remove_pattern"].row].pattern
