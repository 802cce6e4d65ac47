"""An upload that waits or runs: phases, rows, time left; asks again and again until it ends, and not longer."""

from __future__ import annotations

import streamlit as st

from ingest_core import clock
from ingest_core.clock import to_utc
from ingest_core.jobs.jobs import JobProgress
from ingest_core.models import Receipt
from pages.ui import badges
from pages.ui.state import when, workspace
from pages.ui.text import count, escape, number, seconds, size
from pages.ui.waiting import phase_name

DONE = ":green[:material/check_circle:]"
RUNNING = ":blue[:material/progress_activity:]"
TO_COME = ":gray[:material/radio_button_unchecked:]"
PHASES = (
    "Receiving and checking the file", "Checking the rows", "Protecting personal data", "Storing the rows",
    "Creating and updating profiles", "Updating sources and segments",
)  # fmt: skip
EVERY, SELDOM = 1, 10  # seconds between two looks
SOON = 60  # seconds before its time an upload is looked at every second


def draw(receipt: Receipt) -> None:
    """The live part of the page; the page draws the result as soon as there is one."""
    st.fragment(_live, run_every=SELDOM if _starts_in(receipt) > SOON else EVERY)(str(receipt.request_id))


def _starts_in(receipt: Receipt) -> float:
    """Seconds until a scheduled upload may start; 0 when it waits for its turn or runs."""
    if receipt.status != "Scheduled" or receipt.scheduled_for is None:
        return 0.0
    return (to_utc(receipt.scheduled_for) - clock.now()).total_seconds()


def _live(request_id: str) -> None:
    receipt = workspace().history.get(request_id)
    if receipt.status in ("Completed", "Failed") or receipt.held:
        st.rerun()
    progress = workspace().jobs.progress(request_id)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"{badges.badge(receipt.status)} {_now(receipt, progress)}", width="content")
            if st.button("Stop", icon=":material/stop_circle:", key="stop"):
                confirm_stop(request_id)
        if progress is not None:
            _bar(progress)
            _phases(progress)
    if progress is not None:
        _counts(progress)
    st.caption(":material/info: You can close this page. The upload goes on, and its result stays in the history.")


def _now(receipt: Receipt, progress: JobProgress | None) -> str:
    if progress is None:
        at = receipt.scheduled_for
        return f"**{escape(f'Starts at {when(at)}' if at else 'Waiting for its turn')}**"
    name = phase_name(progress.phase)
    step = f" :gray[step {PHASES.index(name) + 1} of {len(PHASES)}]" if name in PHASES else ""
    return f"**{escape(name)}**{step}"


def _bar(progress: JobProgress) -> None:
    """Rows read and the time that the rest will take; steps in the database have no known length."""
    if not progress.total:
        lines = progress.counts.get("lines")
        rows = f" {count(lines, 'row')}" if lines else " The rows"
        st.progress(1.0, text=f"The file is read.{rows} are being stored." if lines != 1 else "The file is read.")
        return
    share = min(1.0, progress.done / progress.total)
    passed = progress.phases[-1].seconds if progress.phases else 0.0
    left = f", about {seconds(passed / share - passed)} left" if 0.05 < share < 1 else ""
    st.progress(share, text=f"{_read(progress)}{left}")


def _read(progress: JobProgress) -> str:
    """227,151 of 412,318 rows, or bytes while the rows are not counted yet."""
    lines, total = progress.counts.get("lines"), progress.counts.get("lines_in_file")
    if lines is not None and total:
        return f"{number(min(lines, total))} of {count(total, 'row')}"
    return f"{size(progress.done)} of {size(progress.total or 0)}"


def _phases(progress: JobProgress) -> None:
    """What is done, what is going on and what comes; steps of one phase are one line."""
    took: dict[str, float] = {}
    for part in progress.phases:
        took[phase_name(part.name)] = took.get(phase_name(part.name), 0.0) + part.seconds
    place = st.container(gap=None)
    now = phase_name(progress.phase)
    for name in PHASES:
        if name in took:
            place.markdown(f"{RUNNING if name == now else DONE} {escape(name)} :gray[{seconds(took[name])}]")
        else:
            place.markdown(f"{TO_COME} :gray[{escape(name)}]")


def _counts(progress: JobProgress) -> None:
    """Rows so far; how many profiles they make is known when they are stored."""
    shown = (("lines", "Lines read"), ("rejected", "Rejected"), ("created", "Created"), ("updated", "Updated"))
    with st.grid(len(shown), min_column_width=140):
        for key, label in shown:
            known = progress.counts.get(key)
            st.metric(label, number(known) if known is not None else "–", border=True)


@st.dialog("Stop this upload?", icon=":material/stop_circle:")
def confirm_stop(request_id: str) -> None:
    """Asks once."""
    st.markdown("Nothing of it will be kept: the workspace stays as it was before. The file can be loaded again later.")
    with st.container(horizontal=True):
        if st.button("Stop the upload", type="primary", key="confirm_stop"):
            workspace().jobs.stop(request_id)
            st.rerun()
        if st.button("Go on", key="go_on"):
            st.rerun()
