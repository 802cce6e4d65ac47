"""Limits: of files, of identifiers, of Explore and of the database."""

from __future__ import annotations

import streamlit as st

from pages.ui.knobs import GB, KIB, MB, MIB, Knob, draw, save_row
from pages.ui.state import workspace
from pages.ui.text import escape

GROUPS: dict[str, tuple[str, str, tuple[Knob, ...]]] = {
    "files": (
        "Files",
        "The most that a file may have. One over a limit is refused as a whole, with the reason; nothing is changed.",
        (
            Knob("browser_limit_bytes", "Sent by the browser (MB)", MB, 10),
            Knob("file_limit_bytes", "From a folder or by command (GB)", GB, 1),
            Knob("unpacked_limit_bytes", "After unpacking (GB)", GB, 1),
            Knob(
                "ratio_limit",
                "Times its packed size",
                step=100,
                help="A file that unpacks to more is refused; counts above 16 MiB.",
            ),
            Knob("line_limit_bytes", "One line (KiB)", KIB, 64),
            Knob("column_limit", "Columns", step=100),
            Knob("inbox_folder", "Folder of the inbox", help="inbox, in the workspace"),
            Knob("upload_seconds", "One pass over a file (seconds)", step=600, help="0: no limit."),
        ),
    ),
    "identity": (
        "Identifiers",
        "What an e-mail address or phone number must be like to name a person. Counts for files loaded from now on; "
        "`rebuild` applies the first to everything that is stored.",
        (
            Knob(
                "shared_limit",
                "Customers of a shared value, more than",
                step=5,
                help="An e-mail or phone that was met with more customers than this names nobody.",
            ),
            Knob("minimum_secondary_length", "Characters, at least"),
        ),
    ),
    "explore": (
        "Explore",
        "The most for the process that runs one person's queries.",
        (
            Knob("explore_seconds", "One query (seconds)", step=10),
            Knob("explore_rows", "Rows of a result", step=1000),
            Knob("explore_result_bytes", "Size of a result (MiB)", MIB, 8),
            Knob("explore_file_rows", "Rows of a file that are looked at", step=50_000),
            Knob("explore_profiles", "Profiles that are looked at, masked", step=10_000),
            Knob("explore_memory_bytes", "Memory of the process (MiB)", MIB, 128),
            Knob("explore_idle_seconds", "Ends when idle for (seconds)", step=60),
            Knob("explore_sessions", "People at once"),
        ),
    ),
    "engine": (
        "Database and memory",
        "Memory, threads and temporary space of the database count from the next start of the app on.",
        (
            Knob("memory_limit", "Memory of the database", help="Such as 2GB"),
            Knob("threads", "Threads of the database"),
            Knob("temp_limit", "Temporary disk space", help="Such as 50GB"),
            Knob("slice_bytes", "Piece of a file worked on at once (MiB)", MIB),
            Knob("reader_memory_bytes", "Memory to read a workbook (MiB)", MIB, 128),
        ),
    ),
}


def draw_tab() -> None:
    """A card for each group."""
    waiting = {row["name"]: row["value"] for row in workspace().configuration.all() if row["is_waiting"]}
    if waiting:
        names = ", ".join(f"{escape(name)} ({escape(value)})" for name, value in waiting.items())
        st.info(f"At the next start of the app: {names}.", icon=":material/restart_alt:")
    for key, (title, about, knobs) in GROUPS.items():
        with st.container(border=True):
            st.markdown(f"#### {title}")
            st.caption(about)
            with st.grid(3, min_column_width=230):
                for knob in knobs:
                    draw(knob)
            save_row(knobs, key=key)
