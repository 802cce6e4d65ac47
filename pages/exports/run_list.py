"""All runs of exports, by order and state."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.outbound.runs import DELIVERED, GIVEN_UP, NOTHING, PREPARED
from pages.audience import run_words, runs
from pages.exports.words import called, runs_of
from pages.ui.links import nothing_here
from pages.ui.state import workspace

NEXT = "exports_next"
STATES = (PREPARED, DELIVERED, NOTHING, GIVEN_UP)
"""Those that a run of an export can be in."""


def show_next(order: Order) -> None:
    """The next run of the page opens at the runs of this order: tabs and filters are set before they are drawn."""
    st.session_state[NEXT] = {"tab": "Runs", "runs_of": called(order)}


def follow() -> None:
    """Goes where ``show_next`` wanted to."""
    st.session_state.update(st.session_state.pop(NEXT, {}))


def draw(orders: list[Order]) -> None:
    """Filters in the URL, and the list."""
    if not workspace().outbound.runs.count("export"):
        with nothing_here("outbox", "Nothing was exported yet", "Open an order and export: every run is kept here."):
            pass
        return
    names = runs_of(orders)
    with st.container(horizontal=True, vertical_alignment="center"):
        of = st.selectbox(
            "Order", [called(one) for one in orders], index=None, key="runs_of", bind="query-params",
            placeholder="All orders", label_visibility="collapsed", width=260, on_change=_first_page,
        )  # fmt: skip
        state = st.pills(
            "State", [run_words.STATES[one] for one in STATES], key="runs_state", bind="query-params",
            on_change=_first_page, label_visibility="collapsed",
        )  # fmt: skip
    status = {word: status for status, word in run_words.STATES.items() if status in STATES}.get(state or "")
    chosen = next((str(one.order_id) for one in orders if called(one) == of), None)
    of_it = [chosen, f"{chosen} (before)"] if chosen else None
    runs.history("export", of_it, names=names, status=status)


def _first_page() -> None:
    st.session_state[runs.PAGE_KEY] = 1
