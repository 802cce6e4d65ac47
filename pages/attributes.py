"""Attributes: the fields of a profile, who uses them and how full they are."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.models import Attribute
from pages.ui import retyping
from pages.ui.forms import new_attribute, type_label
from pages.ui.links import say_done, title_row
from pages.ui.state import overview, workspace
from pages.ui.text import count

KINDS = {"all": "All", "identifier": "Identifiers", "pii": "PII", "custom": "Custom"}


def _users() -> dict[str, list[str]]:
    """Attribute name → names of the sources whose current mapping fills it."""
    users: dict[str, list[str]] = {}
    for source in workspace().sources.list():
        mapping = workspace().mappings.current(source)
        for column in mapping.columns if mapping else ():
            if column.attribute and source.name not in users.setdefault(column.attribute, []):
                users[column.attribute].append(source.name)
    return users


def _row(attribute: Attribute, filled: dict[str, float], users: dict[str, list[str]]) -> dict[str, object]:
    tags = [tag for tag, is_set in (("PII", attribute.pii), ("Custom", not attribute.is_builtin)) if is_set]
    return {
        "shown": attribute.display_name,
        "name": attribute.name,
        "type": type_label(attribute.type),
        "identifier": (attribute.identifier or "").capitalize(),
        "tags": tags,
        "segment": attribute.segment or "",
        "macro": attribute.macro or "",
        "filled": filled.get(attribute.name),
        "users": ", ".join(users.get(attribute.name, [])),
        "change": ":material/swap_horiz:" if retyping.can_change(attribute) else None,
    }


def _clicked_change(shown: list[Attribute]) -> None:
    st.session_state["retyped_attribute"] = shown[st.session_state["change_type"].row].name


with title_row("Attributes"):
    if st.button("New attribute", type="primary", icon=":material/add:", shortcut="N", key="new_attribute"):
        new_attribute()
st.caption("Attributes are the fields of a profile. Columns of a file are matched to them.")
say_done()
if retyped := st.session_state.pop("retyped_attribute", None):
    retyping.change_type(workspace().attributes.get(retyped))
if created := st.session_state.pop("created_attribute", None):
    st.toast(f"Attribute {created} created", icon=":material/check:")

attributes = workspace().attributes.list()
kind = st.pills(
    "Show", list(KINDS), format_func=KINDS.__getitem__, default="all", required=True, label_visibility="collapsed",
    key="kind", bind="query-params",
)  # fmt: skip
shown = [
    attribute
    for attribute in attributes
    if kind == "all"
    or (kind == "identifier" and attribute.identifier)
    or (kind == "pii" and attribute.pii)
    or (kind == "custom" and not attribute.is_builtin)
]
if shown:
    filled, users = overview().filled(attributes), _users()
    st.dataframe(
        pd.DataFrame([_row(attribute, filled, users) for attribute in shown]),
        hide_index=True,
        height="content",
        placeholder="–",
        alt="Attributes with type, identifier rank, PII and use",
        column_config={
            "shown": st.column_config.TextColumn("Attribute", pinned=True),
            "name": "Name",
            "type": "Type",
            "identifier": "Identifier",
            "tags": st.column_config.MultiselectColumn(
                "", options=["PII", "Custom"], color=["#ffe8cc", "#dbe4ff"], width=120
            ),
            "segment": st.column_config.TextColumn("In segments as"),
            "macro": "Macro",
            "filled": st.column_config.ProgressColumn("Filled", format="percent", min_value=0, max_value=1, width=130),
            "users": st.column_config.TextColumn("Used by", width="medium"),
            "change": st.column_config.ButtonColumn(
                "", key="change_type", on_click=_clicked_change, args=(shown,), width=56,
                help="Change the type. That of identifiers and personal data stays as it is.",
            ),
        },
    )  # fmt: skip
st.caption(f"{count(len(shown), 'attribute')} shown.")
