"""Profiles: find one customer by an identifier; values are masked."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import InputError, StateError
from pages.ui import errors
from pages.ui.links import nothing_here, open_upload, title_row
from pages.ui.state import workspace
from pages.ui.text import count, escape

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
with left.container(border=True):
    st.markdown("#### Values")
    st.table(
        {escape(labels.get(name, name)): escape(shown.value) for name, shown in found.attributes.items()},
        border="horizontal",
        alt="Values of the profile, masked",
    )
with right.container(border=True):
    st.markdown("#### Where it came from")
    st.markdown(" ".join(f":blue-badge[{escape(name)}]" for name in found.sources) or "No source")
    if found.segments:
        st.markdown(" ".join(f":violet-badge[{escape(name)}]" for name in found.segments))
    for request_id in dict.fromkeys(shown.request_id for shown in found.attributes.values() if shown.request_id):
        if st.button(f"Upload {escape(request_id)}", key=f"from_{request_id}", type="tertiary"):
            open_upload(request_id)
