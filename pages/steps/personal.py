"""Marking an attribute as personal data while its column is matched: asked once, because it cannot be taken back."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Attribute
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import escape
from pages.ui.waiting import at_once

ASKED = "mark_pii"  # name of the attribute that was ticked in the table


def ask(attributes: dict[str, Attribute]) -> None:
    """Opens the question when a box was ticked in the run before."""
    if (name := st.session_state.pop(ASKED, None)) in attributes:
        _question(attributes[name])


@st.dialog("Mark as personal data?", icon=":material/lock:")
def _question(attribute: Attribute) -> None:
    st.markdown(
        f"The values of **{escape(attribute.display_name)}** will be stored encrypted and shown masked, from every "
        "source and on every page. This belongs to the attribute and cannot be taken back."
    )
    with st.container(horizontal=True):
        is_said = st.button("Mark as personal data", type="primary", icon=":material/lock:", key="confirm_pii")
        if st.button("Leave it", key="leave_pii"):
            st.rerun()
    if is_said:
        try:
            with at_once(workspace()):
                workspace().attributes.mark_pii(attribute.name)
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["done"] = f"{escape(attribute.display_name)} is marked as personal data"
            st.rerun()
