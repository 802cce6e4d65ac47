"""Signals that led to no trait, with a way to the rule that would use them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.models import Source
from pages.ui.state import workspace
from pages.ui.text import count


def draw(source: Source | None) -> None:
    """The pairs of the last ten days."""
    found = workspace().audience.reports.unused_signals(source.dpid if source else None)
    if not found:
        st.caption("No pair of key and value was unused 100 times or more on one of the last ten days.")
        return
    sought = st.text_input(
        "Search keys and values", key="find_signal", bind="query-params", live=True, type="search", width=300,
        icon=":material/search:", label_visibility="collapsed", placeholder="Search keys and values",
    )  # fmt: skip
    text = (sought or "").strip().casefold()
    shown = [one for one in found if text in f"{one['key']}={one['value']}".casefold()]
    frame = pd.DataFrame(shown, columns=["day", "key", "value", "seen"])
    st.dataframe(
        frame, hide_index=True, height="content" if len(shown) <= 15 else 560,
        alt="Unused signals with key, value and how often they were seen on a day",
        column_config={
            "day": st.column_config.DateColumn("Day (UTC)", format="D MMM YYYY", width="small"),
            "key": st.column_config.TextColumn("Key", width="medium"),
            "value": st.column_config.TextColumn("Value", width="medium"),
            "seen": st.column_config.NumberColumn("Times", format="localized", width="small"),
        },
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download as CSV", data=frame.to_csv(index=False).encode(), mime="text/csv", icon=":material/download:",
            file_name="unused_signals.csv", on_click="ignore", key="csv_signals",
        )  # fmt: skip
        if source is not None:
            st.page_link(
                "source.py", label="Map signals to attributes", icon=":material/join_inner:",
                query_params={"source": str(source.source_id), "tab": "Mapping"},
                help="Signals can fill attributes of profiles, whether a trait uses them or not.",
            )  # fmt: skip
        st.caption(
            f"{count(len(shown), 'pair')}, seen 100 times or more on a day of the last ten. A trait whose rule names "
            "one of them would use it." + ("" if source else " Choose a data source to map its signals to attributes.")
        )
