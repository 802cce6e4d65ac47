"""Export controls: data of a source goes to no order that has one of these labels."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once


def draw(orders: list[Order]) -> None:
    """One line a data source, with its labels and whom they keep it from."""
    sources = workspace().audience.registered().sources
    held: dict[int, list[str]] = {}
    for one in workspace().outbound.orders.controls():
        held.setdefault(one["dpid"], []).append(one["label"])
    known = sorted({label for labels in held.values() for label in labels} | {x for one in orders for x in one.labels})
    with st.expander(f"Export controls ({len(held)})", icon=":material/block:", key="export_controls"):
        st.caption("Traits of a data source go to no order that has one of its labels, alone or inside a segment.")
        for dpid, source in sorted(sources.items(), key=lambda one: one[1].name.casefold()):
            labels = held.get(dpid, [])
            chosen = st.multiselect(
                f"{escape(source.name)} ({dpid})", known, default=labels, accept_new_options=True,
                key=f"control_{dpid}_{'|'.join(labels)}", placeholder="No label: goes everywhere",
            )  # fmt: skip
            if kept := [one.name for one in orders if set(one.labels) & set(labels)]:
                st.caption(f":orange[:material/block:] Kept from {escape(', '.join(kept))}.")
            if set(chosen) != set(labels) and st.button(
                f"Save {count(len(chosen), 'label')}", type="primary", key=f"save_control_{dpid}"
            ):
                _save(dpid, chosen)
        if not sources:
            st.caption("There is no data source yet.")


def _save(dpid: int, labels: list[str]) -> None:
    try:
        with at_once(workspace()):
            workspace().outbound.orders.set_controls(dpid, tuple(labels))
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state["done"] = "Export controls saved. They count from the next run on"
    st.rerun()
