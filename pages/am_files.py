"""Audience Manager files: what is being processed, and the receipts of what was."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.batch_list import Asked, BatchSummary
from ingest_core.audience_manager.received import Received
from pages.ui import badges
from pages.ui.links import go_next, nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape, number, percent
from pages.ui.waiting import at_once

PAGE = 50
PAGE_KEY = "files_page"
WORDS = ["Completed", "Nothing stored", "Undone"]
BUSY = {"chosen": "not processed yet", "waiting": "waits for its turn", "processing": "is being processed"}


def first_page() -> None:
    """Another filter begins at its first page."""
    st.session_state[PAGE_KEY] = 1


def begin() -> None:
    """An empty basket for files."""
    with at_once(workspace()):
        held = workspace().received.begin()
    st.switch_page("am_batch.py", query_params={"received": held.inbound_id})


def under_way(held: Received) -> None:
    """One basket that is not processed yet."""
    row = st.container(border=True, horizontal=True, vertical_alignment="center", key=f"held_{held.inbound_id}")
    more = f" and {count(len(held.files) - 1, 'other file')}" if len(held.files) > 1 else ""
    row.markdown(
        f":material/draft: **{escape(held.files[0].name)}**{more} :gray[{BUSY[held.state]}, {ago(held.created_at)}]",
        width="stretch",
    )
    if held.state == "chosen" and row.button("Pre-flight", type="tertiary", key=f"preflight_{held.inbound_id}"):
        st.switch_page("am_preflight.py", query_params={"preflight": held.inbound_id})
    label = "Check and process" if held.state == "chosen" else "Look"
    if row.button(label, key=f"go_on_{held.inbound_id}"):
        st.switch_page("am_batch.py", query_params={"received": held.inbound_id})


def receipts(found: list[BatchSummary]) -> None:
    """One row a batch; the request id opens its receipt."""
    st.dataframe(
        pd.DataFrame([_row(batch) for batch in found]),
        hide_index=True,
        row_height=38,
        placeholder="",
        height="content" if len(found) <= 15 else 620,
        alt="Batches of Audience Manager files with their counts",
        column_config={
            "request_id": st.column_config.ButtonColumn(
                "Request ID", type="tertiary", alignment="left", key="open_receipt", on_click=_open, args=(found,),
                pinned=True,
            ),
            "state": badges.column("Status", WORDS, width=130),
            "files": st.column_config.TextColumn("Files", width=330),
            "started": st.column_config.DatetimeColumn(
                "Processed", format="D MMM YYYY, HH:mm", timezone=st.context.timezone
            ),
            "received": st.column_config.NumberColumn("Records received", format="localized"),
            "stored": st.column_config.NumberColumn("Stored", format="localized"),
            "share": st.column_config.TextColumn("Share stored", alignment="right"),
            "refused": st.column_config.NumberColumn("Refused files", format="localized"),
            "person": "Processed by",
        },
    )  # fmt: skip


def _row(batch: BatchSummary) -> dict[str, object]:
    return {
        "request_id": batch.request_id,
        "state": ["Completed" if batch.outcome == "Stored" else batch.outcome],
        "files": batch.files[0] + (f" and {len(batch.files) - 1} more" if len(batch.files) > 1 else ""),
        "started": pd.to_datetime(batch.started_at, utc=True),
        "received": batch.received,
        "stored": batch.stored,
        "share": percent(batch.stored / batch.received) if batch.received else "n/a",
        "refused": len(batch.refused),
        "person": batch.uploaded_by,
    }


def _open(found: list[BatchSummary]) -> None:
    go_next("am_receipt.py", receipt=found[st.session_state["open_receipt"].row].request_id)


audience = workspace().audience
with title_row("Audience Manager files"):
    if st.button("Process files", type="primary", icon=":material/add:", shortcut="N", key="process_files"):
        begin()
st.caption("Data files and ID syncs that came in, newest first. Each batch has a receipt; its request id opens it.")
say_done()
for held in workspace().received.open():
    under_way(held)
if not audience.count_receipts():
    with nothing_here(
        "contact_page", "No Audience Manager files yet",
        "Drop a .sync or .overwrite file, or an ID sync. It is checked first, and nothing is stored until you say so.",
    ):  # fmt: skip
        if st.button("Process files", type="primary", icon=":material/add:", key="process_first"):
            begin()
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()

sources = {f"{source.name} ({dpid})": dpid for dpid, source in sorted(audience.registered().sources.items())}
with st.container(horizontal=True, vertical_alignment="bottom"):
    search = st.text_input(
        "Search", placeholder="File name or request id", key="find_file", icon=":material/search:", type="search",
        bind="query-params", live=True, width=260, on_change=first_page,
    )  # fmt: skip
    source = st.selectbox(
        "Data source", list(sources), index=None, placeholder="All", key="of_source", bind="query-params", width=240,
        on_change=first_page,
    )  # fmt: skip
    between = list(
        st.date_input("Dates (UTC)", value=[], key="file_dates", bind="query-params", width=230, on_change=first_page)
    )
    is_refused = st.toggle("With refused files", key="refused", bind="query-params", on_change=first_page)
asked = Asked(
    dpid=sources[source] if source else None, search=search or None, only_refused=is_refused,
    since=between[0] if between else None, until=between[-1] if between else None,
)  # fmt: skip
total = audience.count_receipts(asked)
if not total:
    st.caption("No batch matches. Change the filters.")
    st.stop()
slot = st.container()
page = st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params") if total > PAGE else 1
with slot:
    receipts(audience.receipts(asked, limit=PAGE, offset=(page - 1) * PAGE))
first = (page - 1) * PAGE
of = f"{number(first + 1)} to {number(min(first + PAGE, total))} of " if total > PAGE else ""
st.caption(f"{of}{count(total, 'batch', 'batches')}.")
