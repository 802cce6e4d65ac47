"""Undo and redo of an upload: first what it would change, then one button."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Receipt, UndoReceipt
from pages.ui import errors, told
from pages.ui.links import open_upload
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once, forget, remembered

PREVIEW, TWIN = "undo_preview", "undo_twin"
DONE_ALREADY = ("already_undone", "not_undone")  # by the other click, or by somebody else: the page shows it


def begin(receipt: Receipt, *, is_undo: bool) -> None:
    """Opens the dialog."""
    forget(PREVIEW)
    forget(TWIN)
    (_undo if is_undo else _redo)(receipt)


@st.dialog("Take this upload back?", icon=":material/undo:")
def _undo(receipt: Receipt) -> None:
    undo = _previewed(receipt, is_undo=True)
    if undo is None:
        return
    st.markdown(f"Its {count(undo.rows, 'row')} would count for nothing, as if the file had never been loaded:")
    _effects(undo)
    st.caption(
        ":material/info: Later uploads keep their values, and this can be undone. What already left this workspace as "
        "a file cannot be called back."
    )
    if receipt.batch is not None:
        st.caption(f"The traits of this file stay: they are taken back with its batch, {escape(receipt.batch)}.")
    _decide(receipt, "Take it back", "Taken back. Nothing of the upload counts now.", is_undo=True)


@st.dialog("Undo the undo?", icon=":material/redo:")
def _redo(receipt: Receipt) -> None:
    is_again = False
    undo = None if TWIN in st.session_state else _previewed(receipt, is_undo=False)
    if twin := st.session_state.get(TWIN):
        is_again = _both(twin)
        undo = _previewed(receipt, is_undo=False, is_again=True) if is_again else None
    if undo is None:
        return
    st.markdown(f"Its {count(undo.rows, 'row')} would count again, at their old place in the order of uploads:")
    _effects(undo)
    _decide(receipt, "Let it count again", "The upload counts again.", is_undo=False, is_again=is_again)


def _effects(undo: UndoReceipt) -> None:
    with st.container(border=True):
        st.markdown("\n".join(f"- {sentence}" for sentence in told.undo_effects(undo)))


def _previewed(receipt: Receipt, *, is_undo: bool, is_again: bool = False) -> UndoReceipt | None:
    """What would change; None when that cannot be said, which is on the screen then."""
    mark = (receipt.request_id, is_undo, is_again)
    try:
        found: UndoReceipt = remembered(
            PREVIEW, mark, lambda: _run(receipt, is_undo=is_undo, is_again=is_again, is_preview=True)
        )
    except OnrampError as error:
        if error.code in DONE_ALREADY:
            st.rerun()
        if error.code == "already_loaded":
            st.session_state[TWIN] = str(error.facts["request_id"])
        else:
            errors.show(error)
        return None
    return found


def _both(twin: str) -> bool:
    """The same file was loaded since: whether both are to count."""
    st.warning(
        "One of them is enough. Undo that one first, or let both count.",
        title="The same file was loaded since", icon=":material/content_copy:",
    )  # fmt: skip
    if st.button("See that upload", icon=":material/receipt_long:", key="see_twin"):
        open_upload(twin)
    return st.toggle("Let both count", key="both_count")


def _decide(receipt: Receipt, label: str, done: str, *, is_undo: bool, is_again: bool = False) -> None:
    with st.container(horizontal=True):
        is_sure = st.button(label, type="primary", key="confirm_undo")
        if st.button("Leave it as it is", key="leave_it"):
            st.rerun()
    if not is_sure:
        return
    try:
        _run(receipt, is_undo=is_undo, is_again=is_again)
    except OnrampError as error:
        if error.code not in DONE_ALREADY:
            errors.show(error)
            return
    forget(PREVIEW)
    st.session_state["done"] = done
    st.rerun()


def _run(receipt: Receipt, *, is_undo: bool, is_again: bool, is_preview: bool = False) -> UndoReceipt:
    undo, request_id = workspace().undo, str(receipt.request_id)
    with st.spinner("Working out what would change" if is_preview else "Changing the profiles"), at_once(workspace()):
        if is_undo:
            return undo.preview(request_id) if is_preview else undo.undo(request_id)
        redo = undo.preview_redo if is_preview else undo.redo
        return redo(request_id, again=is_again)
