"""How a file would begin, what would go out as it is, and the word that this needs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.deliveries.order import OF_PEOPLE, Order
from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import when, workspace
from pages.ui.text import count, escape

REASON = "plain_reason"


def draw(order: Order) -> tuple[Order, bool]:
    """The preview and the consent; returns the order with the reason, and whether it can be sent."""
    if order.kind in OF_PEOPLE and not order.columns:
        st.caption("Choose at least one column.")
        return order, False
    if not order.destination:
        st.caption("Choose a destination.")
        return order, False
    try:
        shown = workspace().deliveries.preview(order)
    except OnrampError as error:
        errors.show(error)
        return order, False
    if order.kind in OF_PEOPLE:
        with st.container(border=True):
            st.markdown("#### How it begins")
            names = [one.name for one in shown.order.columns]
            st.dataframe(
                pd.DataFrame(list(shown.rows), columns=names), hide_index=True, row_height=38, height="content",
                alt="The first rows of the file, personal data masked, hashes cut off",
            )  # fmt: skip
            st.caption(_told(order, shown.people, shown.order.key, shown.last))
    plain = list(shown.plain) if order.kind in OF_PEOPLE else ["the rows as they came in the file"]
    return _consent(order, plain) if plain else (order, True)


def _told(order: Order, people: int | None, key: str | None, last: object) -> str:
    said = [f":material/lock: Masked here, hashes cut off. {count(people or 0, 'person', 'people')} now."]
    if order.scope == "changed":
        base = "Nothing was delivered there yet: the first file holds everything"
        said.append(f"Since the last delivery, {when(last)}." if last else f"{base}.")  # type: ignore[arg-type]
    if key:
        said.append(f"A row is known by {escape(key)}.")
    return " ".join(said)


def _consent(order: Order, plain: list[str]) -> tuple[Order, bool]:
    """Personal data as it is: only for a reason, which the audit log keeps."""
    with st.container(border=True):
        st.markdown(f":orange-badge[:material/visibility: Personal data as it is] {escape(', '.join(plain))}")
        reason = st.text_input(
            "Why may it go out?", key=REASON, max_chars=200, placeholder="Contract 4711, processing on behalf",
            help="It is kept in the audit log with your name. Do not name anybody in it.",
        )  # fmt: skip
        is_sure = st.checkbox("I may send this data to this destination", key="may_send")
    filled = bool((reason or "").strip())
    return order.model_copy(update={"is_plain": is_sure, "reason": reason or None}), is_sure and filled
