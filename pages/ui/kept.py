"""What a person has begun on a page: in the database, encrypted; its id is in the URL, so a reload loses nothing.

Nothing is kept before the first change: a page that is only looked at leaves no trace, and every window that begins
something has a draft of its own.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.state import workspace


def load(kind: str, parameter: str) -> dict[str, Any] | None:
    """What was begun, with ``updated_at``; None when the URL names nothing of this kind (any more)."""
    draft_id = st.query_params.get(parameter)
    state = workspace().drafts.load(draft_id) if draft_id else None
    return state if state is not None and state.get("kind") == kind else None


def save(kind: str, parameter: str, state: dict[str, Any]) -> None:
    """Keeps it; the first time under a new id, which goes into the URL."""
    drafts = workspace().drafts
    draft_id = st.query_params.get(parameter)
    if draft_id is None:
        draft_id = st.query_params[parameter] = drafts.create(None)
    drafts.save(draft_id, {**state, "kind": kind})


def forget(parameter: str) -> None:
    """Throws it away."""
    if draft_id := st.query_params.get(parameter):
        workspace().drafts.delete(draft_id)


def all_of(kind: str) -> list[tuple[str, dict[str, Any]]]:
    """(id, what was begun) of every draft of a kind, newest first."""
    drafts = workspace().drafts
    loaded = [(draft_id, drafts.load(draft_id)) for draft_id, source_id, _ in drafts.list() if source_id is None]
    return [(draft_id, state) for draft_id, state in loaded if state is not None and state.get("kind") == kind]


def shown(key: str, value: Any) -> str:
    """Makes a widget show what is kept; returns its key. Set only when it differs: typing must not be overwritten."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key
