"""Drawers: a new source, a new attribute, a change of a source."""

from __future__ import annotations

import streamlit as st

from ingest_core.catalog.names import check_attribute_name, check_name, check_upper_snake
from ingest_core.errors import OnrampError
from ingest_core.mapping.types import TYPES
from ingest_core.models import Source, SourceKind
from pages.ui import errors
from pages.ui.links import open_source
from pages.ui.state import workspace

KINDS = {"customer": "Customer file", "data_source": "Audience Manager data source"}


def _problem(check: object, *arguments: object) -> str:
    """What is wrong with a name while it is typed; empty when nothing is."""
    try:
        check(*arguments)  # type: ignore[operator]
    except OnrampError as error:
        return f"{error.hint}"
    return ""


@st.dialog("New source", position="right", icon=":material/add:", width=460)
def new_source() -> None:
    """Name, description, kind, DPID; opens the source when it is there."""
    opened = workspace()
    name = st.text_input(
        "Name", max_chars=200, live=True, key="new_source_name", placeholder="CRM contacts", required=True
    )
    taken = {source.name.lower() for source in opened.sources.list(include_archived=True)}
    problem = ""
    if name:
        problem = _problem(check_name, name, "a source")
        if name.strip().lower() in taken:
            problem = "There is a source of this name already. Choose another name."
        st.caption(f":red[:material/error: {problem}]" if problem else ":green[:material/check: This name is free.]")
    description = st.text_area(
        "Description", key="new_source_description", placeholder="Where the file comes from, and how often"
    )
    kind = st.segmented_control(
        "What the files hold", list(KINDS), format_func=KINDS.__getitem__, default="customer", required=True,
        key="new_source_kind",
    )  # fmt: skip
    dpid = None
    if kind == "data_source":
        dpid = st.number_input(
            "DPID", min_value=1, max_value=9_999_999_999, value=None, step=1, key="new_source_dpid",
            help="The data provider id that Audience Manager shows. It can be left out.",
        )  # fmt: skip
    chosen: SourceKind = "data_source" if kind == "data_source" else "customer"
    if st.button("Create source", type="primary", disabled=not name or bool(problem), key="create_source"):
        try:
            source = opened.sources.add(str(name), kind=chosen, description=description or "", dpid=dpid)
        except OnrampError as error:
            errors.show(error)
        else:
            open_source(source.source_id)


@st.dialog("Edit source", position="right", icon=":material/edit:", width=460)
def edit_source(source: Source) -> None:
    """Name and description."""
    name = st.text_input("Name", value=source.name, max_chars=200, key=f"edit_name_{source.source_id}", required=True)
    description = st.text_area("Description", value=source.description, key=f"edit_description_{source.source_id}")
    if st.button("Save", type="primary", key=f"edit_save_{source.source_id}"):
        try:
            workspace().sources.update(source.source_id, name=str(name), description=description or "")
        except OnrampError as error:
            errors.show(error)
        else:
            st.rerun()


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
