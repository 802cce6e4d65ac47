"""What a check of received files found, and what processing them would do."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.check_report import CheckReport, FileCheck
from ingest_core.audience_manager.receipts import BatchReport, Counts
from ingest_core.audience_manager.received import Received, ReceivedFile
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.audience import charts, words
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape, number, size
from pages.ui.waiting import Waiting, at_once, remembered

TRIED_BYTES = 50_000_000
"""Larger batches are tried only when somebody asks for it."""


def draw(held: Received) -> None:
    """A card per file, then what would happen."""
    mark = (held.inbound_id, tuple(file.landing_id for file in held.files))
    registered = workspace().audience.registered()

    def check() -> CheckReport:
        with Waiting("Checking the files") as progress:
            return workspace().received.check(held, registered, progress)

    report: CheckReport = remembered("am_check", mark, check)
    for received, file in zip(held.files, report.files, strict=True):
        _file(held, received, file, registered.sources)
    traits = len(workspace().audience.traits.list())
    _trial(held, (*mark, traits, workspace().audience.count_receipts()))


def _file(held: Received, received: ReceivedFile, file: FileCheck, sources: Mapping[int, Source]) -> None:
    errors_found = [problem for problem in file.problems if problem.level == "error"]
    with st.container(border=True, key=f"check_{file.file}"):
        if file.error:
            mark = ":red[:material/block:] **It will be refused:** " + escape(words.title(file.error))
        elif errors_found:
            mark = ":orange[:material/warning:] **Some of it will be left out**"
        else:
            mark = ":green[:material/check_circle:] **It is fine**"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"#### {escape(file.file)} :gray[{size(received.size)}]  \n{mark}", width="stretch")
            if st.button("Take out", icon=":material/close:", type="tertiary", key=f"out_{received.landing_id}"):
                workspace().received.remove(held.inbound_id, received.landing_id)
                st.rerun()
        st.caption(escape(words.what(file.name, file.kind, sources)))
        if file.is_checked:
            parts = [f"{number(lines)} {category.replace('_', ' ')}" for category, lines in file.by_category.items()]
            st.caption(f"{count(file.lines, 'line')}: {', '.join(parts)}.")
        if file.problems:
            _problems(file)


def _problems(file: FileCheck) -> None:
    rows = [
        {
            "problem": problem.title,
            "level": "Left out" if problem.level == "error" else "Worth a look",
            "count": problem.count,
            "lines": ", ".join(number(place.line) for place in problem.places[:5] if place.line is not None),
            "fix": f"{problem.message} {problem.fix}",
        }
        for problem in file.problems
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        alt="Problems of the file with how often they occur, their first lines and what to do",
        column_config={
            "problem": st.column_config.TextColumn("Problem", width="medium"),
            "level": st.column_config.TextColumn("Effect", width=120),
            "count": st.column_config.NumberColumn("Times", format="localized", width="small"),
            "lines": st.column_config.TextColumn("First lines", width="small"),
            "fix": st.column_config.TextColumn("Why, and what to do", width="large"),
        },
    )


def _trial(held: Received, mark: object) -> None:
    if sum(file.size for file in held.files) > TRIED_BYTES and not st.button(
        "Say what would happen", icon=":material/visibility:", key="try"
    ):
        st.caption("The files are large: a try without storing anything takes as long as processing them.")
        return

    def run() -> BatchReport:
        with Waiting("Trying it without storing anything") as progress, at_once(workspace()):
            return workspace().audience.ingest(workspace().received.sources(held), is_dry_run=True, progress=progress)

    try:
        report: BatchReport = remembered("am_trial", mark, run)
    except OnrampError as error:
        errors.show(error)
        return
    summary(report, is_trial=True)


def summary(report: BatchReport, *, is_trial: bool, title: str = "") -> None:
    """What a batch did or would do, in a sentence, figures and a bar."""
    counts = sum((Counts(**receipt.model_dump()) for receipt in report.receipts), Counts())
    rows = sum(sync.counts["records_received"] for sync in report.id_sync)
    mapped = sum(sync.counts["stored_records"] for sync in report.id_sync)
    would = "would be " if is_trial else ""
    with st.container(border=True, key="trial"):
        st.markdown(f"#### {title or ('What would happen' if is_trial else 'What happened')}")
        parts = []
        if counts.records_received:
            parts.append(f"{number(counts.stored_records)} of {count(counts.records_received, 'record')} {would}stored")
        if rows:
            parts.append(f"{number(mapped)} of {count(rows, 'row')} of ids {would}mapped to a device")
        if report.rejected:
            parts.append(f"{count(len(report.rejected), 'file')} {would}refused")
        st.markdown(f"**{'; '.join(parts) or 'Nothing'}.**")
        if counts.records_received:
            charts.where_records_went(counts)
            with st.grid(3, min_column_width=140):
                st.metric("Traits realized", number(counts.total_realized_traits), border=True)
                st.metric("Traits removed", number(counts.total_removed_traits), border=True)
                st.metric("Unused signals", number(counts.total_unused_signals), border=True)
        for refused in report.rejected:
            st.caption(
                f":red[:material/block:] {escape(refused.file)}: {escape(words.title(refused.error))}. "
                f"{escape(refused.message)}"
            )
        for warning in report.warnings:
            st.caption(
                f":orange[:material/warning:] {escape(warning.get('file', ''))}: a file of the same name with other "
                "content was processed before."
            )
        if is_trial:
            st.caption("The whole batch was processed and taken back, so these figures are exact.")
