"""Segments over traits, one a row, with how many profiles each has now."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.outbound.segments import TraitSegment
from pages.exports import segment_drawer
from pages.ui.links import nothing_here
from pages.ui.state import workspace
from pages.ui.text import count, escape


def draw(orders: list[Order]) -> None:
    """Search and table, or how to begin."""
    segments = workspace().outbound.segments.list()
    if not segments:
        how = "A segment is a rule over traits, such as 101T AND NOT 205T. Orders tell who enters and who leaves it."
        with nothing_here("join_inner", "No segments over traits yet", how):
            if workspace().audience.traits.list():
                st.button(
                    "Create a segment", icon=":material/add:", key="first_segment", on_click=segment_drawer.open_new
                )
            else:
                st.page_link("am_traits.py", label="Create a trait first", icon=":material/sell:")
        return
    sought = st.text_input(
        "Search segments", key="find_segment", bind="query-params", live=True, type="search", width=300,
        icon=":material/search:", label_visibility="collapsed", placeholder="Search name, id, rule",
    )  # fmt: skip
    text = (sought or "").strip().casefold()
    shown = [one for one in segments if text in f"{one.segment_id} {one.name} {one.rule}".casefold()]
    if shown:
        _table(shown, orders)
        st.caption(
            f"{escape(count(len(shown), 'segment'))}. Profiles are counted as they are now, of all data sources."
        )
    else:
        st.caption("No segment matches. Change the search.")


def _table(shown: list[TraitSegment], orders: list[Order]) -> None:
    profiles = workspace().outbound.segment_counts.all()
    telling = [one for one in orders if one.what == "segments"]
    rows = [
        {
            "name": one.name,
            "id": str(one.segment_id),
            "profiles": profiles.get(one.segment_id, 0),
            "rule": one.rule,
            "orders": ", ".join(o.name for o in telling if not o.items or one.segment_id in o.items),
        }
        for one in shown
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, row_height=38, placeholder="–",
        height="content" if len(rows) <= 15 else 620,
        alt="Segments over traits with the profiles in each, their rules and the orders that tell them",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Segment", width=220, type="tertiary", alignment="left", key="open_trait_segment", on_click=_open,
                args=([one.segment_id for one in shown],), pinned=True,
            ),
            "id": st.column_config.TextColumn("Id", width="small", alignment="right"),
            "profiles": st.column_config.NumberColumn("Profiles", format="localized", width="small"),
            "rule": st.column_config.TextColumn("Rule", width="large"),
            "orders": st.column_config.TextColumn("Told to", width="medium"),
        },
    )  # fmt: skip


def _open(ids: list[int]) -> None:
    segment_drawer.open_in_url(ids[st.session_state["open_trait_segment"].row])
