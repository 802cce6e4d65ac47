"""Drawers: a new attribute."""

from __future__ import annotations

import streamlit as st

from ingest_core.catalog.names import check_attribute_name, check_upper_snake
from ingest_core.errors import OnrampError
from ingest_core.mapping.types import TYPES
from ingest_core.models import Rank
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.waiting import at_once


def _problem(check: object, *arguments: object) -> str:
    """What is wrong with a name while it is typed; empty when nothing is."""
    try:
        check(*arguments)  # type: ignore[operator]
    except OnrampError as error:
        return f"{error.hint}"
    return ""


@st.dialog("New attribute", position="right", icon=":material/label:", width=460)
def new_attribute(suggested: str = "") -> None:
    """Name, display name, type, identifier rank, PII, segments, macro; names checked while they are typed."""
    name = st.text_input("Name", value=suggested, max_chars=200, live=True, key="attribute_name", required=True)
    problem = _problem(check_attribute_name, name) if name else ""
    taken = {attribute.name.lower() for attribute in workspace().attributes.list()}
    if name and name.strip().lower() in taken:
        problem = "There is an attribute of this name already."
    if problem:
        st.caption(f":red[:material/error: {problem}]")
    shown = st.text_input("Display name", max_chars=200, key="attribute_display", placeholder=_shown(name))
    type_ = st.selectbox("Data type", list(TYPES), format_func=type_label, key="attribute_type")
    rank = _rank()
    is_pii = st.toggle("Personal data (PII): stored encrypted, shown masked", key="attribute_pii")
    upper = "_".join("".join(c if c.isalnum() else " " for c in str(name or "")).upper().split())
    segment = optional_name("Usable in segments", "segment name", None, upper, key="attribute_segment")
    macro = optional_name("Usable as macro", "macro name", None, upper, key="attribute_macro")
    wrong = bool(problem) or not name or segment is None or macro is None
    if st.button("Create attribute", type="primary", disabled=wrong, key="create_attribute"):
        try:
            with at_once(workspace()):
                workspace().attributes.add(
                    str(name), type_, display_name=shown or _shown(name), identifier=rank, pii=is_pii,
                    segment=segment or None, macro=macro or None,
                )  # fmt: skip
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["created_attribute"] = str(name).strip()
            st.rerun()


NO_RANK = "no"
RANKS = {
    NO_RANK: ("No", "A field like any other: it says something about customers."),
    "secondary": (
        "Yes, as secondary",
        "Such as a loyalty card or a device: the same value names the same customer. It belongs to the primary "
        "identifier it was last stated with; a value of many customers names nobody.",
    ),
    "primary": (
        "Yes, as primary",
        "Such as a second system's customer number: each value names exactly one customer, and two of them never "
        "become one. Most workspaces need only Customer ID.",
    ),
}


def _rank() -> Rank | None:
    """Whether the attribute identifies customers, with what that means. It cannot be changed afterwards."""
    rank = st.segmented_control(
        "Identifies customers", list(RANKS), format_func=lambda one: RANKS[one][0], default=NO_RANK,
        required=True, key="attribute_rank", help="This cannot be changed afterwards.",
    )  # fmt: skip
    st.caption(RANKS[rank][1])
    return None if rank == NO_RANK else "primary" if rank == "primary" else "secondary"


def optional_name(label: str, what: str, current: str | None, suggested: str, *, key: str) -> str | None:
    """A switch with an UPPER_SNAKE name below it: "" when off, None while the name is wrong."""
    if not st.toggle(label, value=bool(current), key=f"{key}_on"):
        return ""
    text = st.text_input(what.capitalize(), value=current or suggested, live=True, key=key, required=True)
    problem = _problem(check_upper_snake, text or "", what)
    if problem:
        st.caption(f":red[:material/error: {problem}]")
        return None
    return str(text)


def _shown(name: str | None) -> str:
    return (name or "").replace("_", " ").strip().capitalize()


def type_label(type_: str) -> str:
    """Data types as people call them."""
    return TYPES[type_].label if type_ in TYPES else type_
