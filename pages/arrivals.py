"""Arrivals: every file that came by itself, of all sources, with its state and why."""

from __future__ import annotations

import streamlit as st

from pages.ui import arrived
from pages.ui.links import nothing_here, title_row
from pages.ui.state import workspace
from pages.ui.text import escape

opened = workspace()
title_row("Arrivals")
st.caption("Files that came by themselves, newest first. Schedules stand on the page of each source.")
sources = {source.name: source.source_id for source in opened.sources.list(include_archived=True)}
if not opened.arrivals.count() and not opened.arrivals.schedules():
    with nothing_here(
        "event_repeat", "Nothing is looked for", "Open a source and create a schedule: files are taken by themselves."
    ):
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()
troubled = [schedule for schedule in opened.arrivals.schedules() if schedule.error and not schedule.is_paused]
for schedule in troubled:
    st.page_link(
        "source.py", label=f":orange[:material/warning: {escape(schedule.source)}: a place cannot be looked at]",
        query_params={"source": str(schedule.source_id), "tab": "Schedule"},
    )  # fmt: skip
arrived.log(None, sources)
arrived.watch(None)
