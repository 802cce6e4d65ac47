"""The log of arrivals: filters in the URL, a table, and a watch that draws the page again when something changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ingest_core.arrivals.arrivals import Filters
from ingest_core.arrivals.schedule import Arrival
from pages.ui import badges
from pages.ui.links import go_next
from pages.ui.state import workspace
from pages.ui.text import count, number, size

PAGE = 50
PAGE_KEY = "arrivals_page"
WATCH_SECONDS = 2.0
WORDS = {
    "waiting": "Waiting", "taken": "Loading", "submitted": "Loading", "loaded": "Loaded", "failed": "Failed",
    "skipped": "Skipped", "refused": "Refused", "gone": "Gone",
}  # fmt: skip
CHOICES = list(dict.fromkeys(WORDS.values()))


def first_page() -> None:
    """Another filter begins at its first page."""
    st.session_state[PAGE_KEY] = 1


def log(source_id: int | None, sources: Mapping[str, int] | None = None) -> None:
    """Filters, table, pages. Of all sources when there is no ``source_id``: then one of ``sources`` can be chosen."""
    is_overall = source_id is None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if sources:
            chosen = st.selectbox(
                "Source", list(sources), index=None, placeholder="All", key="arrival_source", bind="query-params",
                width=220, on_change=first_page,
            )  # fmt: skip
            source_id = sources[chosen] if chosen else None
        name = st.text_input(
            "Search", placeholder="File name", key="arrival_name", icon=":material/search:", type="search", live=True,
            bind="query-params", width=240, on_change=first_page,
        )  # fmt: skip
        word = st.pills("State", CHOICES, key="arrival_state", bind="query-params", on_change=first_page)
    states = tuple(state for state, shown in WORDS.items() if shown == word)
    filters = Filters(source_id=source_id, states=states, name=name or None)
    arrivals = workspace().arrivals
    total = arrivals.count(filters)
    if not total:
        st.caption("No file matches. Change the filters." if name or word else "No file has come yet.")
        return
    slot = st.container()
    page = st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params") if total > PAGE else 1
    found = arrivals.log(filters, limit=PAGE, offset=(page - 1) * PAGE)
    with slot:
        _table(found, has_source=is_overall)
    first = (page - 1) * PAGE
    of = f"{number(first + 1)} to {number(first + len(found))} of " if total > PAGE else ""
    st.caption(f"{of}{count(total, 'file')}, newest first.")


def _table(arrivals: Sequence[Arrival], *, has_source: bool) -> None:
    """One file a row; the request id opens its upload."""
    shown = ["file", "state", "request_id", "why", "seen", "source", "place", "size", "after"]
    key, has_why = "arrival_open", any(arrival.reason for arrival in arrivals)
    st.dataframe(
        pd.DataFrame([_row(arrival) for arrival in arrivals]),
        hide_index=True,
        row_height=38,
        placeholder="",
        height="content" if len(arrivals) <= 15 else 620,
        column_order=[name for name in shown if has_source or name != "source"],
        alt="Files that came by themselves, with their state and why",
        column_config={
            "file": st.column_config.TextColumn("File", pinned=True),
            "state": badges.column("State", CHOICES),
            "seen": st.column_config.DatetimeColumn(
                "First seen", format="D MMM YYYY, HH:mm:ss", timezone=st.context.timezone
            ),
            "source": "Source",
            "place": st.column_config.TextColumn("From"),
            "size": st.column_config.TextColumn("Size", alignment="right"),
            "request_id": st.column_config.ButtonColumn(
                "Request ID", type="tertiary", alignment="left", key=key, on_click=_open, args=(key, arrivals)
            ),
            "why": st.column_config.TextColumn("Why", width=None if has_why else "small"),
            "after": st.column_config.TextColumn("At its place", width="medium"),
        },
    )  # fmt: skip


def _row(arrival: Arrival) -> dict[str, object]:
    folder = arrival.path.rpartition("/")[0]
    return {
        "file": arrival.file,
        "state": [WORDS[arrival.state]],
        "seen": pd.to_datetime(arrival.seen_at, utc=True),
        "source": arrival.source,
        "place": f"{arrival.place}/{folder}" if folder else arrival.place,
        "size": size(arrival.size),
        "request_id": arrival.request_id,
        "why": str((arrival.reason or {}).get("message", "")),
        "after": arrival.after_note or "",
    }


def _open(key: str, arrivals: Sequence[Arrival]) -> None:
    arrival = arrivals[st.session_state[key].row]
    if arrival.request_id and arrival.reads == "rows":
        go_next("upload.py", upload=arrival.request_id)
    elif arrival.request_id:
        go_next("am_receipt.py", receipt=arrival.request_id)


def watch(source_id: int | None) -> None:
    """Draws the page again as soon as a schedule looked or a file went on."""
    mark = workspace().arrivals.mark(source_id)

    @st.fragment(run_every=WATCH_SECONDS)
    def look() -> None:
        if workspace().arrivals.mark(source_id) != mark:
            st.rerun()

    look()
