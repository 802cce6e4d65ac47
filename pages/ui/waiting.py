"""What a person sees while work goes on: which phase, how much of it, how long still."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import streamlit as st

from pages.ui.text import seconds, size

SHOW_AFTER = 0.8  # seconds; shorter work shows nothing
BETWEEN = 0.15  # seconds between two messages to the browser
PHASES = {"receive": "Receiving and checking the file", "read": "Reading rows"}


def phase_name(name: str) -> str:
    """A phase or step in words."""
    return PHASES.get(name, name.replace("_", " ").capitalize())


class Waiting:
    """A progress callback of the core that draws a bar, and takes it away at the end."""

    def __init__(self, what: str) -> None:
        self._what = what
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
        self._place.progress(share, text=f"{self._what}. {phase_name(phase)}{much}{left}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._place.empty()
