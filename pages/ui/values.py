"""The values of one customer: where each comes from, and what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.models import Attribute
from pages.ui.links import go_next, upload_link
from pages.ui.state import when
from pages.ui.text import ago, count, escape, number

HISTORY = "history"  # URL parameter: the attribute whose history is shown in the place of the values
OPEN = "open_value"
EFFECTS = {
    "set": ("blue", "edit", "Set"),
    "combined": ("blue", "functions", "Combined from several lines"),
    "kept out": ("gray", "block", "Not taken: the stored value stays"),
    "cleared": ("orange", "ink_eraser", "Cleared"),
    "does not fit": ("orange", "warning", "Does not fit the type of today"),
}


def table(found: dict[str, Any], attributes: Mapping[str, Attribute]) -> None:
    """A row per value with file, line and time; buttons open its upload and its history."""
    values: dict[str, dict[str, Any]] = found["attributes"]
    rows = [
        {
            "attribute": attributes[name].display_name,
            "value": shown["value"],
            "file": shown["file"],
            "line": _line(shown),
            "at": pd.to_datetime(shown["at"], utc=True) if shown["at"] else pd.NaT,
            "upload": shown["request_id"],
            "history": ":material/history: History",
        }
        for name, shown in values.items()
    ]
    moment = st.column_config.DatetimeColumn("When", format="D MMM YYYY, HH:mm", timezone=st.context.timezone)
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=38,
        height="content",
        placeholder="–",
        alt="Values of the profile with the file, line and time they come from",
        column_config={
            "attribute": st.column_config.TextColumn("Attribute", pinned=True),
            "value": "Value",
            "file": "File",
            "line": st.column_config.TextColumn("Line", alignment="right"),
            "at": moment,
            "upload": st.column_config.ButtonColumn(
                "Upload", type="tertiary", alignment="left", key=OPEN, on_click=_open_upload,
                args=([shown["request_id"] for shown in values.values()],),
            ),
            "history": st.column_config.ButtonColumn(
                "", type="tertiary", key=f"{OPEN}_history", on_click=_open_history, args=(list(values),)
            ),
        },
    )  # fmt: skip


def history(attribute: Attribute, entries: Sequence[dict[str, Any]]) -> None:
    """What every upload said about one attribute of one person, newest first."""
    st.button("All values", icon=":material/arrow_back:", key="all_values", type="tertiary", on_click=_close_history)
    st.markdown(f"##### History of {escape(attribute.display_name)}")
    for i, entry in enumerate(entries):
        with st.container(border=True, gap="xsmall", key=f"entry_{i}"):
            _entry(entry)
    if entries:
        st.caption(f"{count(len(entries), 'upload')} said something about it, newest first. Undone ones are left out.")
    else:
        st.caption("No upload that counts now has said anything about it.")


def _entry(entry: dict[str, Any]) -> None:
    colour, icon, word = EFFECTS[entry["effect"]]
    value = escape(entry["value"]) if entry["value"] is not None else ":gray[no value]"
    current = " :green-badge[:material/check: Today's value]" if entry["is_current"] else ""
    st.markdown(f"**{value}**{current}")
    st.markdown(f":{colour}-badge[:material/{icon}: {word}] :gray[{ago(entry['at'])}]", help=when(entry["at"]))
    st.caption(f"{escape(entry['source'])}, {escape(entry['file'])}, {_line_in_words(entry)}")
    upload_link(entry["request_id"])


def _line(shown: dict[str, Any]) -> str | None:
    """402, or of a sum: 12 lines."""
    if shown["line"] is None:
        return None
    return number(shown["line"]) if shown["lines"] == 1 else count(shown["lines"], "line")


def _line_in_words(entry: dict[str, Any]) -> str:
    if entry["lines"] == 1:
        return f"line {number(entry['line'])}"
    return f"{count(entry['lines'], 'line')}, the last one is {number(entry['line'])}"


def _open_upload(uploads: list[str]) -> None:
    go_next("upload.py", upload=uploads[st.session_state[OPEN].row])


def _open_history(names: list[str]) -> None:
    st.query_params[HISTORY] = names[st.session_state[f"{OPEN}_history"].row]


def _close_history() -> None:
    st.query_params.pop(HISTORY, None)
