"""The editor of one query: letters of one width, words in colours, saved while one types, Ctrl+Enter runs.

``st.text_area`` cannot tell Ctrl+Enter from leaving the field, and shows SQL in letters of a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_FILES = Path(__file__).with_name("web")
_COMPONENT = st.components.v2.component(
    "onramp_sql_editor",
    html=(_FILES / "sql_editor.html").read_text("utf-8"),
    css=(_FILES / "sql_editor.css").read_text("utf-8"),
    js=(_FILES / "sql_editor.js").read_text("utf-8"),
)


def sql_editor(
    sql: str, stamp: int, *, label: str, key: str, on_change: Callable[[str], None], on_run: Callable[[str], None]
) -> None:
    """Draws the editor. ``stamp``: another one makes it take ``sql`` over, else what is typed there stays."""

    def changed() -> None:
        on_change(str(st.session_state[key].sql or ""))

    def run() -> None:
        wanted = st.session_state[key].run
        if wanted:
            on_run(str(wanted["sql"]))

    _COMPONENT(
        key=key,
        data={"sql": sql, "stamp": stamp, "label": label, "placeholder": "SELECT … (Ctrl+Enter runs it)"},
        on_sql_change=changed,
        on_run_change=run,
    )
