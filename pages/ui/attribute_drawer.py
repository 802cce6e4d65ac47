"""One attribute in a drawer: what it holds, who uses it, its names, its type. ``?attribute=`` opens it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Attribute
from pages.ui import charts, errors, retyping
from pages.ui.forms import optional_name, type_label
from pages.ui.links import segment_links
from pages.ui.state import workspace
from pages.ui.text import count, escape, number, percent
from pages.ui.waiting import at_once

PARAMETER = "attribute"
RANKS = {
    "primary": "names exactly one customer; two of them never merge",
    "secondary": "belongs to the primary identifier it was last stated with",
}


def open_in_url(name: str) -> None:
    """The drawer of this attribute is open from now on, also after a reload."""
    st.query_params[PARAMETER] = name


def drawer() -> None:
    """Draws the drawer when the URL names an attribute."""
    if name := st.query_params.get(PARAMETER):
        _drawer(name)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("Attribute", position="right", icon=":material/label:", width=560, on_dismiss=_close)
def _drawer(name: str) -> None:
    try:
        attribute = workspace().attributes.get(name)
    except OnrampError as error:
        errors.show(error)
        return
    facts = workspace().attribute_facts.show(attribute.name)
    _head(attribute)
    _figures(facts)
    _values(attribute, facts)
    _users(facts, attribute)
    with st.expander("Names", icon=":material/edit:", key="names"):
        _names(attribute)
    with st.expander("Data type", icon=":material/swap_horiz:", key="type"):
        if retyping.can_change(attribute):
            retyping.change_type(attribute)
        else:
            why = "are personal data, kept encrypted" if attribute.pii else "identify customers"
            st.caption(
                f"The type stays {type_label(attribute.type)}: the values {why}. Create a new attribute instead."
            )
    if not attribute.pii:
        with st.expander("Personal data", icon=":material/lock:", key="personal"):
            _personal(attribute, facts["filled"])


def _head(attribute: Attribute) -> None:
    st.markdown(f"### {escape(attribute.display_name)}")
    marks = [f":blue-badge[{type_label(attribute.type)}]", f":gray-badge[:material/tag: {escape(attribute.name)}]"]
    if attribute.pii:
        marks.append(":orange-badge[:material/lock: PII]")
    if attribute.identifier:
        marks.append(f":violet-badge[:material/fingerprint: {attribute.identifier.capitalize()} identifier]")
    marks.append(f":gray-badge[{'Built-in' if attribute.is_builtin else 'Custom'}]")
    st.markdown(" ".join(marks))
    if attribute.identifier:
        st.caption(f"A {attribute.identifier} identifier {RANKS[attribute.identifier]}.")


def _figures(facts: dict[str, Any]) -> None:
    profiles, filled = facts["profiles"], facts["filled"]
    with st.grid(2, min_column_width=150):
        st.metric(
            "Filled", percent(filled / profiles) if profiles else "–", border=True, height="stretch",
            delta=f"{number(filled)} of {count(profiles, 'profile')}", delta_color="off", delta_arrow="off",
        )  # fmt: skip
        ends = f"{facts['least']} to {facts['greatest']}" if facts["least"] is not None else None
        st.metric(
            "Different values", number(facts["distinct"]), border=True, height="stretch", delta=ends, delta_color="off",
            delta_arrow="off", help="Estimated when there are many." if facts["distinct"] > TOLD_EXACTLY else None,
        )  # fmt: skip


TOLD_EXACTLY = 200


def _values(attribute: Attribute, facts: dict[str, Any]) -> None:
    if facts["top"]:
        st.markdown("##### Commonest values")
        charts.common_values(facts["top"], facts["filled"])
    elif attribute.pii and facts["filled"]:
        st.caption(":material/lock: Values are personal data and not shown here.")


def _users(facts: dict[str, Any], attribute: Attribute) -> None:
    """Sources that fill it, segments that ask for it, its macro: links."""
    st.markdown("##### Used by")
    known = {source.name: source.source_id for source in workspace().sources.list()}
    with st.container(horizontal=True, gap="xsmall"):
        for name in facts["sources"]:
            st.page_link(
                "source.py", label=escape(name), icon=":material/database:",
                query_params={"source": str(known[name]), "tab": "Mapping"},
            )  # fmt: skip
        segment_links(facts["segments"], workspace().segments.ids())
    if not facts["sources"] and not facts["segments"]:
        st.caption("No source fills it and no segment asks for it.")
    if attribute.macro:
        st.caption(f"In messages: {escape('{{' + attribute.macro + '}}')}")


def _names(attribute: Attribute) -> None:
    """Display name, segment name, macro name."""
    key = f"edit_{attribute.attribute_id}"
    shown = st.text_input(
        "Display name", value=attribute.display_name, max_chars=200, key=f"{key}_shown", required=True
    )
    upper = attribute.name.upper()
    segment = optional_name("Usable in segments", "segment name", attribute.segment, upper, key=f"{key}_segment")
    macro = optional_name("Usable as macro", "macro name", attribute.macro, upper, key=f"{key}_macro")
    is_wrong = not (shown or "").strip() or segment is None or macro is None
    if st.button("Save names", type="primary", disabled=is_wrong, key=f"{key}_save"):
        try:
            with at_once(workspace()):
                workspace().attributes.change(
                    attribute.name, display_name=str(shown), segment=segment or None, macro=macro or None
                )
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["done"] = f"{escape(shown)} saved"
            st.rerun()


def _personal(attribute: Attribute, filled: int) -> None:
    """Marking as PII, while there is nothing stored that would have to be protected afterwards."""
    if filled:
        st.caption(
            "It holds values that are stored as they are. For personal data create a new attribute marked as PII and "
            "load the files into that one."
        )
        return
    st.caption("Values would be stored encrypted and shown masked. This cannot be taken back.")
    if st.button("Mark as personal data", icon=":material/lock:", key="mark_pii"):
        try:
            with at_once(workspace()):
                workspace().attributes.mark_pii(attribute.name)
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["done"] = f"{escape(attribute.display_name)} is personal data now"
            st.rerun()
