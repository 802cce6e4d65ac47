"""Attributes: the fields of a profile, who uses them and how full they are; one of them in a drawer."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.models import Attribute
from pages.ui import attribute_drawer
from pages.ui.forms import new_attribute, type_label
from pages.ui.links import say_done, title_row
from pages.ui.state import overview, workspace
from pages.ui.text import count

KINDS = {
    "all": "All", "identifier": "Identifiers", "pii": "PII", "segment": "In segments", "macro": "Macros",
    "custom": "Custom", "unused": "Unused",
}  # fmt: skip

Uses = dict[str, dict[str, list[str]]]


def is_shown(attribute: Attribute, kind: str, sought: str, uses: Uses) -> bool:
    """Whether the filters leave the attribute."""
    names = (attribute.name, attribute.display_name, attribute.segment, attribute.macro, type_label(attribute.type))
    is_kind = {
        "all": True,
        "identifier": attribute.identifier is not None,
        "pii": attribute.pii,
        "segment": attribute.segment is not None,
        "macro": attribute.macro is not None,
        "custom": not attribute.is_builtin,
        "unused": not any(uses[attribute.name].values()),
    }[kind]
    return is_kind and any(sought.casefold() in name.casefold() for name in names if name)


def row(attribute: Attribute, filled: dict[str, float], uses: Uses) -> dict[str, object]:
    """A line of the table."""
    tags = [tag for tag, is_set in (("PII", attribute.pii), ("Custom", not attribute.is_builtin)) if is_set]
    return {
        "shown": attribute.display_name,
        "name": attribute.name,
        "type": type_label(attribute.type),
        "identifier": (attribute.identifier or "").capitalize(),
        "tags": tags,
        "filled": filled.get(attribute.name),
        "sources": ", ".join(uses[attribute.name]["sources"]),
        "segments": ", ".join(uses[attribute.name]["segments"]),
        "segment": attribute.segment or "",
        "macro": attribute.macro or "",
    }


def table(shown: list[Attribute], uses: Uses) -> None:
    """The attributes; the name opens one."""
    filled = overview().filled(shown)
    st.dataframe(
        pd.DataFrame([row(attribute, filled, uses) for attribute in shown]),
        hide_index=True,
        row_height=38,
        height="content",
        placeholder="–",
        alt="Attributes with type, identifier rank, PII, use and how full they are",
        column_config={
            "shown": st.column_config.ButtonColumn(
                "Attribute", width=160, type="tertiary", alignment="left", key="open_attribute", on_click=_open,
                args=(shown,), pinned=True, help="Opens the attribute: what it holds, who uses it, its names and type.",
            ),
            "name": "Name",
            "type": "Type",
            "identifier": "Identifier",
            "tags": st.column_config.MultiselectColumn(
                "", options=["PII", "Custom"], color=["#ffe8cc", "#dbe4ff"], width=120
            ),
            "filled": st.column_config.ProgressColumn("Filled", format="percent", min_value=0, max_value=1, width=130),
            "sources": st.column_config.TextColumn("Filled by", width="medium"),
            "segments": st.column_config.TextColumn("Asked for by", width=130),
            "segment": st.column_config.TextColumn("In segments as"),
            "macro": "Macro",
        },
    )  # fmt: skip


def _open(shown: list[Attribute]) -> None:
    attribute_drawer.open_in_url(shown[st.session_state["open_attribute"].row].name)


with title_row("Attributes"):
    is_new = st.button("New attribute", type="primary", icon=":material/add:", shortcut="N", key="new_attribute")
st.caption("Attributes are the fields of a profile. Columns of a file are matched to them.")
say_done()
if created := st.session_state.pop("created_attribute", None):
    st.toast(f"Attribute {created} created", icon=":material/check:")

with st.container(horizontal=True, vertical_alignment="bottom"):
    sought = st.text_input(
        "Search", key="sought", bind="query-params", icon=":material/search:", placeholder="Search attributes",
        label_visibility="collapsed", width=320, max_chars=200,
    )  # fmt: skip
    kind = st.pills(
        "Show", list(KINDS), format_func=KINDS.__getitem__, default="all", required=True, label_visibility="collapsed",
        key="kind", bind="query-params",
    )  # fmt: skip
every, uses = workspace().attributes.list(), workspace().attribute_facts.uses()
shown = [one for one in every if is_shown(one, kind, (sought or "").strip(), uses)]
if shown:
    table(shown, uses)
    of = "" if len(shown) == len(every) else f" of {len(every)}"
    st.caption(f"{count(len(shown), 'attribute')}{of}.")
else:
    st.caption("No attribute matches. Change the search or the filter.")
if is_new:
    new_attribute()
else:
    attribute_drawer.drawer()
