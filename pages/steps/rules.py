"""Why a column is matched as it is, its format, and the rules for its cells."""

from __future__ import annotations

import contextlib
from typing import Any

import streamlit as st

from ingest_core.errors import StateError
from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping
from pages.ui.draft import Draft
from pages.ui.text import escape
from pages.ui.words import BAD_CELLS, BLANKS, COMBINES, CONFLICTS


def forget_edits() -> None:
    """A change beside the table: the table's pending edits must not come back, so it gets a new key."""
    st.session_state["mapping_version"] = st.session_state.get("mapping_version", 0) + 1


def set_column(draft: Draft, name: str, *, accept: bool = False, **update: object) -> None:
    """Changes one column as a person said."""
    forget_edits()

    def change(columns: list[ColumnMapping]) -> list[ColumnMapping]:
        return [column.model_copy(update=update) if column.column == name else column for column in columns]

    draft.change_columns(change, name, accept=name if accept else None)


def draw(draft: Draft, attributes: dict[str, Attribute]) -> None:
    """The rules of one column at a time."""
    loaded = [column for column in draft.columns if column.attribute in attributes]
    if not loaded:
        st.caption("No column is matched yet.")
        return
    name = st.selectbox("Column", [column.column for column in loaded], key="panel_column")
    column = next(c for c in loaded if c.column == name)
    if column.why:
        st.caption(f":material/lightbulb: {escape(_sentence(column.why))}")
    kind = TYPES[attributes[str(column.attribute)].type]
    if kind.formats:
        formats = {"": "Found by itself", **{f.value: f"{f.label} ({f.example})" for f in kind.formats}}
        _rule(draft, column, "format", "Written as", formats)
    _rule(draft, column, "blank", "An empty cell", BLANKS)
    _rule(draft, column, "conflict", "When a value is stored already", CONFLICTS)
    combines = COMBINES if kind.can_sum else {key: COMBINES[key] for key in ("last", "first", "count", "min", "max")}
    _rule(draft, column, "combine", "Of several lines of one person", combines)
    _rule(draft, column, "bad_cell", "A cell that does not fit", BAD_CELLS)


def _sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}{'' if why.endswith('.') else '.'}"


def _rule(draft: Draft, column: ColumnMapping, name: str, label: str, options: dict[str, str]) -> None:
    """One rule. The widget shows what the draft says, also after an undo, and only a change by a person changes it."""
    current = str(getattr(column, name) or "")
    key = f"rule_{name}_{column.column}"
    st.session_state[key] = current
    st.selectbox(
        label,
        list(options) if current in options else [current, *options],
        format_func=lambda value: options.get(value, value),
        key=key,
        on_change=_take_rule,
        args=(draft, column.column, name, key),
    )


def _take_rule(draft: Draft, column: str, name: str, key: str) -> None:
    changed: dict[str, Any] = {name: st.session_state[key] or None}
    with contextlib.suppress(StateError):  # another window was faster: the page says so
        set_column(draft, column, **changed)
