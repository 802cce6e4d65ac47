"""Profiles: find one customer by any identifier, or look through all of them; the URL holds ids, never values."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Attribute
from pages.ui import errors, person
from pages.ui.links import nothing_here, title_row
from pages.ui.people import people_table
from pages.ui.state import workspace
from pages.ui.text import count, escape, number

PAGE = 50
SOUGHT = "sought_profile"  # a value was typed: whom it names alone is opened
WHY_NOBODY = {
    "shared": "it belongs to too many people, so it names nobody",
    "contested": "one file gave it to several people, so it names nobody",
}


def seek(attributes: dict[str, Attribute]) -> None:
    """The search box and whom it found. A value may be personal: it stays in the memory of this session."""
    value = st.text_input(
        "Find a customer", key="profile_value", icon=":material/search:", width=460, max_chars=500,
        placeholder="Customer ID, e-mail, phone or any other identifier", on_change=_sought,
        help="The exact value of any identifier, or a profile's id. It is tried as every kind it could be.",
    )  # fmt: skip
    if not value or not value.strip():
        return
    try:
        found = workspace().profiles.find(value)
    except OnrampError as error:
        errors.show(error)
        return
    matches: list[dict[str, Any]] = found["matches"]
    if st.session_state.pop(SOUGHT, False) and len(matches) == 1:
        person.open_in_url(matches[0]["profile_id"])
    with st.container(border=True, key="found"):
        if matches:
            many = "One customer has" if len(matches) == 1 else f"{number(len(matches))} customers have"
            st.markdown(f"**{many} this value.**")
            people_table(matches, attributes, key="open_found")
        else:
            st.markdown(":material/search_off: **Nobody is known by this value.**")
            st.caption(_tried(found["tried"], attributes))
        for one in found["nobody"]:
            shown = escape(attributes[one["attribute"]].display_name)
            st.caption(f":material/group_off: As {shown} the value is known, but {WHY_NOBODY[one['why']]}.")


def _sought() -> None:
    st.session_state[SOUGHT] = True


def _tried(names: list[str], attributes: dict[str, Attribute]) -> str:
    if not names:
        return "No identifier is written like this. Check the spelling."
    shown = ", ".join(escape(attributes[name].display_name) for name in names)
    return f"Looked for as: {shown}. Capitals and leading zeros count in ids; a phone number needs its country code."


def everybody(attributes: dict[str, Attribute], profiles: int) -> None:
    """The table of all profiles under the filters of the URL, by pages."""
    names = workspace().profiles.filters()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.selectbox(
            "Source", names["sources"], index=None, placeholder="All", key="in_source", bind="query-params", width=240,
            on_change=_first_page,
        )  # fmt: skip
        segment = st.selectbox(
            "Segment", names["segments"], index=None, placeholder="All", key="in_segment", bind="query-params",
            width=240, on_change=_first_page,
        )  # fmt: skip
    try:
        page = workspace().profiles.list(
            source=source, segment=segment, limit=PAGE, older_than=st.query_params.get("older_than"),
            newer_than=st.query_params.get("newer_than"),
        )  # fmt: skip
    except OnrampError as error:
        errors.show(error)
        return
    if not page["profiles"]:
        st.caption("No profile matches. Change the filters." if not page["total"] else "There are no more profiles.")
    else:
        people_table(page["profiles"], attributes, key="open_profile")
    pager(page, profiles)


def pager(page: dict[str, Any], profiles: int) -> None:
    """Where in the list the page is, and ways to the others; places are ids, so that new profiles move nothing."""
    shown, newer, older = page["profiles"], page["newer"], page["older"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        of = count(page["total"], "profile") + ("" if page["total"] == profiles else f" of {number(profiles)}")
        where = f"{number(newer + 1)} to {number(newer + len(shown))} of " if newer or older else ""
        st.caption(f"{where}{of}, the newest first. Personal data is masked.", width="content")
        if newer or older:
            _pages(shown, is_first=not newer, is_last=not older)


def _pages(shown: list[dict[str, Any]], *, is_first: bool, is_last: bool) -> None:
    first, last = (shown[0]["profile_id"], shown[-1]["profile_id"]) if shown else ("0-0", "0-0")
    with st.container(horizontal=True, width="content", gap="xsmall"):
        for key, icon, help_, is_off, place in (
            ("newest", "first_page", "The newest", is_first, {}),
            ("newer", "chevron_left", "Newer", is_first, {"newer_than": first}),
            ("older", "chevron_right", "Older", is_last, {"older_than": last}),
            ("oldest", "last_page", "The oldest", is_last, {"newer_than": "0-0"}),
        ):
            st.button(
                "",
                icon=f":material/{icon}:",
                help=help_,
                key=f"page_{key}",
                disabled=is_off,
                on_click=_go,
                args=(place,),
            )


def _go(place: dict[str, str]) -> None:
    _first_page()
    st.query_params.update(place)


def _first_page() -> None:
    for name in ("older_than", "newer_than"):
        st.query_params.pop(name, None)


title_row("Profiles")
profiles = workspace().profiles.count()
if not profiles:
    with nothing_here(
        "group",
        "No profiles yet",
        "Profiles appear here after the first file is loaded. Start with one source and one small file.",
    ):
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()

st.caption("A profile is what is known about one customer, from all sources together.")
known = {attribute.name: attribute for attribute in workspace().attributes.list()}
seek(known)
everybody(known, profiles)
person.drawer(known)
