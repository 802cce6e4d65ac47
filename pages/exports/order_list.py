"""Orders, one a row: what each tells whom, and how its last run went."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.outbound.runs import Run
from ingest_core.models import Source
from pages.audience import run_words
from pages.exports import order_drawer, words
from pages.ui import badges
from pages.ui.links import nothing_here
from pages.ui.state import workspace
from pages.ui.text import count


def draw(orders: list[Order]) -> None:
    """The table, or how to begin."""
    outbound, sources = workspace().outbound, workspace().audience.registered().sources
    if not orders:
        how = "An order says who receives which segments or traits, by whose ids, in which form and where."
        with nothing_here("outbox", "No orders yet", how):
            if sources:
                st.button("Create an order", icon=":material/add:", key="first_order", on_click=order_drawer.open_new)
            else:
                st.page_link("sources.py", label="Create a data source first", icon=":material/database:")
        return
    under_way = {one.definition for one in outbound.errands.list("export") if one.state != "failed"}
    last = outbound.runs.latest("export")
    rows = [_row(order, last.get(str(order.order_id)), under_way, sources) for order in orders]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, row_height=38, placeholder="–",
        height="content" if len(rows) <= 15 else 620,
        column_order=["name", "id", "state", "at", "rows", "what", "to", "master", "mode"],
        alt="Orders with what they tell, by whose ids, where to, and their last run",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Order", width=190, type="tertiary", alignment="left", key="open_order", on_click=_open,
                args=([order.order_id for order in orders],), pinned=True,
                help="Opens the order: export, preview, change, remove.",
            ),
            "id": st.column_config.TextColumn("Id", width=60, alignment="right"),
            "state": badges.column("Last run", [*run_words.STATES.values(), words.NEVER, words.UNDER_WAY], width=120),
            "at": st.column_config.DatetimeColumn("When", format="distance", width=120),
            "mode": st.column_config.TextColumn("Mode", width=120),
            "rows": st.column_config.NumberColumn("Rows", format="localized", width=80),
            "what": st.column_config.TextColumn("Tells", width=110),
            "master": st.column_config.TextColumn("By ids of", width=190),
            "to": st.column_config.TextColumn("To", width=210),
        },
    )  # fmt: skip
    st.caption(f"{count(len(orders), 'order')}.")


def _row(order: Order, last: Run | None, under_way: set[str], sources: Mapping[int, Source]) -> dict[str, object]:
    state = words.NEVER if last is None else run_words.state(last)
    return {
        "name": order.name,
        "id": str(order.order_id),
        "state": [words.UNDER_WAY if str(order.order_id) in under_way else state],
        "at": pd.to_datetime(last.delivered_at or last.created_at, utc=True) if last else pd.NaT,
        "mode": run_words.MODES.get(last.mode, last.mode) if last else None,
        "rows": run_words.rows(last) if last else None,
        "what": words.items(order) or "Ids",
        "master": words.data_source(order.master, sources),
        "to": words.place(order),
    }


def _open(ids: list[int]) -> None:
    order_drawer.open_in_url(ids[st.session_state["open_order"].row])
