"""An export in the background: how far it is, or why it could not be made."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.errands import Errand
from ingest_core.errors import OnrampError
from pages.exports.words import MODES, PHASES
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import ago, escape, number


def ask(order_id: int, mode: str) -> None:
    """For callbacks: lets an export wait for its turn; a second click finds that it waits."""
    opened = workspace()
    try:
        opened.outbound.errands.ask("export", str(order_id), {"mode": mode}, opened.user)
    except OnrampError as error:
        errors.show(error)


def draw(order_id: int) -> bool:
    """What is under way for an order, live; whether anything is."""
    errand = workspace().outbound.errands.of("export", str(order_id))
    if errand is None:
        return False
    if errand.state == "failed" and errand.error is not None:
        st.error(
            escape(errors.HINTS.get(errand.error["code"], errand.error["hint"])), title=escape(errand.error["message"]),
            icon=":material/error:",
        )  # fmt: skip
        return False
    st.fragment(_live, run_every=1)(errand)
    return True


def _live(seen: Errand) -> None:
    """Looks once a second; draws the page again when it is done."""
    errands = workspace().outbound.errands
    errand = errands.of("export", seen.definition)
    if errand is None or errand.errand_no != seen.errand_no or errand.state == "failed":
        st.rerun()
    doing = errands.doing if errands.doing is not None and errands.doing.errand_no == errand.errand_no else None
    with st.container(border=True, key="under_way"):
        phase = PHASES.get(doing.phase, "Working") if doing else PHASES[""]
        much = f": {number(doing.done)} of {number(doing.total)}" if doing and doing.total and doing.done else ""
        share = min(1.0, doing.done / doing.total) if doing and doing.total else 0.0
        st.progress(share, text=f"{phase}{much}")
        with st.container(horizontal=True, vertical_alignment="center"):
            what = "Another try" if "again" in errand.wanted else MODES.get(str(errand.wanted.get("mode")), "")
            st.caption(
                f"{what}, asked for by {escape(errand.requested_by)} {ago(errand.asked_at)}. You can close this page.",
                width="stretch",
            )
            if st.button("Stop", icon=":material/stop_circle:", key="stop_export"):
                errands.stop(errand.errand_no)
                st.rerun()
