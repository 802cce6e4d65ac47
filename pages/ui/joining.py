"""The card that says who becomes one with whom: figures, warnings, the largest groups."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ingest_core.models import MergeGroup, Receipt
from pages.ui import joins_told
from pages.ui.links import go_next
from pages.ui.state import workspace
from pages.ui.text import count, number

TABLE_HEIGHT = 420  # px; a longer one scrolls


def warn(receipt: Receipt, *, is_dry_run: bool) -> None:
    """What looks dangerous, loudly; it asks for nothing."""
    for said in joins_told.warnings(receipt, is_dry_run=is_dry_run):
        st.warning(said, icon=":material/warning:")


def card(receipt: Receipt, *, is_dry_run: bool) -> None:
    """Nothing where the receipt has no account of it: it failed, or is older than the account."""
    if receipt.identity is None:
        return
    with st.container(border=True, key="identity"):
        st.markdown("#### Who becomes one with whom")
        if joins_told.is_calm(receipt):
            st.markdown(f":green[:material/check_circle:] {joins_told.CALM}")
        names = {attribute.name: attribute.display_name for attribute in workspace().attributes.list()}
        with st.grid(3, min_column_width=230):
            for figure in joins_told.figures(receipt, names, is_dry_run=is_dry_run):
                with st.container(border=True, height="stretch"):
                    st.metric(figure.label, figure.value)
                    st.caption(figure.said)
        if receipt.identity.groups:
            _largest(receipt.identity.largest, receipt.identity.groups, names)


def _largest(groups: Sequence[MergeGroup], of: int, names: dict[str, str]) -> None:
    """A row per profile, those that become one person beside each other."""
    profiles = [(place, group.size, one) for place, group in enumerate(groups, 1) for one in group.profiles]
    label = "The largest groups" if of > len(groups) else "All groups"
    with st.expander(f"{label}: {count(len(profiles), 'profile')}", icon=":material/merge:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "person": [f"Person {place}, {number(size)} profiles" for place, size, _ in profiles],
                    "profile": [one.profile_id for _, _, one in profiles],
                    "identifier": [names.get(one.attribute or "", "Follows the others") for _, _, one in profiles],
                    "value": [one.value or "–" for _, _, one in profiles],
                    "line": ["–" if one.line is None else number(one.line) for _, _, one in profiles],
                }
            ),
            hide_index=True,
            row_height=38,
            height="content" if len(profiles) <= 10 else TABLE_HEIGHT,
            alt="Profiles that become one person, with the identifier by which the file names each",
            column_config={
                "person": st.column_config.TextColumn("Become one person", width="small"),
                "profile": st.column_config.ButtonColumn(
                    "Profile", type="tertiary", alignment="left", key="merging", on_click=_open,
                    args=([one.profile_id for _, _, one in profiles],), help="Opens the profile as it is now.",
                ),
                "identifier": "Named by",
                "value": "Value",
                "line": st.column_config.TextColumn("Line", alignment="right"),
            },
        )  # fmt: skip
        st.caption(
            "Values are masked where they are personal. The line is the first of the file that names the profile."
        )


def _open(profiles: Sequence[str]) -> None:
    go_next("profiles.py", profile=profiles[st.session_state["merging"].row])
