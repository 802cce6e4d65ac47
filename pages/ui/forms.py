"""Drawers: a new attribute."""

from __future__ import annotations

import streamlit as st

from ingest_core.catalog.names import check_attribute_name, check_upper_snake
from ingest_core.errors import OnrampError
from ingest_core.mapping.types import TYPES
from pages.ui import errors
from pages.ui.state import workspace


def _problem(check: object, *arguments: object) -> str:
    """What is wrong with a name while it is typed; empty when nothing is."""
    try:
        check(*arguments)  # type: ignore[operator]
    except OnrampError as error:
        return f"{error.hint}"
    return ""


@st.dialog("New attribute", position="right", icon=":material/label:", width=460)
def new_attribute(suggested: str = "") -> None:
    """Name, display name, type, PII, segments, macro; names checked while they are typed."""
    name = st.text_input("Name", value=suggested, max_chars=200, live=True, key="attribute_name", required=True)
    problem = _problem(check_attribute_name, name) if name else ""
    taken = {attribute.name.lower() for attribute in workspace().attributes.list()}
    if name and name.strip().lower() in taken:
        problem = "There is an attribute of this name already."
    if problem:
        st.caption(f":red[:material/error: {problem}]")
    shown = st.text_input("Display name", max_chars=200, key="attribute_display", placeholder=_shown(name))
    type_ = st.selectbox("Data type", list(TYPES), format_func=type_label, key="attribute_type")
    is_pii = st.toggle("Personal data (PII): stored encrypted, shown masked", key="attribute_pii")
    upper = "_".join("".join(c if c.isalnum() else " " for c in str(name or "")).upper().split())
    segment = _optional_name("Usable in segments", "segment name", upper, is_off=False)
    macro = _optional_name("Usable as macro", "macro name", upper, is_off=False)
    wrong = bool(problem) or not name or segment is None or macro is None
    if st.button("Create attribute", type="primary", disabled=wrong, key="create_attribute"):
        try:
            workspace().attributes.add(
                str(name), type_, display_name=shown or _shown(name), pii=is_pii, segment=segment or None,
                macro=macro or None,
            )  # fmt: skip
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["created_attribute"] = str(name).strip()
            st.rerun()


def _optional_name(label: str, what: str, suggested: str, *, is_off: bool) -> str | None:
    """A switch with an UPPER_SNAKE name below it: "" when off, None while the name is wrong."""
    if not st.toggle(label, value=is_off, key=f"attribute_{what}_on"):
        return ""
    text = st.text_input(what.capitalize(), value=suggested, live=True, key=f"attribute_{what}", required=True)
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
