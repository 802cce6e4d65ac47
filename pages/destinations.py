"""Destinations: the named places that files are fetched from or left at, and whether they work."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.catalog.destinations import Destination
from pages.out import place_drawers, places
from pages.ui import badges
from pages.ui.links import nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import ago, count


def table(shown: list[Destination], last: dict[int, str]) -> None:
    """One destination a row; the name opens it."""
    rows = [
        {
            "name": one.name,
            "kind": places.title(one.place),
            "where": places.where(one.place),
            "state": [places.state(one)],
            "tested": ago(one.tested_at) if one.tested_at else "",
            "last": last.get(one.destination_id, ""),
        }
        for one in shown
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, row_height=38, height="content", placeholder="–",
        alt="Destinations with kind, place, state, last test and last delivery",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Destination", width=180, type="tertiary", alignment="left", key="open_destination", on_click=_open,
                args=(shown,), pinned=True, help="Opens the destination: test, edit, remove.",
            ),
            "kind": st.column_config.TextColumn("Kind", width=200),
            "where": st.column_config.TextColumn("Place", width="large"),
            "state": badges.column("State", list(places.STATES), width=130),
            "tested": st.column_config.TextColumn("Tested", width=130),
            "last": st.column_config.TextColumn("Last delivery", width=130),
        },
    )  # fmt: skip


def _open(shown: list[Destination]) -> None:
    place_drawers.open_in_url(shown[st.session_state["open_destination"].row].destination_id)


with title_row("Destinations"):
    is_new = st.button("Add destination", type="primary", icon=":material/add:", shortcut="N", key="add_destination")
st.caption("Named places that files are left at or fetched from. Passwords and keys are kept encrypted, never shown.")
say_done()
every = workspace().destinations.list()
if every:
    sent = {
        one.destination_id: workspace().deliveries.list(destination=one.name, status="delivered", limit=1)
        for one in every
    }
    table(
        every, {number: ago(found[0].finished_at) for number, found in sent.items() if found and found[0].finished_at}
    )
    st.caption(f"{count(len(every), 'destination')}.")
else:
    with nothing_here(
        "move_to_inbox",
        "No destinations yet",
        "Add a folder, a bucket or a server. Deliveries leave files there, schedules fetch files from there.",
    ):
        is_new = st.button("Add the first destination", icon=":material/add:", key="add_first") or is_new
if is_new:
    place_drawers.add()
else:
    place_drawers.drawer()
