"""One order in a drawer: exported, previewed, changed, removed; or a new one. ``?order=`` opens it."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.outbound.runs import PREPARED, Run
from pages.audience import run_drawer, run_words
from pages.exports import order_form, previewing, run_list, under_way, words
from pages.exports.doing import done
from pages.ui import badges
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape

PARAMETER = "order"
NEW = "new"


def open_in_url(order_id: int) -> None:
    """The drawer of this order is open from now on, also after a reload."""
    st.query_params[PARAMETER] = str(order_id)


def open_new() -> None:
    """The drawer of a new order."""
    st.query_params[PARAMETER] = NEW


def drawer(orders: list[Order]) -> None:
    """Draws the drawer when the URL names an order, or a new one."""
    wanted = st.query_params.get(PARAMETER)
    if wanted == NEW:
        _new()
    elif found := next((one for one in orders if str(one.order_id) == wanted), None):
        _drawer(found)
    elif wanted:
        st.query_params.pop(PARAMETER, None)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("New order", position="right", icon=":material/add:", width=600, on_dismiss=_close)
def _new() -> None:
    order, is_fine = order_form.draw(NEW, None)
    if st.button("Create the order", type="primary", key="create_order", disabled=not is_fine) and order is not None:
        made: list[Order] = []
        if done(lambda: made.append(workspace().outbound.orders.add(order))):
            open_in_url(order.order_id)
            st.session_state["done"] = f"{escape(order.name)} created. Nothing is sent until you export"
            st.rerun()


@st.dialog("Order", position="right", icon=":material/outbox:", width=600, on_dismiss=_close)
def _drawer(order: Order) -> None:
    last = workspace().outbound.runs.latest("export").get(str(order.order_id))
    _head(order, last)
    is_busy = under_way.draw(order.order_id)
    _export(order, last, is_busy=is_busy)
    _left_out(order)
    with st.expander("What the next run would tell", icon=":material/preview:", key="preview_order"):
        previewing.draw(order)
    with st.expander("Change", icon=":material/edit:", key="change_order"):
        _change(order)
    with st.expander("Remove", icon=":material/delete:", key="remove_order"):
        _remove(order)


def _head(order: Order, last: Run | None) -> None:
    sources = workspace().audience.registered().sources
    st.markdown(f"### {escape(order.name)}")
    what = words.items(order) or "Ids"
    state = badges.badge(words.NEVER if last is None else run_words.state(last))
    st.markdown(
        f"{state} :gray[Order {order.order_id}: {escape(what.lower())} by ids of "
        f"{escape(words.data_source(order.master, sources))}, to {escape(words.place(order))}]"
    )
    if last is not None:
        moment = last.delivered_at or last.created_at
        said = f"{run_words.MODES.get(last.mode, last.mode)}, {when(moment)}. {run_words.outcome(last)}"
        st.caption(escape(said), help=ago(moment))
        if st.button("See its runs", type="tertiary", icon=":material/history:", key="its_runs"):
            _close()
            run_list.show_next(order)
            st.rerun()


def _export(order: Order, last: Run | None, *, is_busy: bool) -> None:
    """What stands in the way, and the two buttons."""
    if last is not None and last.status == PREPARED:
        st.warning(
            "Nobody knows what of it arrived. The same files are sent to their end before anything new.",
            title="The last run did not arrive", icon=":material/pending:",
        )  # fmt: skip
        if st.button("Look at it", icon=":material/outbox:", key="look_at_run"):
            _close()
            run_drawer.open_in_url(last.run_id)
            st.rerun()
    needs_full = workspace().outbound.exports.needs_full(order)
    if needs_full:
        st.warning(
            "A run was given up, so nobody knows what the receiver has. Export everything once.",
            title="The next run has to tell everything", icon=":material/info:",
        )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Export what changed", type="secondary" if needs_full else "primary", icon=":material/send:",
            key="export_iter", disabled=is_busy or needs_full, on_click=under_way.ask, args=(order.order_id, "iter"),
            help="What was added and removed since the last run that arrived. The first one is whole.",
        )  # fmt: skip
        st.button(
            "Export everything", type="primary" if needs_full else "secondary", icon=":material/sync:",
            key="export_full", disabled=is_busy, on_click=under_way.ask, args=(order.order_id, "full"),
            help="A row for everybody who is in something, without what was removed.",
        )  # fmt: skip


def _left_out(order: Order) -> None:
    sources = workspace().audience.registered().sources
    for one in workspace().outbound.orders.left_out(order):
        much = count(one["traits"], "trait") if one["traits"] else "everything"
        source = escape(words.data_source(one["dpid"], sources))
        st.caption(
            f":orange[:material/block:] Left out: {much} of **{source}**, by the export "
            f"control {escape(', '.join(one['labels']))}."
        )


def _change(order: Order) -> None:
    changed, is_fine = order_form.draw(str(order.order_id), order)
    if changed is not None and is_fine and changed.remembered_by != order.remembered_by:
        st.warning(
            "Other ids, content or place: what the receiver was told is forgotten, and the next run tells everything.",
            icon=":material/info:",
        )  # fmt: skip
    is_same = changed == order
    if (
        st.button("Save", type="primary", key="save_order", disabled=not is_fine or is_same)
        and changed is not None
        and done(lambda: workspace().outbound.orders.change(order.order_id, changed))
    ):
        st.session_state["done"] = f"{escape(changed.name)} saved. It counts from the next run on"
        st.rerun()


def _remove(order: Order) -> None:
    st.markdown(
        "Its receiver is told nothing more, **not even who leaves from now on**. What it was told is forgotten here; "
        "an order made again tells everything. Runs stay in the history, files at the place stay where they are."
    )
    if st.button("Remove this order", icon=":material/delete:", key="remove_order_for_good") and done(
        lambda: workspace().outbound.orders.remove(order.order_id)
    ):
        _close()
        st.session_state["done"] = f"{escape(order.name)} removed"
        st.rerun()
