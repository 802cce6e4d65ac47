"""What is to be sent, and where to."""

from __future__ import annotations

import streamlit as st

from ingest_core.deliveries.order import Kind
from ingest_core.models import Receipt
from pages.out.words import KINDS
from pages.ui.links import go_next
from pages.ui.state import when, workspace

MOST_UPLOADS = 200
PARAMETER = "upload"
OFFERED: tuple[Kind, ...] = ("segment", "upload", "rejects")


def what() -> tuple[Kind | None, str | None]:
    """(kind, segment name or Request ID); None while nothing is chosen."""
    with st.container(border=True):
        st.markdown("#### What")
        kind = st.segmented_control(
            "What", OFFERED, format_func=KINDS.__getitem__, default="segment", required=True, key="what",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        return kind, _segment() if kind == "segment" else _upload(is_rejects=kind == "rejects")


def where(destinations: list[str]) -> str:
    """The name of a destination."""
    with st.container(border=True):
        st.markdown("#### Where to")
        first = 0 if len(destinations) == 1 else None
        chosen = st.selectbox(
            "Destination", destinations, index=first, key="destination", bind="query-params",
            placeholder="Choose a destination", label_visibility="collapsed",
        )  # fmt: skip
        st.page_link("destinations.py", label="Destinations", icon=":material/move_to_inbox:")
    return chosen or ""


def _segment() -> str | None:
    names = workspace().segments.names()
    if not names:
        st.caption("There are no segments yet.")
        return None
    return st.selectbox(
        "Segment", names, index=None, key="segment_name", bind="query-params", placeholder="Choose a segment",
        label_visibility="collapsed",
    )  # fmt: skip


def _upload(*, is_rejects: bool) -> str | None:
    found = {
        str(one.request_id): one
        for one in workspace().history.list(status=None if is_rejects else "Completed", limit=MOST_UPLOADS)
        if (one.rejected if is_rejects else one.undone_at is None and one.stored)
    }
    asked = st.query_params.get(PARAMETER)
    if asked and asked not in found:
        found[asked] = workspace().history.get(asked)
    if not found:
        st.caption("No upload has any." if is_rejects else "Nothing was uploaded yet.")
        return None
    if asked and "upload_chosen" not in st.session_state:
        st.session_state["upload_chosen"] = asked
    return st.selectbox(  # not bound: its label would be the address, and that is the name of a file
        "Upload", list(found), index=None, key="upload_chosen", placeholder="Choose an upload",
        format_func=lambda one: _told(found[one]), label_visibility="collapsed", on_change=_to_url,
    )  # fmt: skip


def _to_url() -> None:
    chosen = st.session_state["upload_chosen"]
    if chosen:
        st.query_params[PARAMETER] = chosen
    else:
        st.query_params.pop(PARAMETER, None)


def _told(receipt: Receipt) -> str:
    at = receipt.finished_at or receipt.created_at
    return f"{receipt.file}, {receipt.source}, {when(at) if at else ''}"


def send_upload(receipt: Receipt) -> None:
    """To the page that sends an upload."""
    kind = "upload" if receipt.stored and receipt.undone_at is None else "rejects"
    go_next("deliver.py", what=KINDS[kind], upload=str(receipt.request_id))


def send_segment(name: str) -> None:
    """To the page that sends a segment."""
    go_next("deliver.py", segment_name=name)
