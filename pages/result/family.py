"""Uploads of corrected rows and the upload they were rejected by: each names the other, with the way to it."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Receipt
from pages.ui import badges, told
from pages.ui.links import upload_link
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape

SHOWN = 5


def links(receipt: Receipt) -> None:
    """One line for the batch it came with, one for the parent, and one for each child."""
    if receipt.batch is not None:
        _batch(receipt.batch)
    if receipt.parent is not None:
        parent = workspace().history.get(receipt.parent)
        _line(f":material/healing: **Corrected rows** that were rejected from {escape(parent.file)}", receipt.parent)
    if not receipt.children:
        return
    children = workspace().history.children(str(receipt.request_id))[::-1]
    for child in children[:SHOWN]:
        _line(_said(child), str(child.request_id))
    if len(children) > SHOWN:
        st.caption(f"{count(len(children) - SHOWN, 'more upload')} of corrected rows stand in the upload history.")


def _batch(request_id: str) -> None:
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="its_batch"
    ):
        st.markdown(
            ":material/join_inner: **Signals of an Audience Manager file.** :gray[Its traits have a receipt of their "
            "own, and are undone there.]", width="stretch",
        )  # fmt: skip
        st.page_link(
            "am_receipt.py", label=f"Receipt {request_id}", icon=":material/receipt_long:",
            query_params={"receipt": request_id},
        )  # fmt: skip


def _line(words: str, request_id: str) -> None:
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute",
        key=f"kin_{request_id}",
    ):  # fmt: skip
        st.markdown(words, width="stretch")
        upload_link(request_id)


def _said(child: Receipt) -> str:
    """12 rows were fixed and loaded; what else became of them."""
    who = escape(child.uploaded_by)
    if child.status in ("Scheduled", "In Progress"):
        return f"{badges.badge(child.status)} **Fixed rows are being loaded** :gray[{who}]"
    when = f" :gray[{who}, {ago(child.finished_at)}]" if child.finished_at else ""
    if child.status == "Failed":
        word = "Cancelled" if "Cancelled" in child.badges else "Failed"
        return f"{badges.badge(word)} **Fixed rows were not loaded**{when}"
    rows = told.accepted(child)
    fixed = f"{count(rows, 'row was', 'rows were')} fixed and loaded"
    again = f", {count(child.rejected, 'row was', 'rows were')} rejected again" if child.rejected else ""
    if child.undone_at is not None:
        return f"{badges.badge('Undone')} **{fixed}**, and undone since{when}"
    return f":green[:material/healing:] **{fixed}**{again}{when}"
