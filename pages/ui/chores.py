"""Long work in the background, as a page shows it: under way, or how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.operations.chores import Chore, Work
from pages.ui import errors
from pages.ui.state import when, workspace
from pages.ui.text import ago, number

PHASES = {
    "": "Beginning",
    "waiting": "Waiting for a load to end",
    "retention": "Removing what is old",
    "values": "Removing personal data that nothing holds",
    "rewrite": "Rewriting the database file; other pages wait",
    "check": "Opening what is encrypted",
    "reseal": "Encrypting with the new key",
}


def start(name: str, work: Work) -> None:
    """Begins it, or shows why not; a second click begins nothing."""
    try:
        workspace().operations.chores.start(name, work)
    except OnrampError as error:
        errors.show(error)
    else:
        st.rerun()


def is_busy() -> bool:
    """Whether any long work is under way; its buttons are off then."""
    return workspace().operations.chores.running() is not None


def outcome(name: str, said: Callable[[dict[str, Any]], str]) -> None:
    """What became of the work of this name: progress once a second, then one sentence."""
    chore = workspace().operations.chores.get(name)
    if chore is None:
        return
    if chore.is_running:
        _running(name)
    elif chore.error is not None:
        errors.show(chore.error)
    elif chore.result is not None and chore.ended_at is not None:
        st.markdown(
            f":green[:material/check_circle:] {said(chore.result)} :gray[{ago(chore.ended_at)}]",
            help=when(chore.ended_at),
        )


@st.fragment(run_every=1)
def _running(name: str) -> None:
    chore = workspace().operations.chores.get(name)
    if chore is None or not chore.is_running:
        st.rerun()
    st.progress(_share(chore), text=_text(chore))
    st.caption("You can close this page. The work goes on.")


def _share(chore: Chore) -> float:
    return min(1.0, chore.done / chore.total) if chore.total else 1.0


def _text(chore: Chore) -> str:
    much = f": {number(chore.done)} of {number(chore.total)}" if chore.total else ""
    return f"{PHASES.get(chore.phase, 'Working')}{much}"
