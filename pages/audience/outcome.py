"""How received files ended: on to the receipt, the figures of a try in beta, or what went wrong."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.receipts import BatchReport
from ingest_core.audience_manager.received import Received
from pages.audience import checked
from pages.ui.text import escape


def draw(held: Received) -> None:
    """The end of a basket."""
    if held.request_id is not None:
        st.switch_page("am_receipt.py", query_params={"receipt": held.request_id})
    outcome = held.outcome or {}
    if held.state == "failed":
        error = outcome.get("error") or {}
        st.error(
            escape(error.get("hint") or "Send the files again."),
            title=escape(error.get("message") or "The files were not processed."), icon=":material/error:",
        )  # fmt: skip
    elif "report" in outcome:
        st.info(
            "Names and contents were checked as in the beta environment; nothing was stored.", icon=":material/science:"
        )
        checked.summary(BatchReport.model_validate(outcome["report"]), is_trial=False)
    st.page_link("am_files.py", label="All files and receipts", icon=":material/contact_page:")
