"""Retention: how long what is kept, and clearing it away now."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui import chores
from pages.ui.knobs import Knob, draw, save_row
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, number, size

KNOBS = (
    Knob("draft_keep_days", "Unfinished ingests (days)", help="Since somebody touched them last; with their files."),
    Knob(
        "reject_keep_days", "Rejected rows (days)", empty="Kept for ever",
        help="Their text, line and reason. The receipt keeps the counts.",
    ),
    Knob(
        "inbox_keep_days", "Files taken out of the inbox (days)", empty="Kept for ever",
        help="They lie beside the inbox, as they came.",
    ),
    Knob(
        "audience_keep_days", "Lines of Audience Manager files (days)", empty="Kept for ever",
        help="Traits stay as they are. Afterwards a batch cannot be undone.",
    ),
    Knob(
        "audience_files_keep_days", "Audience Manager files (days)", empty="Kept for ever",
        help="As they came, refused ones too, encrypted, to be downloaded from their receipt; 0: not at all. Error "
        "samples go with them.",
    ),
    Knob(
        "undone_keep_days", "Uploads that were taken back (days)", empty="Kept for ever",
        help="Their rows in the log. Afterwards an undo cannot be taken back.",
    ),
)  # fmt: skip
WORDS = {
    "drafts": ("unfinished ingest", None),
    "uploads": ("upload that was taken back", "uploads that were taken back"),
    "log_rows": ("row of the log", "rows of the log"),
    "rejected_rows": ("rejected row", None),
    "audience_rows": ("line of Audience Manager files", "lines of Audience Manager files"),
    "audience_samples": ("sampled line of Audience Manager files", "sampled lines of Audience Manager files"),
    "audience_files": ("file of Audience Manager as it came", "files of Audience Manager as they came"),
    "inbox_files": ("file taken out of the inbox", "files taken out of the inbox"),
    "received_files": ("received file", None),
    "values": ("personal value that nothing holds", "personal values that nothing holds"),
}
CHORE = "clean up"


def draw_tab() -> None:
    """The settings, then what they mean today."""
    with st.container(border=True):
        st.markdown("#### How long is what kept?")
        st.caption("Older things are removed by a clean-up, here or by `maintain`; never by themselves.")
        with st.grid(2, min_column_width=230):
            for knob in KNOBS:
                draw(knob)
        save_row(KNOBS, key="retention")
    with st.container(border=True):
        _clean_up()


def _clean_up() -> None:
    maintenance = workspace().operations.maintenance
    due, last = maintenance.due(), maintenance.last()
    st.markdown("#### A clean-up now would remove")
    with st.grid(4, min_column_width=150):
        for name, label in (
            ("drafts", "Unfinished ingests"), ("rejected_rows", "Rejected rows"),
            ("uploads", "Uploads taken back"), ("log_rows", "Rows of the log"),
            ("inbox_files", "Inbox files"), ("audience_rows", "Audience lines"),
            ("audience_samples", "Sampled lines"), ("audience_files", "Audience files"),
        ):  # fmt: skip
            st.metric(label, number(due[name]), border=True)
    st.caption(
        "Also personal data that no row holds any more, counted when it runs. Then the database file is rewritten, so "
        "that what was removed is in no byte of it."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        is_off = chores.is_busy()
        if st.button("Clean up now", icon=":material/mop:", key="clean_up", disabled=is_off):
            confirm(due)
        text = f"Last clean-up {ago(last)}." if last else "No clean-up yet."
        st.caption(text, help=when(last) if last else None, width="content")
    chores.outcome(CHORE, said)


@st.dialog("Clean up now?", icon=":material/mop:")
def confirm(due: dict[str, int]) -> None:
    """What goes for good, before it goes."""
    file = workspace().engine.path.stat().st_size
    going = sentence(due)
    st.markdown(f"This removes {going} for good." if going else "Nothing is old enough to be removed.")
    st.markdown(
        f"- The database file ({size(file)}) is rewritten. It needs as much free space again.\n"
        "- Other pages wait for that moment; an upload that is running ends first.\n"
        "- Backups made before still hold what was removed."
    )
    if st.button("Clean up", type="primary", key="confirm_clean_up"):
        maintain = workspace().operations.maintain
        chores.start(CHORE, lambda progress: maintain(progress=progress))


def sentence(removed: dict[str, int]) -> str:
    """Counts in words, without the zeros."""
    parts = [count(number_, *WORDS[name]) for name, number_ in removed.items() if number_]
    return ", ".join(parts[:-1]) + (" and " if parts[:-1] else "") + parts[-1] if parts else ""


def said(result: dict[str, Any]) -> str:
    """How a clean-up ended."""
    freed = result["bytes_before"] - result["bytes_after"]
    space = f" The folder is {size(freed)} smaller." if freed > 0 else ""
    going = sentence(result["removed"])
    return f"Removed {going}.{space}" if going else f"Nothing was old enough to be removed.{space}"
