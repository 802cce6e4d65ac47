"""Profiles: find one customer by an identifier; values are masked."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import InputError, StateError
from pages.ui import errors
from pages.ui.links import nothing_here, open_upload, title_row
from pages.ui.state import workspace
from pages.ui.text import count, escape, number

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
identifiers = [attribute for attribute in opened.attributes.list() if attribute.identifier]
labels = {attribute.name: attribute.display_name for attribute in opened.attributes.list()}
with st.container(horizontal=True, vertical_alignment="bottom"):
    by = st.selectbox(
        "Identifier", [attribute.name for attribute in identifiers], format_func=labels.__getitem__, key="by",
        bind="query-params", width=220,
    )  # fmt: skip
    # The value may be personal: it is never put into the URL.
    value = st.text_input("Value", key="profile_value", width=340, icon=":material/search:")
if not value or not by:
    st.stop()
try:
    found = opened.profiles.show(by, value)
except (InputError, StateError) as error:
    errors.show(error)
    st.stop()

left, right = st.columns([3, 2])
values = found["attributes"]
with left.container(border=True):
    st.markdown("#### Values")
    st.table(
        {escape(labels.get(name, name)): escape(shown["value"]) for name, shown in values.items()},
        border="horizontal",
        alt="Values of the profile, masked",
    )
with right.container(border=True):
    st.markdown("#### Where they came from")
    st.markdown(" ".join(f":blue-badge[{escape(name)}]" for name in found["sources"]) or "No source")
    if found["segments"]:
        st.markdown("Segments: " + " ".join(f":violet-badge[{escape(name)}]" for name in found["segments"]))
    origins: dict[str, list[str]] = {}
    for name, shown in values.items():
        if shown["request_id"]:
            origins.setdefault(shown["request_id"], []).append(
                f"{labels.get(name, name)} (line {number(shown['line'])})"
            )
    for request_id, names in origins.items():
        if st.button(f"Upload {escape(request_id)}", key=f"from_{request_id}", icon=":material/receipt_long:"):
            open_upload(request_id)
        st.caption(escape(", ".join(names)))
