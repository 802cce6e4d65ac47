"""What a person sees while work goes on: which phase, how much of it, how long still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import streamlit as st

from ingest_core.errors import StateError
from ingest_core.workspace import Workspace
from pages.ui.text import count, seconds, size

SHOW_AFTER = 0.8  # seconds; shorter work shows nothing
PATIENCE = 1.0  # seconds that a change waits for another one to end
BETWEEN = 0.15  # seconds between two messages to the browser
PHASES = {
    "waiting": "Waiting",
    "receive": "Receiving and checking the file",
    "read": "Checking the rows",
    "protect": "Protecting personal data",
    "vault": "Protecting personal data",
    "log": "Storing the rows",
    "persons": "Updating sources and segments",
    "memberships: replace": "Updating sources and segments",
    "memberships": "Updating sources and segments",
    "segments": "Updating sources and segments",
}


def phase_name(name: str) -> str:
    """What goes on in a step of the core, in a marketer's words; "How it worked" shows the steps themselves."""
    return PHASES.get(name, "Creating and updating profiles")


@contextmanager
def at_once(workspace: Workspace, patience: float = PATIENCE) -> Iterator[None]:
    """For a change by a person: it begins now, or StateError ``busy`` says why not. A load may take many minutes."""
    if not workspace.engine.write.acquire(timeout=patience):
        raise StateError(
            "An upload or another change is running. Nothing was changed.",
            code="busy",
            hint="Try again when it has ended.",
        )
    try:
        yield
    finally:
        workspace.engine.write.release()


def remembered(key: str, mark: object, work: Callable[[], Any]) -> Any:
    """The result of slow work, kept in this session's memory until ``mark``, which it depends on, is another."""
    held = st.session_state.get(key)
    if held is None or held[0] != mark:
        st.session_state[key] = held = (mark, work())
    return held[1]


def forget(key: str) -> None:
    """The next ``remembered`` works again."""
    st.session_state.pop(key, None)


class Waiting:
    """A progress callback of the core that draws a bar, and takes it away at the end."""

    def __init__(self, what: str, phases: Mapping[str, str] | None = None, unit: str = "") -> None:
        """``phases``: other names of phases; ``unit``: what is counted where nobody knows how many there will be."""
        self._what = what
        self._phases = phases or {}
        self._unit = unit
        self._place = st.empty()
        self._begun = self._told = time.monotonic()
        self._phase = ""
        self._phase_begun = self._begun

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._phase_begun = phase, now
        if now - self._begun < SHOW_AFTER or now - self._told < BETWEEN:
            return
        self._told = now
        share = min(1.0, done / total) if total else 1.0
        passed = now - self._phase_begun
        left = f", about {seconds(passed / share - passed)} left" if total and 0.05 < share < 1 else ""
        much = f": {size(done)} of {size(total)}" if total else ""
        if self._unit and done and total is None:
            much = f": {count(done, self._unit)} so far"
        named = self._phases.get(phase) or phase_name(phase)
        self._place.progress(share, text=f"{self._what}. {named}{much}{left}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._place.empty()
