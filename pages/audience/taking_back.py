"""Undo and redo of a batch: first what it would change, then one button."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ingest_core.audience_manager.batch_list import BatchDetail
from ingest_core.audience_manager.undoing import Action, BatchUndo
from ingest_core.errors import OnrampError
from pages.audience import signal_uploads
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import change, number
from pages.ui.waiting import at_once, forget, remembered

PREVIEW = "am_undo_preview"
DONE_ALREADY = ("already_undone", "not_undone")  # by the other click, or by somebody else: the page shows it


def button(batch: BatchDetail) -> None:
    """Undo, or undo of the undo."""
    is_undo = batch.undone_at is None
    label, icon = ("Undo", "undo") if is_undo else ("Undo the undo", "redo")
    if st.button(label, icon=f":material/{icon}:", key=icon, help="First shows what would change."):
        forget(PREVIEW)
        (_undo if is_undo else _redo)(batch.request_id)


@st.dialog("Take this batch back?", icon=":material/undo:")
def _undo(request_id: str) -> None:
    st.markdown("Its files would count for nothing, as if they had never come:")
    _decide(request_id, "undo", "Take it back", "Taken back. Nothing of the batch counts now.")


@st.dialog("Undo the undo?", icon=":material/redo:")
def _redo(request_id: str) -> None:
    st.markdown("Its files would count again, at their old place in the order of batches:")
    _decide(request_id, "redo", "Let it count again", "The batch counts again.")


def _decide(request_id: str, action: Action, label: str, done: str) -> None:
    try:
        found: BatchUndo = remembered(PREVIEW, (request_id, action), lambda: _run(request_id, action, is_preview=True))
    except OnrampError as error:
        if error.code in DONE_ALREADY:
            st.rerun()
        errors.show(error)
        return
    _effects(found)
    with_signals = signal_uploads.ask_too(found.uploads, is_undo=action == "undo")
    with st.container(horizontal=True):
        is_sure = st.button(label, type="primary", key="confirm_undo")
        if st.button("Leave it as it is", key="leave_it"):
            st.rerun()
    if not is_sure:
        return
    try:
        _run(request_id, action)
        if with_signals:
            _uploads_too(found)
    except OnrampError as error:
        if error.code not in DONE_ALREADY:
            errors.show(error)
            return
    forget(PREVIEW)
    st.session_state["done"] = done
    st.rerun()


def _uploads_too(found: BatchUndo) -> None:
    """The newest first: each is taken back as it was loaded. One that somebody else took back in the meantime is."""
    work = workspace().undo.undo if found.action == "undo" else workspace().undo.redo
    for request_id in found.uploads[::-1]:
        with st.spinner("Changing the profiles"), suppress_done():
            work(request_id)


@contextmanager
def suppress_done() -> Iterator[None]:
    """Passes over what is as it should be already."""
    try:
        yield
    except OnrampError as error:
        if error.code not in DONE_ALREADY:
            raise


def _effects(found: BatchUndo) -> None:
    with st.grid(3, min_column_width=120):
        for label, before, after in (
            ("Traits held", found.qualifications_before, found.qualifications_after),
            ("Profiles", found.profiles_before, found.profiles_after),
            ("Mapped ids", found.mappings_before, found.mappings_after),
        ):
            st.metric(label, number(after), change(after - before), delta_color="off", border=True)


def _run(request_id: str, action: Action, *, is_preview: bool = False) -> BatchUndo:
    audience = workspace().audience
    work = audience.undo if action == "undo" else audience.redo
    with st.spinner("Working out what would change" if is_preview else "Changing the traits"), at_once(workspace()):
        return work(request_id, is_preview=is_preview)
