"""The parts of a receipt: files, counters that add up, refused lines with their samples, ID syncs, steps."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.batch_list import BatchDetail
from ingest_core.audience_manager.receipts import BatchReport, Counts
from pages.audience import charts, samples, words
from pages.ui.charts import step_times
from pages.ui.state import when, workspace
from pages.ui.text import ago, escape, number, percent

FILE_COLUMNS = (
    "records_received", "stored_records", "format_errors", "invalid_aam_id", "invalid_device_id", "no_trait_realized",
    "no_matching_aam_id", "total_unused_signals", "total_realized_traits",
)  # fmt: skip


def aftermath(batch: BatchDetail) -> None:
    """Says when the batch counts for nothing now."""
    if batch.undone_at is not None:
        with st.container(border=True, key="aftermath"):
            st.markdown(
                f":material/undo: **Undone by {escape(batch.undone_by or 'somebody')}, {ago(batch.undone_at)}.** "
                ":gray[Nothing of this batch counts now. The figures below are what it did when it was processed.]",
                help=when(batch.undone_at),
            )


def refused_files(batch: BatchDetail) -> None:
    """Files that were not read, why, and what to do."""
    with st.container(border=True, key="refused_files"):
        st.markdown("#### :red[:material/block:] Refused files")
        for file in batch.refused:
            st.markdown(
                f"**{escape(file.file)}**  \n{escape(words.title(file.code))}: "
                f":gray[{escape(words.fix(file.code))} Code {escape(file.code)}.]"
            )


def files(batch: BatchDetail) -> None:
    """Each data file with its own counters; they add up to the receipt."""
    rows = [
        {
            "file": file.file,
            **{name: getattr(file, name) for name in FILE_COLUMNS},
            "success": "n/a" if file.percent_success is None else f"{file.percent_success} %",
        }
        for file in batch.per_file
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content" if len(rows) <= 15 else 620,
        alt="Data files of the batch with their counters",
        column_config={
            "file": st.column_config.TextColumn("File", width="large", pinned=True),
            "success": st.column_config.TextColumn("Success", alignment="right"),
            **{name: st.column_config.NumberColumn(words.LABELS[name], format="localized") for name in FILE_COLUMNS},
        },
    )


def counters(batch: BatchDetail | BatchReport) -> None:
    """One card per data source and owner of the traits, in Audience Manager's order of fields."""
    sources = workspace().audience.registered().sources
    for receipt in batch.receipts:
        of = sources[receipt.dpid].name if receipt.dpid in sources else f"Data source {receipt.dpid}"
        target = f", traits of {receipt.target}" if receipt.target is not None else ""
        with st.container(border=True, key=f"counters_{receipt.key}"):
            st.markdown(f"#### {escape(of)} :gray[DPID {receipt.dpid}{target}]")
            st.caption(escape(", ".join(receipt.files)))
            rows = [{"field": words.LABELS[name], "value": getattr(receipt, name)} for name in Counts.model_fields]
            st.dataframe(
                pd.DataFrame(rows), hide_index=True, height="content", width=520,
                alt=f"All counters of the receipt of data source {receipt.dpid}",
                column_config={
                    "field": st.column_config.TextColumn("Field", width="medium"),
                    "value": st.column_config.NumberColumn("Count", format="localized"),
                },
            )  # fmt: skip
            st.caption(_equation(receipt))


def _equation(receipt: Counts) -> str:
    parts = [
        f"{number(getattr(receipt, field))} {label.lower() if label != 'Stored' else 'stored'}"
        for field, label, _ in words.FATES
        if getattr(receipt, field)
    ]
    return f"{number(receipt.records_received)} received = {' + '.join(parts) or '0'}"


def refused_lines(batch: BatchDetail) -> None:
    """Lines that were left out by reason, and the samples of them."""
    codes = Counter[str]()
    for file in batch.per_file:
        codes.update(file.codes)
    charts.codes(codes, key="codes")
    samples.draw([file.file_no for file in batch.per_file])


def id_syncs(batch: BatchDetail | BatchReport) -> None:
    """The small receipts of ID syncs."""
    labels = {"stored_records": "Mapped to a device", "no_matching_aam_id": "Wait for their device"}
    for sync in batch.id_sync:
        rows = [{"field": labels.get(name, words.LABELS[name]), "value": count} for name, count in sync.counts.items()]
        with st.container(border=True):
            received, stored = sync.counts["records_received"], sync.counts["stored_records"]
            share = percent(stored / received) if received else "n/a"
            st.markdown(f"**{escape(sync.file)}** :gray[{share} mapped]")
            st.dataframe(
                pd.DataFrame(rows), hide_index=True, height="content", width=420, alt=f"Counters of {sync.file}",
                column_config={
                    "field": st.column_config.TextColumn("Field", width="medium"),
                    "value": st.column_config.NumberColumn("Rows", format="localized"),
                },
            )  # fmt: skip


def steps(batch: BatchDetail) -> None:
    """What was done, in order."""
    step_times([step.name for step in batch.steps], [step.seconds for step in batch.steps])
    for at, step in enumerate(batch.steps):
        with st.expander(f"{step.name}: {escape(step.purpose)}", key=f"step_{at}"):
            if step.sql:
                st.code(step.sql.strip(), language="sql", wrap_lines=True)
            else:
                st.caption("No SQL: the work of a library.")
