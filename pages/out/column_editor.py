"""The columns of a file: which attributes, how each is written, what it is called. Kept in the URL as the command line
has them.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.deliveries.columns import default_columns, preset_columns, read_column
from ingest_core.deliveries.deliveries import Offer
from ingest_core.deliveries.order import PROFILE_ID, Column
from ingest_core.deliveries.recipes import PRESETS, RECIPES
from ingest_core.errors import OnrampError
from pages.out.words import LEFT_OUT
from pages.ui.text import count

PARAMETER = "columns"
OWN = "own"
START = {OWN: "All, hashed", **{name: preset.title for name, preset in PRESETS.items()}}
TITLES = {recipe.title: name for name, recipe in RECIPES.items()}


def columns(kind: str, given: str, offer: Offer) -> tuple[Column, ...]:
    """Draws the editor; returns the columns that are chosen, in their order."""
    with st.container(border=True):
        st.markdown("#### Columns")
        people = "" if offer.people is None else f"{count(offer.people, 'person', 'people')}. "
        st.caption(f"{people}Personal data is hashed or left out, unless you choose *As it is*.")
        start = st.pills(
            "Begin with", list(START), format_func=START.__getitem__, default=OWN, required=True, key="begin_with",
            bind="query-params",
        )  # fmt: skip
        rows = _rows(kind, given, start, offer)
        edited = _editor(rows, key=f"columns_{kind}_{given}_{start}")
    chosen = _chosen(edited)
    _keep(chosen, _start(start, offer))
    return chosen


def _start(start: str, offer: Offer) -> tuple[Column, ...]:
    if start == OWN:
        return default_columns(offer.attributes)
    return preset_columns(start, {one.name: one for one in offer.attributes})


def _rows(kind: str, given: str, start: str, offer: Offer) -> pd.DataFrame:
    """The same rows from run to run, so that edits hold; the first time as the URL says."""
    mark, key = (kind, given, start), "columns_base"
    held = st.session_state.get(key)
    if held is None or held[0] != mark:
        begun = _from_url() if held is None else None
        if held is not None:
            st.query_params.pop(PARAMETER, None)
        st.session_state[key] = held = (mark, _table(begun or _start(start, offer), offer))
    rows: pd.DataFrame = held[1]
    return rows


def _from_url() -> tuple[Column, ...] | None:
    text = st.query_params.get(PARAMETER)
    try:
        return tuple(read_column(part) for part in text.split(",")) if text else None
    except OnrampError:
        return None  # a spoilt address begins anew


def _table(begun: tuple[Column, ...], offer: Offer) -> pd.DataFrame:
    """Chosen columns first, then every other attribute, left out."""
    shown = {PROFILE_ID: "Profile id", **{one.name: one.display_name for one in offer.attributes}}
    used = [one for one in begun if one.attribute in shown]
    rest = [name for name in shown if name not in {one.attribute for one in used}]
    rows: list[dict[str, Any]] = [
        {"attribute": one.attribute, "shown": shown[one.attribute], "recipe": _title(one.recipe), "name": one.name}
        for one in used
    ]
    rows += [{"attribute": name, "shown": shown[name], "recipe": LEFT_OUT, "name": name} for name in rest]
    return pd.DataFrame(rows, columns=["attribute", "shown", "recipe", "name"])


def _title(recipe: str) -> str:
    return RECIPES[recipe].title if recipe in RECIPES else RECIPES["plain"].title


def _editor(rows: pd.DataFrame, *, key: str) -> pd.DataFrame:
    return st.data_editor(
        rows, key=key, hide_index=True, row_height=38, height="content", width="stretch",
        alt="Attributes, how each is written, and its column's name in the file",
        column_order=["shown", "recipe", "name"], disabled=["shown"],
        column_config={
            "shown": st.column_config.TextColumn("Attribute", width=150),
            "recipe": st.column_config.SelectboxColumn(
                "Written as", options=[LEFT_OUT, *TITLES], required=True, width=220
            ),
            "name": st.column_config.TextColumn("Name in the file", required=True, max_chars=120, width=170),
        },
    )  # fmt: skip


def _chosen(edited: pd.DataFrame) -> tuple[Column, ...]:
    return tuple(
        Column(name=str(row["name"] or row["attribute"]), attribute=row["attribute"], recipe=TITLES[row["recipe"]])
        for row in edited.to_dict("records")
        if row["recipe"] != LEFT_OUT
    )


def _keep(chosen: tuple[Column, ...], begun: tuple[Column, ...]) -> None:
    """Only what differs from the beginning is in the address; a comma or an equals sign in a name would spoil it."""
    text = ",".join(f"{one.attribute}:{one.recipe}={one.name}" for one in chosen)
    is_fit = not any(set(",=:") & set(one.name) for one in chosen)
    if chosen and chosen != begun and is_fit:
        st.query_params[PARAMETER] = text
    else:
        st.query_params.pop(PARAMETER, None)
