"""Deliveries: what was sent where, by whom and when; what waits and what failed."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from ingest_core.deliveries.order import Delivery
from pages.out import delivery_drawer
from pages.out.words import KINDS, STATES, STATUS_OF, state_of
from pages.ui import badges
from pages.ui.links import nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import count, number, size

PAGE = 50
PAGE_KEY = "deliveries_page"


def first_page() -> None:
    """Another filter begins at its first page."""
    st.session_state[PAGE_KEY] = 1


def table(shown: list[Delivery]) -> None:
    """One delivery a row; what was sent opens it."""
    rows = [
        {
            "what": one.label,
            "kind": KINDS[one.order.kind],
            "to": one.order.destination,
            "state": [state_of(one)],
            "file": one.file,
            "rows": one.people,
            "size": size(one.bytes) if one.bytes is not None else "",
            "at": pd.to_datetime(one.finished_at or one.created_at, utc=True),
            "who": one.requested_by,
        }
        for one in shown
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, row_height=38, height="content", placeholder="–",
        alt="Deliveries, newest first, with what was sent, where to, state, file, rows and time",
        column_order=["what", "to", "state", "at", "rows", "size", "file", "kind", "who"],
        column_config={
            "what": st.column_config.ButtonColumn(
                "What", width=190, type="tertiary", alignment="left", key="open_delivery", on_click=_open,
                args=(shown,), pinned=True, help="Opens the delivery: its file, checksums, columns, another try.",
            ),
            "kind": st.column_config.TextColumn("Kind", width=120),
            "to": st.column_config.TextColumn("To", width=130),
            "state": badges.column("State", STATES, width=130),
            "file": st.column_config.TextColumn("File", width="medium"),
            "rows": st.column_config.NumberColumn("Rows", format="localized", width=90),
            "size": st.column_config.TextColumn("Size", width=90, alignment="right"),
            "at": st.column_config.DatetimeColumn("When", format="distance", width=130),
            "who": st.column_config.TextColumn("By", width=130),
        },
    )  # fmt: skip


def _open(shown: list[Delivery]) -> None:
    delivery_drawer.open_in_url(shown[st.session_state["open_delivery"].row].delivery_id)


opened = workspace()
with title_row("Deliveries"):
    if st.button("New delivery", type="primary", icon=":material/send:", shortcut="N", key="new_delivery"):
        st.switch_page("deliver.py")
st.caption("Files that left, or are on their way, newest first.")
say_done()
if not opened.deliveries.count():
    with nothing_here(
        "outbox", "Nothing was sent yet", "Send the people of a segment, stored or rejected rows of an upload."
    ):
        st.page_link("deliver.py", label="Send something", icon=":material/send:")
        st.page_link("destinations.py", label="Destinations", icon=":material/move_to_inbox:")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search", placeholder="Segment, file or id", key="search_deliveries", icon=":material/search:", type="search",
        bind="query-params", live=True, width=240, on_change=first_page,
    )  # fmt: skip
    names = list(dict.fromkeys(one.order.destination for one in opened.deliveries.list()))
    to = st.selectbox(
        "To", names, index=None, placeholder="Everywhere", key="to", bind="query-params", width=200,
        on_change=first_page,
    )  # fmt: skip
    kind = st.selectbox(
        "Kind", list(KINDS), index=None, placeholder="All", key="kind", bind="query-params", width=170,
        format_func=KINDS.__getitem__, on_change=first_page,
    )  # fmt: skip
    between = st.date_input("Dates", value=[], key="sent_between", bind="query-params", width=230, on_change=first_page)
    status = st.pills("State", list(STATUS_OF), key="delivery_state", bind="query-params", on_change=first_page)
dates = list(between)
filters = {
    "search": search or None,
    "destination": to,
    "kind": kind,
    "status": STATUS_OF[status] if status else None,
    "upload": st.query_params.get("upload"),
    "since": datetime.combine(dates[0], time()) if dates else None,
    "until": datetime.combine(dates[-1], time()) + timedelta(days=1) if dates else None,
}
total = opened.deliveries.count(**filters)
if total:
    slot = st.container()
    page = st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params") if total > PAGE else 1
    found = opened.deliveries.list(**filters, limit=PAGE, offset=(page - 1) * PAGE)  # type: ignore[arg-type]
    with slot:
        table(found)
    first = (page - 1) * PAGE
    of = f"{number(first + 1)} to {number(first + len(found))} of " if total > PAGE else ""
    st.caption(f"{of}{count(total, 'delivery', 'deliveries')}.")
else:
    st.caption("No delivery matches. Change the filters.")
delivery_drawer.drawer()
