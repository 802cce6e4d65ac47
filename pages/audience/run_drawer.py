"""One run of a build or an export in a drawer: what was sent, its files and what proves them whole, another try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.runs import PREPARED, Run, RunFile
from ingest_core.errors import OnrampError
from pages.audience import run_words, words
from pages.ui import badges, errors
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number, size

PARAMETER = "run"
NO_NAMES: Mapping[str, str] = MappingProxyType({})
EACH = 5
"""Files up to which each has a card of its own; more stand in a table."""


def open_in_url(run_id: str) -> None:
    """The drawer of this run is open from now on, also after a reload."""
    st.query_params[PARAMETER] = run_id


def drawer(names: Mapping[str, str] = NO_NAMES) -> None:
    """Draws the drawer when the URL names a run. ``names``: definition → what it is called."""
    if run_id := st.query_params.get(PARAMETER):
        _drawer(run_id, names)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("Run", position="right", icon=":material/outbox:", width=560, on_dismiss=_close)
def _drawer(run_id: str, names: Mapping[str, str]) -> None:
    try:
        run = workspace().outbound.runs.get(run_id)
    except OnrampError as error:
        errors.show(error)
        return
    _head(run, names)
    if run.status == PREPARED:
        _moves(run)
    _counts(run)
    _files(run)


def _head(run: Run, names: Mapping[str, str]) -> None:
    st.markdown(f"### {escape(names.get(run.definition, run.definition))}")
    kind = f"{run_words.KINDS[run.kind]}, {run_words.MODES.get(run.mode, run.mode).lower()}"
    beta = ", beta" if run.counts.get("environment") == "beta" else ""
    st.markdown(f"{badges.badge(run_words.state(run))} :gray[{kind}{beta}, to {escape(run_words.place(run))}]")
    st.caption(
        f"Run {escape(run.run_id)}, made by {escape(run.requested_by)}, {when(run.created_at)}",
        help=ago(run.created_at),
    )
    if run.delivered_at is not None:
        st.caption(f"Arrived {when(run.delivered_at)}", help=ago(run.delivered_at))
    if run.purged_at is not None:
        st.caption(f"Its files were deleted at the place, {when(run.purged_at)}.")
    st.markdown(escape(run_words.outcome(run)))


def _moves(run: Run) -> None:
    """Why it did not arrive; another try; the end, with its price."""
    if run.error is not None:
        st.error(escape(run.error.get("hint") or ""), title=escape(run.error["message"]), icon=":material/error:")
    st.caption("Nobody knows what of it arrived. The same bytes are sent again, and nothing new before them.")
    runs = workspace().outbound.runs
    with st.container(horizontal=True):
        if st.button("Send again", type="primary", icon=":material/refresh:", key="send_run_again"):
            with st.spinner("Sending"):
                _act(lambda: runs.send_again(run.run_id))
        with st.popover("Give up", icon=":material/block:", key="give_up_run"):
            st.markdown(
                "Its files are deleted here and not sent any more. The receiver may have some of them, so "
                "**the next run has to send everything once**."
            )
            if st.button("Give this run up", key="give_up_for_good"):
                _act(lambda: runs.give_up(run, workspace().user))


def _act(work: Callable[[], Run]) -> None:
    try:
        work()
    except OnrampError as error:
        errors.show(error)
        return
    st.rerun()


def _counts(run: Run) -> None:
    figures = run_words.figures(run)
    if figures:
        with st.grid(3, min_column_width=130):
            for label, figure in figures:
                st.metric(label, number(figure), border=True)
    for code, lines in run_words.left_out(run).items():
        st.caption(
            f":orange[:material/block:] {count(lines, 'line')}: **{escape(words.title(code))}.** "
            f"{escape(words.fix(code))}"
        )


def _files(run: Run) -> None:
    if len(run.files) > EACH:
        _many(run.files)
    for file in run.files if len(run.files) <= EACH else ():
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{escape(file.name)}**")
            if file.location:
                st.caption(escape(file.location))
            st.caption(f"{size(file.size)} ({number(file.size)} bytes), {count(file.rows, 'row')}")
            st.code(f"MD5     {file.md5}\nSHA-256 {file.sha256}", language=None, wrap_lines=True)
    if run.control is not None:
        st.caption(f"Control file: {escape(run.control)}")


def _many(files: tuple[RunFile, ...]) -> None:
    total = sum(file.size for file in files)
    st.markdown(f"**{count(len(files), 'file')}** :gray[{size(total)} in all]")
    columns = ("name", "size", "rows", "md5", "sha256", "location")
    st.dataframe(
        pd.DataFrame([{name: getattr(file, name) for name in columns} for file in files]), hide_index=True,
        height="content" if len(files) <= 15 else 480, placeholder="–",
        alt="Files of the run with size, rows, checksums and where they are",
        column_config={
            "name": st.column_config.TextColumn("File", width="medium"),
            "size": st.column_config.NumberColumn("Bytes", format="localized"),
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
            "md5": "MD5", "sha256": "SHA-256", "location": "Where",
        },
    )  # fmt: skip
