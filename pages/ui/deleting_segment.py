"""Deleting a segment: first what depends on it, then one button."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once


@st.dialog("Delete this segment?", icon=":material/delete:")
def delete(segment: dict[str, Any]) -> None:
    """Says what goes and what stays; a segment that others are built on cannot go."""
    name, users = segment["name"], segment["used_by"]
    if users:
        st.markdown(f"Other segments are built on **{escape(name)}**. Take it out of their rules first:")
        st.markdown("\n".join(f"- {escape(user)}" for user in users))
        if st.button("Leave it as it is", key="keep_segment"):
            st.rerun()
        return
    counts = len(workspace().segments.history(name))
    st.markdown(
        f"**{escape(name)}** goes, with its rule and the {count(counts, 'count')} kept of it. "
        "Its people stay as they are. This cannot be undone."
    )
    with st.container(horizontal=True):
        is_sure = st.button("Delete segment", type="primary", key="confirm_delete")
        if st.button("Leave it as it is", key="keep_segment"):
            st.rerun()
    if is_sure:
        try:
            with at_once(workspace()):
                workspace().segments.delete(name)
        except OnrampError as error:
            if error.code != "no_such_segment":  # gone by the other click
                errors.show(error)
                return
        st.session_state["done"] = f"Segment {name} deleted"
        st.switch_page("segments.py")
