"""A new delivery: what, where to, in which columns, whole or only what changed. All of it is in the URL."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

from ingest_core.deliveries.order import NAME_TEMPLATE, OF_PEOPLE, Order
from ingest_core.errors import OnrampError
from pages.out import choosing, column_editor, previewing
from pages.out.words import FORMATS
from pages.ui import errors
from pages.ui.links import breadcrumb, nothing_here, title_row
from pages.ui.state import workspace

ONCE = "delivery_once"
SCOPES = {"full": "Everything", "changed": "Only what changed since the last delivery"}


def file_choices(kind: str) -> dict[str, Any]:
    """Format, packing, name and control file."""
    forms = list(FORMATS) if kind in OF_PEOPLE else ["tsv", "spreadsheet"]
    with st.container(border=True):
        st.markdown("#### The file")
        form = st.segmented_control(
            "Format", forms, format_func=lambda one: FORMATS[one][0], default="tsv", required=True, key="format",
            bind="query-params",
        )  # fmt: skip
        st.caption(FORMATS[form][1] if kind in OF_PEOPLE or form != "tsv" else "As the file came, with the reasons.")
        name = st.text_input(
            "Name", value=NAME_TEMPLATE, key="file_name", bind="query-params", max_chars=200,
            help="{name}, {kind}, {destination}, {scope}, {date}, {time}, {timestamp} and {id} are filled in; the "
            "ending is added. A slash makes a folder.",
        )  # fmt: skip
        with st.container(horizontal=True):
            is_gzip = st.toggle("Compress (gzip)", key="gzip", bind="query-params")
            has_control = st.toggle(
                "Control file (.info)", value=True, key="control", bind="query-params",
                help="Left last, with the number of bytes and lines and the MD5, so that the receiver can check.",
            )  # fmt: skip
    return {"form": form, "file_name": name or NAME_TEMPLATE, "gzip": is_gzip, "control_file": has_control}


def scope_choices(order: Order) -> dict[str, Any]:
    """Everything or only what changed, and how the receiver knows a row."""
    with st.container(border=True):
        st.markdown("#### How much")
        scope = st.radio(
            "How much", list(SCOPES), format_func=SCOPES.__getitem__, key="scope", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        names = [one.name for one in order.columns]
        key = st.selectbox(
            "A row is known by", names, index=None, key="key", bind="query-params", placeholder="The best there is",
            help="The column by which the receiver finds a row again. It cannot be personal data as it is.",
        )  # fmt: skip
    return {"scope": scope, "key": key}


def send(order: Order) -> None:
    """One delivery, however often the button is pressed."""
    once = st.session_state.setdefault(ONCE, secrets.token_hex(16))
    try:
        delivery_id = workspace().deliveries.order(order, idempotency_key=once)
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state.pop(ONCE, None)
    st.switch_page("deliveries.py", query_params={"delivery": delivery_id})


breadcrumb(("Deliveries", "deliveries.py", {}), ("New delivery", None, {}))
title_row("Send")
destinations = [one.name for one in workspace().destinations.list()]
if not destinations:
    with nothing_here(
        "move_to_inbox", "There is nowhere to send to yet", "Add a destination first: a folder, a bucket or a server."
    ):
        st.page_link("destinations.py", label="Add a destination", icon=":material/add:")
    st.stop()

left, right = st.columns([2, 3])
with left:
    kind, given = choosing.what()
    to = choosing.where(destinations)
if kind is None or given is None:
    with right:
        st.caption("Choose what is to be sent.")
    st.stop()
    raise SystemExit
order = Order(kind=kind, object=given, destination=to)
try:
    offer = workspace().deliveries.offer(kind, given)
except OnrampError as error:
    with right:
        errors.show(error)
    st.stop()
    raise SystemExit from None
with right:
    if kind in OF_PEOPLE:
        order = order.model_copy(update={"columns": column_editor.columns(kind, given, offer)})
with left:
    if kind in OF_PEOPLE:
        order = order.model_copy(update=scope_choices(order))
    order = order.model_copy(update=file_choices(kind))
with right:
    order, is_ready = previewing.draw(order)
    if st.button("Deliver", type="primary", icon=":material/send:", key="deliver", disabled=not is_ready):
        send(order)
