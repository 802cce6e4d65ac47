"""Step 3: one row a column of the file, each guess explained, one open question at a time."""

from __future__ import annotations

import contextlib

import pandas as pd
import streamlit as st

from ingest_core.errors import StateError
from ingest_core.models import Attribute, ColumnMapping
from pages.steps import decide, personal
from pages.steps.rules import forget_edits
from pages.ui import badges, matching
from pages.ui.draft import Draft
from pages.ui.forms import new_attribute, type_label
from pages.ui.links import say_done
from pages.ui.text import count, escape, number, size

SKIP = "Skip this column"
FILTERS = ("All", "Decide", "Matched", "Skipped")


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    found = draft.inspection()
    draft.start_matching()
    attributes = {attribute.name: attribute for attribute in draft.workspace.attributes.list()}
    _use_created(draft)
    say_done()
    personal.ask(attributes)
    asked = matching.questions(found, draft.columns, draft.confirmed)
    states = {c.column: matching.state(c, asked, draft.confirmed) for c in draft.columns}
    bad = matching.misfits(found, draft.columns, attributes, draft.accepted)
    _summary(draft, found.rows, list(states.values()), len(bad))
    left, right = st.columns([12, 5])
    with left:
        chosen = _toolbar(draft, states)
        _table(draft, chosen, states, attributes)
    with right:
        decide.panel(draft, asked, states, bad, attributes)
        decide.first_profile(draft, asked, attributes)
    if asked:
        return f"{escape(next(iter(asked)))}: choose how it is read first."
    if not matching.has_identifier(draft.columns, attributes):
        return "Match at least one column to an identifier: customer id, e-mail or phone."
    twice = matching.taken_twice(draft.columns)
    return f"Two columns fill {escape(attributes[twice[0]].display_name)}. Skip one of them." if twice else None


def _summary(draft: Draft, rows: int, states: list[matching.State], bad: int) -> None:
    matched, undecided = states.count("Matched"), states.count("Decide")
    st.caption(
        f"{escape(draft.file)}, "
        f"{size(draft.size)}, {count(rows, 'row')}. {number(matched)} of {count(len(states), 'column')} matched."
        + (f" {count(undecided, 'column needs', 'columns need')} a decision." if undecided else "")
        + ("" if undecided else " Nothing is left to decide.")
        + (f" {count(bad, 'column holds', 'columns hold')} values that do not fit." if bad else "")
    )


def _toolbar(draft: Draft, states: dict[str, matching.State]) -> list[ColumnMapping]:
    counts = {name: len(states) if name == "All" else list(states.values()).count(name) for name in FILTERS}  # type: ignore[arg-type]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        words = {"Decide": "Needs a decision"}
        chosen = st.pills(
            "Columns", FILTERS, default="All", required=True, label_visibility="collapsed", key="show",
            format_func=lambda name: f"{words.get(name, name)} {counts[name]}", bind="query-params",
        )  # fmt: skip
        with st.container(horizontal=True, width="content"):
            st.button(
                "Undo", icon=":material/undo:", type="tertiary", shortcut="Ctrl+Z", disabled=not draft.undo,
                key="undo", on_click=_undo, args=(draft,),
            )  # fmt: skip
            if st.button("New attribute", icon=":material/add:", key="new_attribute"):
                new_attribute()
    return [column for column in draft.columns if chosen in ("All", states[column.column])]


def _table(
    draft: Draft, columns: list[ColumnMapping], states: dict[str, matching.State], attributes: dict[str, Attribute]
) -> None:
    """The mapping itself. Its rows are fixed, and an edit is saved in the run that brings it, so that none is lost."""
    statistics = {column.name: column for column in draft.inspection().columns}
    labels = matching.labels(attributes.values())
    frame = pd.DataFrame(
        [_row(c, states[c.column], matching.examples(statistics.get(c.column)), attributes, labels) for c in columns],
        columns=["column", "state", "examples", "attribute", "why", "pii", "type", "identifier", "format"],
    )
    version = st.session_state.setdefault("mapping_version", 0)
    edited = st.data_editor(
        frame,
        key=f"mapping_{draft.draft_id}_{st.session_state.get('show')}_{len(columns)}_{version}",
        hide_index=True,
        num_rows="fixed",
        height=min(560, 46 + 37 * max(1, len(columns))),
        row_height=37,
        disabled=["column", "state", "examples", "type", "identifier", "format", "why"],
        alt="Columns of the file and the attributes they are matched to",
        column_config={
            "column": st.column_config.TextColumn("Column in file", pinned=True, width=104),
            "state": badges.column("", ["Matched", "Decide", "Skipped"], width=92),
            "examples": st.column_config.TextColumn("Examples", width=128),
            "attribute": st.column_config.SelectboxColumn(
                "Attribute", options=[SKIP, *labels.values()], required=True, width=128
            ),
            "why": st.column_config.TextColumn("Why", width=186, help="Why this attribute was guessed"),
            "pii": st.column_config.CheckboxColumn("PII", width=54, help="Stored encrypted, shown masked"),
            "type": st.column_config.TextColumn("Type", width=104),
            "identifier": st.column_config.TextColumn("Identifier", width=86),
            "format": st.column_config.TextColumn("Format", width=100),
        },
    )
    _take_edits(draft, frame, edited, {shown: name for name, shown in labels.items()}, attributes)


def _row(
    column: ColumnMapping,
    state: matching.State,
    examples: str,
    attributes: dict[str, Attribute],
    labels: dict[str, str],
) -> dict[str, object]:
    attribute = attributes.get(column.attribute or "")
    return {
        "column": column.column,
        "state": [state],
        "examples": examples,
        "attribute": labels[attribute.name] if attribute else SKIP,
        "type": type_label(attribute.type) if attribute else "",
        "pii": bool(attribute and (attribute.pii or column.pii)),
        "identifier": (attribute.identifier or "").capitalize() if attribute else "",
        "format": column.format or "",
        "why": column.why or "",
    }


def _take_edits(
    draft: Draft,
    frame: pd.DataFrame,
    edited: pd.DataFrame,
    by_label: dict[str, str],
    attributes: dict[str, Attribute],
) -> None:
    """Saves what differs from the mapping; a box that was ticked is a question about the attribute."""
    pairs = list(zip(frame.to_dict("records"), edited.to_dict("records"), strict=True))
    matched = {str(old["column"]): str(new["attribute"]) for old, new in pairs if old["attribute"] != new["attribute"]}
    ticked = {str(old["column"]): bool(new["pii"]) for old, new in pairs if old["pii"] != new["pii"]}
    if not matched and not ticked:
        return
    anew = {c.column: _matched_to(c, by_label.get(matched[c.column])) for c in draft.columns if c.column in matched}
    if anew:
        draft.change_columns(lambda columns: [anew.get(c.column, c) for c in columns], *matched)
    if ticked:
        forget_edits()
        _tick(draft, ticked, attributes)
    st.rerun()


def _tick(draft: Draft, ticked: dict[str, bool], attributes: dict[str, Attribute]) -> None:
    """PII belongs to the attribute: marking asks first, and once marked it stays marked."""
    name, is_marked = next(iter(ticked.items()))
    attribute = attributes.get(next((c.attribute or "" for c in draft.columns if c.column == name), ""))
    if attribute is None:
        st.toast("Match the column to an attribute first; PII belongs to the attribute.", icon=":material/lock:")
    elif is_marked:
        st.session_state[personal.ASKED] = attribute.name
    else:
        st.toast("PII belongs to the attribute: once marked, it stays marked.", icon=":material/lock:")


def _undo(draft: Draft) -> None:
    forget_edits()
    with contextlib.suppress(StateError):  # another window was faster: the page says so
        draft.undo_last()


def _matched_to(column: ColumnMapping, attribute: str | None) -> ColumnMapping:
    return column.model_copy(
        update={"attribute": attribute, "format": None, "identifier": None, "why": "chosen by you"}
    )


def _use_created(draft: Draft) -> None:
    """A new attribute is matched to the column it was made for, or just announced."""
    if created := st.session_state.pop("created_attribute", None):
        st.toast(f"Attribute {escape(created)} created", icon=":material/check:")
        wanted = st.session_state.get("guessed_column")
        if any(column.column == wanted for column in draft.columns):
            forget_edits()
            draft.change_columns(
                lambda columns: [
                    _matched_to(column, created) if column.column == wanted else column for column in columns
                ],
                str(wanted),
            )
