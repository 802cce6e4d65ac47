"""Exports: who receives traits and segments of profiles, the segments over traits, every run."""

from __future__ import annotations

import streamlit as st

from pages.audience import runs
from pages.exports import controls, order_drawer, order_list, run_list, segment_drawer, segment_list
from pages.exports.words import runs_of
from pages.ui.links import say_done, title_row
from pages.ui.state import workspace

TABS = ("Orders", "Segments", "Runs")

run_list.follow()
outbound = workspace().outbound
orders = outbound.orders.list()
has_sources = bool(workspace().audience.registered().sources)
with title_row("Exports"):
    if has_sources:
        st.button(
            "New order", type="primary", icon=":material/add:", shortcut="N", key="new_order",
            on_click=order_drawer.open_new,
        )  # fmt: skip
        st.button("New segment", icon=":material/join_inner:", key="new_segment", on_click=segment_drawer.open_new)
st.caption("Who has which traits or is in which segment, told to those who receive it: whole, or what changed.")
say_done()
runs.waiting("export", runs_of(orders))
tabs = dict(zip(TABS, st.tabs(list(TABS), key="tab", bind="query-params", on_change="rerun"), strict=True))
if tabs["Orders"].open:
    with tabs["Orders"]:
        order_list.draw(orders)
        if has_sources:
            controls.draw(orders)
if tabs["Segments"].open:
    with tabs["Segments"]:
        segment_list.draw(orders)
if tabs["Runs"].open:
    with tabs["Runs"]:
        run_list.draw(orders)
if runs.is_open():
    runs.drawer(runs_of(orders))
elif st.query_params.get(segment_drawer.PARAMETER):
    segment_drawer.drawer()
else:
    order_drawer.drawer(orders)
