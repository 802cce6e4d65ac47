"""The drop zone: sends one file to the upload route in the background, with speed, time left, pause and resume.

``st.file_uploader`` would keep the file in memory twice; this component streams it to disk and survives a lost
connection: it asks how much is safe and goes on from there, also after a reload of the page.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ingest_core.workspace import Workspace
from pages.ui.arrivals import ARRIVALS, Arrival
from pages.ui.state import browser_session
from pages.ui.text import size

_FILES = Path(__file__).with_name("web")
_COMPONENT = st.components.v2.component(
    "onramp_drop_zone",
    html=(_FILES / "drop_zone.html").read_text("utf-8"),
    css=(_FILES / "drop_zone.css").read_text("utf-8"),
    js=(_FILES / "drop_zone.js").read_text("utf-8"),
)


def drop_zone(workspace: Workspace, draft_id: str, kinds: str = "", several: str = "") -> Arrival | None:
    """Draws the zone for a draft; returns the file when it has arrived completely, once.

    ``kinds``: what may be dropped, in words, where it is not a file of customers; then any name can be picked.
    ``several``: several files or a folder may be dropped, which arrive one after the other; the same text as long as
    they belong together, whatever the draft.
    """
    key = f"drop_zone_{draft_id}"
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    limit = workspace.settings.browser_limit_bytes
    result = _COMPONENT(
        key=key,
        data={
            "url": f"/{base}/api/upload" if base else "/api/upload",
            "ticket": _ticket(workspace, draft_id, limit),
            "draft": draft_id,
            "limit": limit,
            "kinds": kinds,
            "several": several,
            "limitText": size(limit),
        },
        on_received_change=lambda: None,
        on_expired_change=lambda: None,
    )
    received = result.received
    return ARRIVALS.collect(str(received), draft_id) if received else None


def _ticket(workspace: Workspace, draft_id: str, limit: int) -> str:
    """The ticket of this page; a new one when it was used or grew old."""
    key = f"ticket_{draft_id}"
    token = st.session_state.get(key)
    if token is None or not ARRIVALS.is_open(token):
        token = ARRIVALS.issue(draft_id, workspace.user, browser_session(), limit)
        st.session_state[key] = token
    return str(token)
