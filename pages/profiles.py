"""Profiles: find one customer by an identifier; where each value comes from, and what it was before."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui import errors, values
from pages.ui.links import nothing_here, title_row
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once


def look(by: str, value: str, *, reveal: bool) -> dict[str, Any] | None:
    """The person searched for, else the one of the URL; None when there is none, which is on the screen then.

    A searched value may be personal and is never put into the URL; the profile's id is.
    """
    people, known = workspace().profiles, st.query_params.get("profile")
    try:
        with at_once(workspace()) if reveal else nullcontext():
            if value:
                found = people.show(by, value, reveal=reveal)
                st.query_params["profile"] = found["profile_id"]
                return found
            return people.person(known, reveal=reveal) if known else None
    except OnrampError as error:
        if value:
            st.query_params.pop("profile", None)
        errors.show(error)
        return None


def belongs(found: dict[str, Any]) -> None:
    """Sources and segments of the person."""
    sources = " ".join(f":blue-badge[:material/database: {escape(name)}]" for name in found["sources"])
    segments = " ".join(f":violet-badge[:material/donut_small: {escape(name)}]" for name in found["segments"])
    st.markdown(f"{sources or ':gray-badge[In no source now]'} {segments}")


opened = workspace()
title_row("Profiles")
profiles = opened.profiles.count()
if not profiles:
    with nothing_here(
        "group",
        "No profiles yet",
        "Profiles appear here after the first file is loaded. Start with one source and one small file.",
    ):
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()

st.caption(f"{count(profiles, 'profile')}. Search by the exact value of an identifier.")
attributes = {attribute.name: attribute for attribute in opened.attributes.list()}
with st.container(horizontal=True, vertical_alignment="bottom"):
    by = st.selectbox(
        "Identifier", [name for name, attribute in attributes.items() if attribute.identifier],
        format_func=lambda name: attributes[name].display_name, key="by", bind="query-params", width=220,
    )  # fmt: skip
    value = st.text_input("Value", key="profile_value", width=340, icon=":material/search:")
is_revealed = bool(st.session_state.get("reveal"))
found = look(str(by), value or "", reveal=is_revealed)
if found is None:
    st.stop()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.markdown(f"#### Profile {escape(found['profile_id'])}", width="content")
    st.button(
        "Show personal data", icon=":material/visibility:", key="reveal",
        help="Shows it once, until you do something else. It is written to the audit log.",
    )  # fmt: skip
belongs(found)
values.table(found, attributes, key="open_value")
st.caption(
    ":material/lock_open: Personal data is shown this once; the audit log says by whom."
    if is_revealed
    else ":material/lock: Personal data is masked."
)
if attribute := st.session_state.pop(values.HISTORY, None):
    values.history(found["profile_id"], attributes[attribute])
