"""People of a segment or of a rule in a table, masked; the id opens the profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.links import go_next
from pages.ui.state import workspace


def people_table(people: Sequence[dict[str, Any]], *, key: str, alt: str, first: Sequence[str] = ()) -> None:
    """One row a person, a column for each attribute that one of them has; those named ``first`` stand in front."""
    had = {name for person in people for name in person["attributes"]}
    attributes = [attribute for attribute in workspace().attributes.list() if attribute.name in had]
    attributes.sort(key=lambda one: one.name not in first)
    rows = [
        {
            "person": person["profile_id"],
            **{one.column: person["attributes"].get(one.name) for one in attributes},
        }
        for person in people
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["person", *(one.column for one in attributes)]),
        hide_index=True,
        row_height=38,
        placeholder="",
        height="content" if len(people) <= 12 else 500,
        alt=alt,
        column_config={
            "person": st.column_config.ButtonColumn(
                "Profile", type="tertiary", alignment="left", key=key, on_click=_open, args=(key, people), pinned=True,
                help="The upload and line a person was first seen in. Opens the profile.",
            ),
            **{one.column: st.column_config.TextColumn(one.display_name) for one in attributes},
        },
    )  # fmt: skip


def _open(key: str, people: Sequence[dict[str, Any]]) -> None:
    go_next("profiles.py", profile=people[st.session_state[key].row]["profile_id"])
