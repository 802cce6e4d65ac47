"""What is wrong with a build, said at the field where it is put right."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.build_check import BuildCheck
from pages.ui.text import escape

ELSEWHERE = {"name": "name", "who": "people", "id": "id", "dpid": "data source", "target": "traits", "mode": "mode",
             "packing": "packing", "place": "place", "partner": "partner folder", "split_bytes": "part size",
             "look": "second look", "items": "items", "others": "other ids"}  # fmt: skip


def told(check: BuildCheck, *fields: str) -> None:
    """The problems of some fields, below them: red keeps it from being saved, orange is worth a look."""
    for one in check.at(*fields):
        icon, colour = ("error", "red") if one.is_error else ("info", "orange")
        if one.code in ("bad_build", "bad_name") and one.is_error:
            icon, colour = "edit", "orange"
        st.caption(f":{colour}[:material/{icon}: {escape(one.message)}]")


def first(check: BuildCheck) -> str | None:
    """Why it cannot be saved yet, in a few words."""
    wrong = list(
        dict.fromkeys(ELSEWHERE.get(one.field.partition(".")[0], "") for one in check.problems if one.is_error)
    )
    return f"Look at: {', '.join(wrong)}." if wrong else None
