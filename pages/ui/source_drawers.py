"""Drawers: a new source, a change of one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.catalog.names import check_name
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.ui import errors
from pages.ui.links import open_source
from pages.ui.state import workspace
from pages.ui.text import escape
from pages.ui.waiting import at_once

KINDS = {"customer": "Customer file", "data_source": "Audience Manager data source"}
FILES = {
    "customer": ("Customer file", "Rows of people: CRM contacts, purchases, survey answers."),
    "data_file": (
        "Audience Manager data file",
        "Users with their traits or signals, as Audience Manager takes them.",
    ),
    "id_sync": ("ID sync", "Ids of the same people in two data sources; it needs the DPID of this one."),
}
ID_TYPES = {"cookie": "Cookie", "cross_device": "Cross-device (a customer id)", "device": "Device advertising id"}
OWNERS = {"self": "Our company", "other": "Another company"}
INBOUND = {"dpuuid": "Customer ids (DPUUID)", "aam_uuid": "Audience Manager ids (UUID)"}


def problem_with(name: str, taken: set[str]) -> str:
    """What is wrong with the name of a source while it is typed; empty when nothing is."""
    try:
        check_name(name, "a source")
    except OnrampError as error:
        return error.hint
    return "There is a source of this name already. Choose another name." if name.strip().lower() in taken else ""


@st.dialog("New source", position="right", icon=":material/add:", width=460)
def new_source() -> None:
    """Name, description, what the files hold, Audience Manager's fields; opens the source when it is there."""
    opened = workspace()
    name = st.text_input(
        "Name", max_chars=200, live=True, key="new_source_name", placeholder="CRM contacts", required=True
    )
    problem = _say_name(name, {source.name.lower() for source in opened.sources.list(include_archived=True)})
    description = st.text_area(
        "Description", key="new_source_description", placeholder="Where the file comes from, and how often"
    )
    kind = st.radio(
        "What the files hold", list(FILES), format_func=lambda key: FILES[key][0],
        captions=[told for _, told in FILES.values()], key="new_source_kind",
    )  # fmt: skip
    fields = _audience_manager(is_sync=kind == "id_sync") if kind != "customer" else {}
    is_missing = kind == "id_sync" and fields["dpid"] is None
    if st.button(
        "Create source", type="primary", disabled=not name or bool(problem) or is_missing, key="create_source"
    ):
        try:
            with at_once(opened):
                source = opened.sources.add(
                    str(name), kind="customer" if kind == "customer" else "data_source", description=description or "",
                    **fields,
                )  # fmt: skip
        except OnrampError as error:
            errors.show(error)
        else:
            open_source(source.source_id)
    if is_missing:
        st.caption("An ID sync needs the DPID.")


def _say_name(name: str | None, taken: set[str]) -> str:
    problem = problem_with(name, taken) if name else ""
    if name:
        st.caption(f":red[:material/error: {problem}]" if problem else ":green[:material/check: This name is free.]")
    return problem


def _audience_manager(*, is_sync: bool) -> dict[str, Any]:
    """DPID, and what else Audience Manager knows of a data source."""
    dpid = st.number_input(
        "DPID", min_value=1, max_value=9_999_999_999, value=None, step=1, key="new_source_dpid", format="%d",
        help="The data provider id that Audience Manager shows." + ("" if is_sync else " It can be left out."),
    )  # fmt: skip
    with st.expander("More"):
        id_type = _one_of("Id type", ID_TYPES, "new_source_id_type", "cross_device" if is_sync else None)
        owner = _one_of("Owner", OWNERS, "new_source_owner")
        inbound = _one_of("Inbound id type", INBOUND, "new_source_inbound")
        attributes = {a.name: a.display_name for a in workspace().attributes.list() if a.identifier and not a.pii}
        attribute = _one_of("Attribute that holds the ids", attributes, "new_source_attribute")
        placement = st.text_input("Where the ids stand", key="new_source_placement", placeholder="first column")
    return {
        "dpid": None if dpid is None else int(dpid), "id_type": id_type, "owner": owner, "inbound_id_type": inbound,
        "id_attribute": attribute, "id_placement": placement or None,
    }  # fmt: skip


def _one_of(label: str, options: dict[str, str], key: str, first: str | None = None) -> str | None:
    keys = list(options)
    return st.selectbox(
        label, keys, index=keys.index(first) if first else None, format_func=options.__getitem__, key=key,
        placeholder="Not said",
    )  # fmt: skip


@st.dialog("Edit source", position="right", icon=":material/edit:", width=460)
def edit_source(source: Source) -> None:
    """Name, checked live, and description."""
    opened = workspace()
    name = st.text_input(
        "Name", value=source.name, max_chars=200, live=True, key=f"edit_name_{source.source_id}", required=True
    )
    others = opened.sources.list(include_archived=True)
    problem = ""
    if name and name != source.name:
        problem = _say_name(name, {s.name.lower() for s in others if s.source_id != source.source_id})
    description = st.text_area("Description", value=source.description, key=f"edit_description_{source.source_id}")
    if st.button(
        "Save", type="primary", key=f"edit_save_{source.source_id}", disabled=not name or bool(problem)
    ):  # fmt: skip
        try:
            with at_once(opened):
                opened.sources.update(source.source_id, name=str(name), description=description or "")
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["done"] = f"{escape(str(name).strip())} saved"
            st.rerun()
