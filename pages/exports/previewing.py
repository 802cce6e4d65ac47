"""What the next run of an order would tell: figures, files and the first rows, worked out when it is asked for."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.exports import ExportPreview
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.errors import OnrampError
from pages.exports.words import MODES
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape, number

SEEN = "order_preview"
SHOWN_FILES = 5


def draw(order: Order) -> None:
    """The choice, the button, and what came of it; until the order, its runs or the choice are others."""
    mode = st.segmented_control(
        "How much", list(MODES), format_func=MODES.__getitem__, default="iter", required=True, key="preview_mode",
        label_visibility="collapsed",
    )  # fmt: skip
    last = workspace().outbound.runs.latest("export").get(str(order.order_id))
    mark = (order.model_dump_json(), mode, last)
    if st.button("Work it out", icon=":material/calculate:", key="work_it_out"):
        st.session_state.pop(SEEN, None)
        try:
            with st.spinner("Working out who has what"):
                found = workspace().outbound.exports.preview(
                    order.order_id, "full" if mode == "full" else "iter", is_masked=True
                )
        except OnrampError as error:
            errors.show(error)
            return
        st.session_state[SEEN] = (mark, found)
    held = st.session_state.get(SEEN)
    if held is not None and held[0] == mark:
        _told(held[1])
    else:
        st.caption("Nothing is sent or kept by this.")


def _told(found: ExportPreview) -> None:
    with st.grid(3, min_column_width=110):
        for label, name in (("Rows", "rows"), ("Added", "added"), ("Removed", "removed")):
            st.metric(label, number(found.counts[name]), border=True)
    if not found.rows:
        st.caption("Nothing would be told, so there would be no file.")
        return
    more = len(found.files) - SHOWN_FILES
    names = "\n".join([*found.files[:SHOWN_FILES], *([f"and {count(more, 'other file')}"] if more > 0 else [])])
    st.code(names, language=None, wrap_lines=True)
    st.code("\n".join(found.rows).replace("\t", "⇥"), language=None, wrap_lines=True)
    rest = found.counts["rows"] - len(found.rows)
    others = f"; {count(rest, 'row')} more" if rest else ""
    st.caption(escape(f"The first rows, ids masked{others}. ⇥ is a tab."))
