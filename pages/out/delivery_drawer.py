"""One delivery in a drawer: its way, its file, its columns, another try. ``?delivery=`` opens it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ingest_core.deliveries.order import Delivery
from ingest_core.errors import OnrampError
from pages.out.words import KINDS, column_told, outcome, state_of
from pages.ui import badges, errors
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number, size

PARAMETER = "delivery"


def open_in_url(delivery_id: str) -> None:
    """The drawer of this delivery is open from now on, also after a reload."""
    st.query_params[PARAMETER] = delivery_id


def drawer() -> None:
    """Draws the drawer when the URL names a delivery."""
    if delivery_id := st.query_params.get(PARAMETER):
        _drawer(delivery_id)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("Delivery", position="right", icon=":material/outbox:", width=560, on_dismiss=_close)
def _drawer(delivery_id: str) -> None:
    try:
        found = workspace().deliveries.get(delivery_id)
    except OnrampError as error:
        errors.show(error)
        return
    is_moving = found.status in ("waiting", "running")
    st.fragment(_way, run_every=1 if is_moving else None)(delivery_id)
    _file(found)
    _chosen(found)


def _way(delivery_id: str) -> None:
    """State, error and next move; live while it is on its way."""
    one = workspace().deliveries.get(delivery_id)
    seen = st.session_state.get(f"way_{delivery_id}", one.status)
    st.session_state[f"way_{delivery_id}"] = one.status
    if seen != one.status:
        st.rerun()
    st.markdown(f"### {escape(one.label)}")
    st.markdown(f"{badges.badge(state_of(one))} :gray[{KINDS[one.order.kind]} to {escape(one.order.destination)}]")
    st.caption(f"Ordered by {escape(one.requested_by)}, {when(one.created_at)}", help=ago(one.created_at))
    if said := outcome(one):
        st.markdown(escape(said))
    if one.error:
        hint = "It is tried again by itself." if one.status == "waiting" else one.error.get("hint") or ""
        show = st.warning if one.status == "waiting" else st.error
        show(escape(hint), title=escape(one.error["message"]), icon=":material/error:")
    if one.status == "waiting" and one.due_at and one.attempts:
        st.caption(f"{count(one.attempts, 'attempt')} so far; the next one {when(one.due_at)}.")
    _moves(one)


def _moves(one: Delivery) -> None:
    if one.status not in ("waiting", "failed"):
        return
    with st.container(horizontal=True):
        if one.status == "failed" or one.attempts:
            label = "Try again" if one.status == "failed" else "Try now"
            if st.button(label, type="primary", icon=":material/refresh:", key="retry_delivery"):
                _act(lambda: workspace().deliveries.retry(one.delivery_id))
        if one.status == "waiting" and st.button("Stop", icon=":material/stop_circle:", key="stop_delivery"):
            _act(lambda: workspace().deliveries.cancel(one.delivery_id))


def _act(work: Callable[[], Delivery]) -> None:
    try:
        open_in_url(work().delivery_id)
    except OnrampError as error:
        errors.show(error)
        return
    st.rerun()


def _file(one: Delivery) -> None:
    """Where it is, how large, and what proves that it is whole."""
    if one.file is None:
        return
    arrived = one.finished_at if one.status == "delivered" else None
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{escape(one.file)}**")
        if one.location:
            st.caption(f"{escape(one.location)}{f', {when(arrived)}' if arrived else ''}")
        if one.bytes is not None and one.lines is not None:
            st.caption(f"{size(one.bytes)} ({number(one.bytes)} bytes), {count(one.lines, 'line')} with the header.")
        if one.control_file:
            st.caption(f"Control file: {escape(one.control_file)}")
        st.code(f"MD5     {one.md5}\nSHA-256 {one.sha256}", language=None, wrap_lines=True)


def _chosen(one: Delivery) -> None:
    """What was ordered."""
    order = one.order
    with st.expander("What was ordered", icon=":material/tune:"):
        if order.columns:
            told = [column_told(column.name, column.attribute, column.recipe) for column in order.columns]
            st.markdown("\n".join(f"- {escape(text)}" for text in told))
            scope = "Only what changed since the last delivery" if order.scope == "changed" else "Everything"
            key = f"; a row is known by {order.key}" if order.key else ""
            st.caption(escape(f"{scope}{key}."))
        if order.is_plain and order.reason:
            st.caption(escape(f"Personal data as it is, for the reason: {order.reason}"))
        st.caption(f"Delivery {escape(one.delivery_id)}, {count(one.attempts, 'attempt')}.")
        if one.again_of:
            st.caption(f"It repeats {escape(one.again_of)}, whose file could not be sent any more.")
