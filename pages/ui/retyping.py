"""Another type for an attribute: what would fail comes first."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.ledger.retype import TARGETS, TypeChange
from ingest_core.models import Attribute
from pages.ui import errors, told
from pages.ui.forms import type_label
from pages.ui.state import workspace
from pages.ui.text import escape
from pages.ui.waiting import at_once, forget, remembered

PREVIEW = "type_preview"


def can_change(attribute: Attribute) -> bool:
    """Whether another type can be asked for at all."""
    return not (attribute.pii or attribute.identifier)


def change_type(attribute: Attribute) -> None:
    """Choose a type, see what becomes of the values, change it."""
    kind = st.selectbox(
        "New type", [kind for kind in TARGETS if kind != attribute.type], index=None, placeholder="Choose a type",
        format_func=type_label, key=f"new_type_{attribute.attribute_id}_{attribute.type}",
    )  # fmt: skip
    if kind is None:
        st.caption("First you see what becomes of the values. Nothing is lost: the files' texts are kept.")
        return
    change = _previewed(attribute, kind)
    if change is None:
        return
    with st.container(border=True):
        st.markdown("\n".join(f"- {sentence}" for sentence in told.type_effects(change)))
    st.caption(":material/info: Nothing is lost: the files' texts are kept, and changing back brings them back.")
    if st.button(f"Change to {type_label(kind)}", type="primary", key="confirm_type"):
        _change(attribute, kind)


def _previewed(attribute: Attribute, kind: str) -> TypeChange | None:
    try:
        with st.spinner("Trying every value"):
            found: TypeChange = remembered(
                PREVIEW, (attribute, kind), lambda: workspace().attributes.preview_type(attribute.name, kind)
            )
    except OnrampError as error:
        errors.show(error)
        return None
    return found


def _change(attribute: Attribute, kind: str) -> None:
    try:
        with st.spinner("Changing the values"), at_once(workspace()):
            workspace().attributes.change(attribute.name, type=kind)
    except OnrampError as error:
        errors.show(error)
        return
    forget(PREVIEW)
    st.session_state["done"] = f"{escape(attribute.display_name)} is {type_label(kind)} now"
    st.rerun()
