"""Runs of builds and exports: a list, and one of them in a drawer. ``?run=`` opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.runs import PREPARED, Kind, Run
from pages.audience import run_words
from pages.audience.run_drawer import NO_NAMES, PARAMETER, drawer, open_in_url
from pages.ui import badges
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape, number, size

__all__ = ["drawer", "history", "is_open", "open_in_url", "table", "waiting"]

PAGE = 25
PAGE_KEY = "runs_page"


def history(
    kind: Kind, definition: str | Sequence[str] | None = None, *, names: Mapping[str, str] | None = NO_NAMES,
    status: str | None = None,
) -> None:  # fmt: skip
    """All runs of a kind or of some definitions, newest first, a page at a time.

    ``names``: definition → what it is called; None: the list is about one definition and does not name it.
    ``status``: only runs that are so.
    """
    runs = workspace().outbound.runs
    total = runs.count(kind, definition, status)
    if not total:
        st.caption("No run is so." if status else "No run yet.")
        return
    slot = st.container()
    page = st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params") if total > PAGE else 1
    found = runs.list(kind, definition, PAGE, (page - 1) * PAGE, status)
    with slot:
        table(found, names)
    first = (page - 1) * PAGE
    of = f"{number(first + 1)} to {number(first + len(found))} of " if total > PAGE else ""
    st.caption(f"{of}{count(total, 'run')}.")


def table(shown: Sequence[Run], names: Mapping[str, str] | None = NO_NAMES) -> None:
    """One run a row; its id opens it."""
    order = ["run", "of", "state", "at", "rows", "gone", "mode", "files", "size", "to", "who"]
    if names is None:
        order.remove("of")
    st.dataframe(
        pd.DataFrame([_row(run, names or NO_NAMES) for run in shown]), hide_index=True, row_height=38,
        height="content", placeholder="–", column_order=order,
        alt="Runs, newest first, with state, time, rows, removals, files, size, place and person",
        column_config={
            "run": st.column_config.ButtonColumn(
                "Run", width=175, type="tertiary", alignment="left", key="open_run", on_click=_open,
                args=([run.run_id for run in shown],), pinned=True,
                help="Opens the run: its files, checksums, what was left out, another try.",
            ),
            "of": st.column_config.TextColumn("Of", width=160),
            "state": badges.column("State", list(run_words.STATES.values()), width=160),
            "at": st.column_config.DatetimeColumn("When", format="distance", width=130),
            "rows": st.column_config.NumberColumn("Rows", format="localized", width=90),
            "gone": st.column_config.NumberColumn("Removals", format="localized", width=90),
            "mode": st.column_config.TextColumn("Mode", width=110),
            "files": st.column_config.NumberColumn("Files", format="localized", width=70),
            "size": st.column_config.TextColumn("Size", width=90, alignment="right"),
            "to": st.column_config.TextColumn("To", width=170),
            "who": st.column_config.TextColumn("By", width=130),
        },
    )  # fmt: skip


def _row(run: Run, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "run": run.run_id,
        "of": names.get(run.definition, run.definition),
        "state": [run_words.state(run)],
        "at": pd.to_datetime(run.delivered_at or run.created_at, utc=True),
        "rows": run_words.rows(run) if run.files else None,
        "gone": run.counts.get("removals", run.counts.get("removed")) if run.files else None,
        "mode": run_words.MODES.get(run.mode, run.mode),
        "files": len(run.files),
        "size": size(sum(file.size for file in run.files)) if run.files else "",
        "to": run_words.place(run),
        "who": run.requested_by,
    }


def _open(ids: Sequence[str]) -> None:
    open_in_url(ids[st.session_state["open_run"].row])


def is_open() -> bool:
    """Whether the URL names a run."""
    return bool(st.query_params.get(PARAMETER))


def waiting(kind: Kind, names: Mapping[str, str] = NO_NAMES, definition: str | None = None) -> None:
    """A line for each run that could not be delivered, with a way to it; ``definition``: only those of one."""
    for run in workspace().outbound.runs.list(kind, definition, limit=200):
        if run.status == PREPARED:
            with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"waits_{run.run_id}"):
                _waits(run, names)


def _waits(run: Run, names: Mapping[str, str]) -> None:
    what = escape(names.get(run.definition, run.definition))
    st.markdown(
        f":orange[:material/pending:] **{what}** was made {ago(run.created_at)} and did not arrive at "
        f"{escape(run_words.place(run))}. :gray[The same files are sent before anything new.]",
        width="stretch",
    )
    if st.button("Look", key=f"look_{run.run_id}"):
        open_in_url(run.run_id)
