"""Which data source and which days: the filters of the Audience Manager reports, in the URL."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st

from ingest_core.clock import now
from ingest_core.models import Source
from pages.ui.state import workspace

PRESETS = {"7 days": 7, "30 days": 30, "90 days": 90, "Custom": 0}
STANDARD = "30 days"


def draw() -> tuple[Source | None, date, date]:
    """(data source or None for all, first day, last day); days are UTC."""
    sources = sorted(workspace().audience.registered().sources.values(), key=lambda source: source.name.casefold())
    names = {f"{source.name} ({source.dpid})": source for source in sources}
    today = now().date()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Data source", list(names), index=None, placeholder="All data sources", key="data_source",
            bind="query-params", width=280, on_change=_another_day,
        )  # fmt: skip
        preset = st.segmented_control(
            "Days (UTC)", list(PRESETS), default=STANDARD, required=True, key="days", bind="query-params",
            on_change=_another_day,
        )  # fmt: skip
        since, until = today - timedelta(days=(PRESETS[preset or STANDARD] or 30) - 1), today
        if preset == "Custom":
            picked = st.date_input(
                "From and to", value=[], key="between", bind="query-params", width=230, on_change=_another_day
            )
            given = list(picked)
            if given:
                since, until = given[0], given[-1]
    return (names[chosen] if chosen else None), since, until


def _another_day() -> None:
    st.session_state.pop("report_days", None)
    st.query_params.pop("day", None)
