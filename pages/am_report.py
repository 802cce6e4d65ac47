"""The Onboarding Status Report: bars per day that filter by a click, both tables, samples, unused signals."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.report import SUCCESSFUL_AND_FAILED, ReportFile, StatusReport, aggregate
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.audience import charts, samples, signals, words
from pages.audience import range as chosen_range
from pages.ui import errors
from pages.ui.links import nothing_here, say_done, title_row
from pages.ui.state import when, workspace
from pages.ui.text import count, escape, number
from pages.ui.waiting import at_once

CHART = "report_days"
TABS = ("Successful & failed", "Totals & percentages", "Error samples", "Unused signals")
TOTALS = ("records_received", "total_unused_signals", "total_realized_traits")


def clicked() -> None:
    """The day of the bar that was clicked goes into the URL; a click beside the bars shows all days again."""
    points = st.session_state[CHART].selection.points
    if points:
        st.query_params["day"] = points[0]["customdata"][0]
    else:
        st.query_params.pop("day", None)


def day_asked() -> date | None:
    """The day that the tables are of."""
    try:
        return date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return None


def tables(files: list[ReportFile], names: tuple[str, ...], alt: str) -> None:
    """Files as rows, the aggregate row above them, where it stays in sight."""
    total = aggregate(files)
    is_first = names == SUCCESSFUL_AND_FAILED
    rows = [_row(total, f"All {count(len(files), 'file')}", names, is_first=is_first)]
    rows += [_row(file, file.file, names, is_first=is_first) for file in files]
    frame = pd.DataFrame(rows)
    columns = {name: st.column_config.NumberColumn(words.LABELS[name], format="localized") for name in names}
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(rows) <= 16 else 620,
        alt=alt,
        column_order=["file", *(["sampling"] if is_first else []), *_order(names)],
        column_config={
            "file": st.column_config.TextColumn("Data sync file name", width=310, pinned=True),
            "sampling": st.column_config.TextColumn("Error sampling active", width=150),
            "success": st.column_config.TextColumn("Percentage success", alignment="right"),
            **columns,
        },
    )
    st.download_button(
        "Download as CSV", data=frame.to_csv(index=False).encode(), mime="text/csv", icon=":material/download:",
        file_name=f"onboarding_{'files' if is_first else 'totals'}.csv", on_click="ignore", key=f"csv_{is_first}",
    )  # fmt: skip


def _order(names: tuple[str, ...]) -> list[str]:
    return list(names) if names == SUCCESSFUL_AND_FAILED else [names[0], "success", *names[1:]]


def _row(counts: object, name: str, names: tuple[str, ...], *, is_first: bool) -> dict[str, object]:
    share = getattr(counts, "percent_success")  # noqa: B009  of a file and of all files
    active = getattr(counts, "error_sampling_active", None)
    row: dict[str, object] = {"file": name}
    if is_first:
        row["sampling"] = "" if active is None else "Yes" if active else "No"
    row |= {field: getattr(counts, field) for field in names}
    if not is_first:
        row["success"] = "n/a" if share is None else f"{share} %"
    return row


def sampling_switch(source: Source | None) -> None:
    """On for fourteen days, or off; of one data source."""
    if source is None:
        st.caption("Choose a data source to switch its error sampling.")
        return
    until = workspace().audience.reports.sampled_until(source)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="sampling"):
        if until is None:
            st.markdown(
                ":gray[:material/science: **Error sampling is off.** New files keep no samples.]", width="stretch"
            )
        else:
            st.markdown(
                f":green[:material/science:] **Error sampling is on** :gray[until {when(until)}; then it goes off]",
                width="stretch",
            )
        label = "Switch on for 14 days" if until is None else "Switch off"
        if st.button(label, key="switch_sampling"):
            try:
                with at_once(workspace()):
                    workspace().audience.reports.switch_sampling(source.source_id, is_on=until is None)
            except OnrampError as error:
                errors.show(error)
                return
            st.session_state["done"] = "Error sampling is on" if until is None else "Error sampling is off"
            st.rerun()


def bars(report: StatusReport, day: date | None) -> None:
    """The chart, and what it is filtered to."""
    with st.container(border=True):
        st.markdown("#### Records per day")
        charts.days(report.days, key=CHART, on_select=clicked)
        if day is None:
            st.caption(
                "Successful: stored. Failed: received and not stored. A click on a bar shows only its day below."
            )
        elif st.button(f"Only {day.day} {day:%b %Y}: show all days", icon=":material/filter_alt_off:", key="all_days"):
            st.query_params.pop("day", None)
            st.rerun()


title_row("Onboarding status report")
st.caption("What became of the records of the files that came in, per day and per file.")
say_done()
source, since, until = chosen_range.draw()
report = workspace().audience.reports.status(since, until, source.dpid if source else None)
day = day_asked()
if report.files:
    bars(report, day)
    files = [file for file in report.files if day is None or file.at.date() == day]
else:
    files = []
    with nothing_here(
        "monitoring", "No files in these days",
        "Choose another data source or other days, or process a file.",
    ):  # fmt: skip
        st.page_link("am_files.py", label="Process files", icon=":material/contact_page:")
opened = dict(zip(TABS, st.tabs(list(TABS), key="tab", bind="query-params"), strict=True))
if opened[TABS[0]].open:
    with opened[TABS[0]]:
        tables(files, SUCCESSFUL_AND_FAILED, "Successful and failed records of each file")
        if any(file.no_matching_aam_id for file in files):
            st.caption(
                "No matching AAM ID: ids of cookies without a known device are skipped. Sync their ids, then send them "
                "again."
            )
if opened[TABS[1]].open:
    with opened[TABS[1]]:
        tables(files, TOTALS, "Totals and percentages of each file")
if opened[TABS[2]].open:
    with opened[TABS[2]]:
        sampling_switch(source)
        if codes := aggregate(files).codes:
            with st.container(border=True):
                st.markdown("#### Refused lines by reason")
                charts.codes(codes, key="report_codes")
        if files:
            samples.draw([file.file_no for file in files])
if opened[TABS[3]].open:
    with opened[TABS[3]]:
        signals.draw(source)
if report.refused:
    with st.expander(f"{count(len(report.refused), 'refused file')} in these days"):
        for refused in report.refused[:50]:
            st.caption(f"{escape(refused.file)}: {escape(words.title(refused.error))}")
        if len(report.refused) > 50:
            st.caption(f"{number(len(report.refused) - 50)} more: see the receipts.")
