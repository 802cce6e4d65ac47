"""The inbox beside the drop zone: files that wait in a folder, each with a button that takes it."""

from __future__ import annotations

from typing import Protocol

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.jobs.inbox import Inbox, InboxFile
from pages.ui import errors
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number, size
from pages.ui.waiting import Waiting

PAGE = 6


class TakesFiles(Protocol):
    """Where a file goes that was picked."""

    def take_file(self, landing_id: str, name: str, size: int, sha256: str = "") -> None:
        """It lies in the landing zone."""


LOOK_EVERY = 3  # seconds


def draw(draft: TakesFiles, *, several: bool = False) -> bool:
    """Lists what waits; True when a file was taken in this run. ``several``: all at once may be, and folders opened."""
    inbox = workspace().inbox
    with st.container(border=True, gap="small", key="inbox"):
        st.markdown("#### :material/inbox: Pick from the inbox")
        try:
            inside = _chosen_folder(inbox) if several else ""
            inbox = inbox.inside(inside) if inside else inbox
            files, folder = inbox.waiting(), inbox.folder()
        except OnrampError as error:
            errors.show(error)
            return False
        limit = size(workspace().settings.file_limit_bytes)
        st.caption(f"For large files, and for files that other programs export: up to {limit}. The folder is")
        st.code(str(folder), language=None, wrap_lines=True)
        if not files:
            st.caption("No file waits there. One that is put there appears here by itself.")
        pages = -(-len(files) // PAGE)
        rows = st.container(gap="small")
        page = st.pagination(pages, key="inbox_page") if pages > 1 else 1
        with rows:
            taken = [file for file in files[(page - 1) * PAGE : page * PAGE] if _row(file)]
        if files:
            st.caption(
                f"{count(len(files), 'file waits', 'files wait')}. The original of one that is taken moves to the "
                f"folder done beside them{_how_long()}."
            )
        whole = [file for file in files if not file.is_growing] if several else []
        if len(whole) > 1 and st.button(f"Take all {number(len(whole))} files", icon=":material/done_all:"):
            taken = whole
        _watch(inside, [(file.file_id, file.size, file.is_growing) for file in files])
        return sum(_take(inbox, draft, file) for file in taken) > 0


def _chosen_folder(inbox: Inbox) -> str:
    """The folder in the inbox that was opened, empty: the inbox itself."""
    folders = inbox.folders()
    if not folders:
        return ""
    chosen = st.selectbox(
        "Folder", folders, index=None, placeholder="The inbox itself", key="inbox_folder", bind="query-params"
    )
    return chosen or ""


def _row(file: InboxFile) -> bool:
    row = st.container(horizontal=True, vertical_alignment="center", key=f"waits_{file.file_id}")
    told = ":orange[still being written]" if file.is_growing else f"written {ago(file.modified_at)}"
    row.markdown(
        f":material/draft: **{escape(file.name)}** :gray[{size(file.size)}, {told}]",
        width="stretch", help=when(file.modified_at),
    )  # fmt: skip
    return row.button("Take this file", key=f"take_{file.file_id}", disabled=file.is_growing)


def _take(inbox: Inbox, draft: TakesFiles, file: InboxFile) -> bool:
    """Into the landing zone, then into the draft, then out of the inbox: killed in between, nothing is lost."""
    try:
        with Waiting("Taking the file") as progress:
            taken = inbox.take(file.file_id, progress)
            try:
                draft.take_file(taken.landing_id, taken.name, taken.size, taken.sha256)
            except OnrampError:
                workspace().landing.delete(taken.landing_id)
                raise
            inbox.put_away(file.file_id)
    except OnrampError as error:
        errors.show(error)
        return False
    return True


def _how_long() -> str:
    days = workspace().settings.inbox_keep_days
    return "" if days is None else f" and is deleted there after {count(days, 'day')}"


@st.fragment(run_every=LOOK_EVERY)
def _watch(folder: str, shown: list[tuple[str, int, bool]]) -> None:
    """Draws nothing; looks into the folder and draws the page again when something came, went or ended."""
    try:
        inbox = workspace().inbox.inside(folder) if folder else workspace().inbox
    except OnrampError:  # the folder was moved away
        st.rerun()
    if [(file.file_id, file.size, file.is_growing) for file in inbox.waiting()] != shown:
        st.rerun()
