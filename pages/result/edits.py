"""From what a person types in the grid to what is kept: every edit is saved in the run that brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ingest_core.jobs.corrections import BrokenRow, Cells
from pages.ui.state import workspace

VERSION = "fix_version"


def forget() -> None:
    """A change beside the grid: its pending edits must not come back, so it gets a new key."""
    st.session_state[VERSION] = st.session_state.get(VERSION, 0) + 1


@dataclass(frozen=True)
class Grid:
    """The rows of one page as they came. ``mark`` names this set of rows."""

    request_id: str
    mark: str
    columns: Sequence[str]
    rows: Sequence[BrokenRow]

    @property
    def key(self) -> str:
        """The key of the widget: other rows are another widget."""
        return f"fix_{self.request_id}_{self.mark}_{st.session_state.get(VERSION, 0)}"

    def take(self, kept: dict[int, Cells]) -> dict[int, Cells]:
        """Keeps what is pending in the grid; returns all rows that are chosen, line → cells."""
        pending: dict[int, dict[str, Any]] = (st.session_state.get(self.key) or {}).get("edited_rows", {})
        changes: dict[int, Cells | None] = {}
        for place, edit in pending.items():
            row = self.rows[int(place)]
            wanted = _wanted(row, kept.get(row.line), edit)
            if wanted != kept.get(row.line):
                changes[row.line] = wanted
        return workspace().fixes.keep(self.request_id, changes) if changes else kept


def _wanted(row: BrokenRow, kept: Cells | None, edit: dict[str, Any]) -> Cells | None:
    """The cells that the row is loaded with after an edit; None = it stays rejected."""
    made = list(kept or row.cells)
    for name, value in edit.items():
        if name.startswith("c"):
            made[int(name[1:])] = "" if value is None else str(value)
    cells = tuple(made)
    is_ticked = bool(edit.get("load", kept == row.cells))
    return cells if cells != row.cells or is_ticked else None
