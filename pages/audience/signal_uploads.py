"""What became of the signals of a batch's files: each an upload of its own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ingest_core.audience_manager.batch_list import BatchDetail
from ingest_core.audience_manager.signal_loads import SignalLoad
from pages.ui import badges
from pages.ui.links import upload_link
from pages.ui.state import workspace
from pages.ui.text import count, escape, number

SHOWN = 10


def draw(batch: BatchDetail) -> None:
    """A card with a line per file; nothing where no signals were to be loaded."""
    if not batch.uploads:
        return
    with st.container(border=True, key="signal_uploads"):
        st.markdown("#### Signals in profiles")
        for at, load in enumerate(batch.uploads[:SHOWN]):
            _line(load, at)
        if len(batch.uploads) > SHOWN:
            st.caption(f"{count(len(batch.uploads) - SHOWN, 'more file')}: see the uploads of the source.")


def _line(load: SignalLoad, at: int) -> None:
    row = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"signals_{at}"
    )
    row.markdown(f"{badges.badge(_word(load))} **{escape(load.file)}** :gray[{escape(_said(load))}]", width="stretch")
    with row:
        if load.request_id is not None:
            upload_link(load.request_id)
        elif (load.error or {}).get("code") == "no_mapping":
            source = workspace().sources.get(load.source)
            st.page_link(
                "source.py", label="Map signals to attributes", icon=":material/join_inner:",
                query_params={"source": str(source.source_id), "tab": "Mapping"},
            )  # fmt: skip


def _word(load: SignalLoad) -> str:
    if load.is_undone:
        return "Undone"
    if load.state == "refused":
        return "Completed" if load.request_id else "Failed"
    return load.status or "Scheduled"


def _said(load: SignalLoad) -> str:
    """Plain text."""
    if load.state == "refused" and load.request_id:
        return "This very file was loaded before."
    if load.error is not None:
        return f"{load.error.get('message', '')} {load.error.get('hint', '')}"
    if load.status == "Completed":
        rejected = f", {count(load.rejected, 'line')} rejected" if load.rejected else ""
        return f"{count(load.stored, 'person', 'people')} of {load.source}{rejected}"
    return f"Into {load.source}"


def ask_too(uploads: Sequence[str], *, is_undo: bool) -> bool:
    """In the dialog of an undo: whether the values that came with the files go or come back, too."""
    if not uploads:
        return False
    verb = "Take back" if is_undo else "Count again"
    chosen = st.checkbox(
        f"{verb} the values in profiles, too ({count(len(uploads), 'upload')})", key="with_signals",
        help="Signals of these files were loaded into profiles. Otherwise they stay as they are; each upload can be "
        "undone on its own page.",
    )  # fmt: skip
    for request_id in uploads[:SHOWN]:
        upload_link(request_id)
    if len(uploads) > SHOWN:
        st.caption(f"And {number(len(uploads) - SHOWN)} more.")
    return chosen
