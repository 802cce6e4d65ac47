"""Upload history: every upload with its counts, filters in the URL, three charts over time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import streamlit as st

from ingest_core.ledger.history import BADGES
from ingest_core.overview import HistoryDay
from pages.ui import approval, charts
from pages.ui.links import nothing_here, title_row
from pages.ui.state import overview, workspace
from pages.ui.tables import uploads_table
from pages.ui.text import count, number

PAGE = 50
PAGE_KEY = "history_page"
STATUSES = ["Scheduled", "In Progress", "Completed", "Failed"]


def first_page() -> None:
    """Another filter begins at its first page."""
    st.session_state[PAGE_KEY] = 1


def three_charts(days: list[HistoryDay]) -> None:
    """Outcomes, sizes, success, each per day."""
    for column, title, draw in zip(
        st.columns(3),
        ("Uploads per day", "Rows per upload", "Share that completed"),
        (charts.uploads_per_day, charts.rows_per_day, charts.success_share),
        strict=True,
    ):
        with column.container(border=True, height="stretch"):
            st.markdown(f"#### {title}")
            draw(days)


opened, figures = workspace(), overview()
title_row("Upload history")
st.caption("Every upload, newest first. The request id opens it.")
sources = {source.name: source for source in opened.sources.list(include_archived=True)}
people = figures.people()
if not people:
    with nothing_here("history", "No uploads yet", "Uploads appear here as soon as the first file is sent."):
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()

approval.banner(approval.waiting())
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search", placeholder="File name or request id", key="search_uploads", icon=":material/search:", type="search",
        bind="query-params", live=True, width=240, on_change=first_page,
    )  # fmt: skip
    source = st.selectbox(
        "Source", list(sources), index=None, placeholder="All", key="from_source", bind="query-params", width=200,
        on_change=first_page,
    )  # fmt: skip
    person = st.selectbox(
        "Uploaded by", people, index=None, placeholder="Everybody", key="by_person", bind="query-params", width=170,
        on_change=first_page,
    )  # fmt: skip
    between = st.date_input("Dates", value=[], key="dates", bind="query-params", width=230, on_change=first_page)
    status = st.pills("Status", STATUSES, key="status", bind="query-params", on_change=first_page)
    badge = st.pills("Badge", BADGES, key="badge", bind="query-params", on_change=first_page)
dates = list(between)
since = datetime.combine(dates[0], time()) if dates else None
until = datetime.combine(dates[-1], time()) + timedelta(days=1) if dates else None

days = figures.history_days(
    source_id=sources[source].source_id if source else None, status=status, user=person, since=since, until=until,
    badge=badge, search=search or None,
)  # fmt: skip
total = sum(day.uploads for day in days)
if not total:
    st.caption("No upload matches. Change the filters.")
    st.stop()
three_charts(days)
slot = st.container()
page = st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params") if total > PAGE else 1
receipts = opened.history.list(
    source=source, status=status, user=person, since=since, until=until, badge=badge, search=search or None,
    limit=PAGE, offset=(page - 1) * PAGE,
)  # fmt: skip
with slot:
    uploads_table(receipts, key="history_open")
first = (page - 1) * PAGE
of = f"{number(first + 1)} to {number(first + len(receipts))} of " if total > PAGE else ""
st.caption(f"{of}{count(total, 'upload')}.")
