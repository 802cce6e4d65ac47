"""People in a table: identifiers first, then what is filled most; the id opens the profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.models import Attribute
from pages.ui import person

MOST_COLUMNS = 9
PROFILE_ID = "profile_id"  # what a match was found by when it was no attribute


def people_table(people: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute], *, key: str) -> None:
    """Profiles with masked values; of matches what they were found by, else their sources and since when."""
    shown = columns(people, attributes)
    is_found = "by" in people[0]
    rows = [
        {
            "person": one["profile_id"],
            **({"by": _by(one, attributes)} if is_found else {}),
            **{attribute.column: one["attributes"].get(attribute.name) for attribute in shown},
            **({} if is_found else {"sources": one["sources"], "since": pd.to_datetime(one["since"], utc=True)}),
        }
        for one in people
    ]
    names = sorted({name for one in people for name in one.get("sources", [])})
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        row_height=38,
        placeholder="–",
        height="content" if len(people) <= 12 else 560,
        alt="Profiles with their identifiers and values, personal data masked",
        column_config={
            "person": st.column_config.ButtonColumn(
                "Profile", type="tertiary", alignment="left", key=key, on_click=_open, args=(key, people), pinned=True,
                help="The upload and line a person was first seen in. Opens the profile.",
            ),
            "by": "Found by",
            **{attribute.column: attribute.display_name for attribute in shown},
            "sources": st.column_config.MultiselectColumn("Sources", options=names, color="#dbe4ff"),
            "since": st.column_config.DatetimeColumn(
                "Known since", format="D MMM YYYY, HH:mm", timezone=st.context.timezone
            ),
        },
    )  # fmt: skip


def columns(people: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute]) -> list[Attribute]:
    """The attributes worth a column: identifiers that somebody has, then the others, the most filled first."""
    filled = Counter(name for one in people for name in one["attributes"] if name in attributes)
    named = [attributes[name] for name in filled]
    named.sort(key=lambda a: (a.identifier is None, a.identifier != "primary", -filled[a.name] * (not a.identifier)))
    return named[:MOST_COLUMNS]


def _by(one: dict[str, Any], attributes: Mapping[str, Attribute]) -> str:
    return ", ".join("Profile id" if name == PROFILE_ID else attributes[name].display_name for name in one["by"])


def _open(key: str, people: Sequence[dict[str, Any]]) -> None:
    person.open_in_url(people[st.session_state[key].row]["profile_id"])
