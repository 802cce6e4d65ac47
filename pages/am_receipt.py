"""One receipt: every counter of a batch of Audience Manager files, per data source and per file."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.batch_list import BatchDetail
from ingest_core.audience_manager.receipts import Counts
from pages.audience import charts, originals, receipt_parts, signal_uploads, taking_back
from pages.ui import badges
from pages.ui.links import breadcrumb, say_done, title_row
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number


def sentence(batch: BatchDetail, total: Counts) -> str:
    """What became of it."""
    parts = []
    if total.records_received:
        parts.append(f"{number(total.stored_records)} of {count(total.records_received, 'record')} stored")
    for sync in batch.id_sync:
        rows = sync.counts["records_received"]
        parts.append(f"{number(sync.counts['stored_records'])} of {count(rows, 'row')} of ids mapped to a device")
    if batch.refused:
        parts.append(f"{count(len(batch.refused), 'file')} refused")
    return "; ".join(parts) or "Nothing was read"


batch = workspace().audience.receipt(st.query_params.get("receipt", ""))
total = sum((Counts(**receipt.model_dump()) for receipt in batch.receipts), Counts())
breadcrumb(("Audience Manager files", "am_files.py", {}), (f"Receipt {batch.request_id}", None, {}))
with title_row(f"Receipt {batch.request_id}"):
    taking_back.button(batch)
say_done()
word = "Completed" if batch.outcome == "Stored" else batch.outcome
st.markdown(
    f"{badges.badge(word)} :gray[{escape(batch.uploaded_by)}, {when(batch.finished_at)}]", help=ago(batch.finished_at)
)
receipt_parts.aftermath(batch)
st.markdown(f"**{escape(sentence(batch, total))}.**")
if total.records_received:
    with st.container(border=True):
        st.markdown("#### Where the records went")
        charts.where_records_went(total)
    with st.grid(4, min_column_width=150):
        st.metric("Total devices", number(total.total_devices), border=True)
        st.metric("Realized traits", number(total.total_realized_traits), border=True)
        st.metric("Removed traits", number(total.total_removed_traits), border=True)
        st.metric("Unused signals", number(total.total_unused_signals), border=True)
if batch.refused:
    receipt_parts.refused_files(batch)
kept = workspace().audience.originals.of(batch.request_id)
signal_uploads.draw(batch)
tabs = {
    "Files": receipt_parts.files if batch.per_file else None,
    "All counters": receipt_parts.counters if batch.receipts else None,
    "ID syncs": receipt_parts.id_syncs if batch.id_sync else None,
    "Refused lines": receipt_parts.refused_lines if any(file.codes for file in batch.per_file) else None,
    "As they came": originals.draw if kept else None,
    "How it worked": receipt_parts.steps if batch.steps else None,
}
drawn = {name: draw for name, draw in tabs.items() if draw}
if drawn:
    for tab, draw in zip(st.tabs(list(drawn), key="part", bind="query-params"), drawn.values(), strict=True):
        if tab.open:
            with tab:
                draw(batch)
