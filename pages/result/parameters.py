"""What the URL of a result says: the open tab, the reason, the pages, whether rows are being fixed."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Receipt
from pages.ui.text import number

TAB, REASON, REJECTS_PAGE, PEOPLE_PAGE, KIND, FIX = "tab", "reason", "rejects_page", "people", "kind", "fix"


def rejected_tab(receipt: Receipt) -> str:
    """The label of the tab of rejected rows."""
    return f"Rejected {number(receipt.rejected)}"


def show_reason(code: str | None) -> None:
    """For callbacks: the rows of this reason, or of all, from their first page."""
    st.session_state[REASON] = code
    st.session_state[REJECTS_PAGE] = 1


def first_page() -> None:
    """For callbacks: other rows are shown now, from their first page."""
    st.session_state[REJECTS_PAGE] = 1
