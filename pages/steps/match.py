"""Step 3: one row a column of the file, each guess explained, one open question at a time."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.files import head
from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping, Problem, TypeContext
from pages.ui import badges, matching
from pages.ui.draft import Draft
from pages.ui.forms import new_attribute, type_label
from pages.ui.text import count, escape, number, size

SKIP = "Skip this column"
FILTERS = ("All", "Decide", "Matched", "Skipped")
BLANKS = {"keep": "Keep the old value", "clear": "Clear the value"}
CONFLICTS = {"newest": "The newest value wins", "keep": "The stored value stays"}
COMBINES = {
    "last": "The last line", "first": "The first line", "sum": "Their sum", "count": "Their number",
    "min": "The smallest", "max": "The largest",
}  # fmt: skip
BAD_CELLS = {"reject": "Reject the row", "empty": "Leave it empty and count it"}


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    with st.skeleton(height=420):
        found = draft.inspection()
        draft.start_matching()
    attributes = {attribute.name: attribute for attribute in draft.workspace.attributes.list()}
    _use_created(draft)
    asked = matching.questions(found, draft.columns)
    states = {c.column: matching.state(c, asked, draft.confirmed) for c in draft.columns}
    matched = sum(state == "Matched" for state in states.values())
    open_ = sum(state == "Decide" for state in states.values())
    st.caption(
        f"{escape(draft.file)}, "
        f"{size(draft.size)}, {count(found.rows, 'row')}. {number(matched)} of {count(len(states), 'column')} matched."
        + (f" {count(open_, 'column needs', 'columns need')} a decision." if open_ else " Nothing is left to decide.")
    )
    left, right = st.columns([12, 5])
    with left:
        chosen = _toolbar(draft, states)
        _table(draft, chosen, states, attributes)
    with right:
        _panel(draft, asked, states, attributes)
        _first_profile(draft, attributes)
    if asked:
        return f"{escape(next(iter(asked)))}: choose how it is read first."
    if not matching.has_identifier(draft.columns, attributes):
        return "Match at least one column to an identifier: customer id, e-mail or phone."
    twice = matching.taken_twice(draft.columns)
    return f"Two columns fill {escape(attributes[twice[0]].display_name)}. Skip one of them." if twice else None


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
        columns=["column", "state", "examples", "attribute", "type", "pii", "identifier", "format", "why"],
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
            "column": st.column_config.TextColumn("Column in file", pinned=True),
            "state": badges.column("", ["Matched", "Decide", "Skipped"], width=92),
            "examples": st.column_config.TextColumn("Examples", width=170),
            "attribute": st.column_config.SelectboxColumn("Attribute", options=[SKIP, *labels.values()], required=True),
            "type": st.column_config.TextColumn("Type", width=92),
            "pii": st.column_config.CheckboxColumn("PII", width=58, help="Stored encrypted, shown masked"),
            "identifier": st.column_config.TextColumn("Identifier", width=86),
            "format": st.column_config.TextColumn("Format", width=100),
            "why": st.column_config.TextColumn("Why", width="large"),
        },
    )
    _take_edits(draft, frame, edited, {shown: name for name, shown in labels.items()})


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


def _take_edits(draft: Draft, frame: pd.DataFrame, edited: pd.DataFrame, by_label: dict[str, str]) -> None:
    """Saves what differs from the mapping; says so when an edit cannot be."""
    edits: dict[str, dict[str, object]] = {}
    for before, after in zip(frame.to_dict("records"), edited.to_dict("records"), strict=True):
        changed = {name: after[name] for name in ("attribute", "pii") if after[name] != before[name]}
        if changed:
            edits[str(before["column"])] = changed
    if not edits:
        return
    columns = [_with(c, edits[c.column], by_label) if c.column in edits else c for c in draft.columns]
    if tuple(columns) == draft.columns:
        _forget_edits()
        st.toast("PII belongs to the attribute: once marked, it stays marked.", icon=":material/lock:")
    else:
        draft.change_columns(lambda _: columns, *edits)
    st.rerun()


def _forget_edits() -> None:
    """A change beside the table: its pending edits must not come back, so it gets a new key."""
    st.session_state["mapping_version"] = st.session_state.get("mapping_version", 0) + 1


def _undo(draft: Draft) -> None:
    _forget_edits()
    draft.undo_last()


def _with(column: ColumnMapping, edit: dict[str, object], by_label: dict[str, str]) -> ColumnMapping:
    if "attribute" in edit:
        column = _matched_to(column, by_label.get(str(edit["attribute"])))
    if "pii" in edit:
        column = column.model_copy(update={"pii": True if edit["pii"] else None})
    return column


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
            _forget_edits()
            draft.change_columns(
                lambda columns: [
                    _matched_to(column, created) if column.column == wanted else column for column in columns
                ],
                str(wanted),
            )


def _panel(
    draft: Draft, asked: dict[str, Problem], states: dict[str, matching.State], attributes: dict[str, Attribute]
) -> None:
    """The next open question, else a guess to confirm, else the rules of a chosen column."""
    undecided = [column for column in draft.columns if states[column.column] == "Decide"]
    with st.container(border=True):
        if asked:
            _question(draft, next(iter(asked.values())))
        elif undecided:
            _guess(draft, undecided[0], attributes)
        else:
            _rules(draft, attributes)


def _question(draft: Draft, problem: Problem) -> None:
    st.markdown(f"#### :material/help: Decide: {escape(problem.column)}")
    st.markdown(escape(problem.message.partition(": ")[2] or problem.message))
    values = [str(option["value"]) for option in problem.options]
    labels = {str(option["value"]): str(option["label"]) for option in problem.options}
    fits = {str(option["value"]): int(str(option["fits"])) for option in problem.options}
    chosen = st.radio(
        "Read as", values, format_func=lambda value: escape(labels[value]), index=None, key=f"ask_{problem.column}",
        captions=[f"{count(fits[value], 'value fits', 'values fit')}" for value in values],
    )  # fmt: skip
    if st.button("Use this", type="primary", width="stretch", disabled=chosen is None, key=f"answer_{problem.column}"):
        _set(draft, str(problem.column), format=chosen)
        st.rerun()


def _guess(draft: Draft, column: ColumnMapping, attributes: dict[str, Attribute]) -> None:
    st.session_state["guessed_column"] = column.column
    st.markdown(f"#### :material/help: Decide: {escape(column.column)}")
    attribute = attributes.get(column.attribute or "")
    if attribute is None:
        st.markdown("No attribute was found for this column. It would be skipped: nothing of it is stored.")
        if column.why:
            st.caption(escape(column.why))
        st.caption("To load it, choose an attribute in the table or create one.")
        if st.button("Skip this column", type="primary", width="stretch", key=f"skip_{column.column}"):
            draft.change_columns(lambda columns: columns, column.column)
            st.rerun()
        if st.button("New attribute for it", icon=":material/add:", width="stretch", key=f"new_{column.column}"):
            new_attribute(_name_for(draft, column.column))
        return
    st.markdown(f"This looks like **{escape(attribute.display_name)}**.")
    if column.why:
        st.caption(escape(column.why))
    if st.button(
        f"Yes, match to {escape(attribute.display_name)}", type="primary", width="stretch", key=f"yes_{column.column}"
    ):
        draft.change_columns(lambda columns: columns, column.column)
        st.rerun()
    if st.button("No, skip this column", width="stretch", key=f"no_{column.column}"):
        _set(draft, column.column, attribute=None, format=None)
        st.rerun()


def _name_for(draft: Draft, column: str) -> str:
    return next((c.repaired for c in draft.inspection().columns if c.name == column), column)


def _rules(draft: Draft, attributes: dict[str, Attribute]) -> None:
    """Format and rules of one column."""
    st.markdown("#### :material/tune: Rules of a column")
    loaded = [column for column in draft.columns if column.attribute in attributes]
    if not loaded:
        st.caption("No column is matched yet.")
        return
    name = st.selectbox("Column", [column.column for column in loaded], key="panel_column")
    column = next(c for c in loaded if c.column == name)
    kind = TYPES[attributes[str(column.attribute)].type]
    if kind.formats:
        formats = {"": "Found by itself", **{f.value: f"{f.label} ({f.example})" for f in kind.formats}}
        _rule(draft, column, "format", "Written as", formats)
    _rule(draft, column, "blank", "An empty cell", BLANKS)
    _rule(draft, column, "conflict", "When a value is stored already", CONFLICTS)
    combines = COMBINES if kind.can_sum else {key: COMBINES[key] for key in ("last", "first", "count", "min", "max")}
    _rule(draft, column, "combine", "Of several lines of one person", combines)
    _rule(draft, column, "bad_cell", "A cell that does not fit", BAD_CELLS)


def _rule(draft: Draft, column: ColumnMapping, name: str, label: str, options: dict[str, str]) -> None:
    current = str(getattr(column, name) or "")
    keys = list(options) if current in options else [current, *options]
    chosen = st.selectbox(
        label, keys, index=keys.index(current), format_func=lambda key: options.get(key, key),
        key=f"rule_{name}_{column.column}",
    )  # fmt: skip
    if chosen != current:
        _set(draft, column.column, **{name: chosen or None})
        st.rerun()


def _set(draft: Draft, name: str, **update: object) -> None:
    _forget_edits()

    def change(columns: list[ColumnMapping]) -> list[ColumnMapping]:
        return [column.model_copy(update=update) if column.column == name else column for column in columns]

    draft.change_columns(change, name)


def _first_profile(draft: Draft, attributes: dict[str, Attribute]) -> None:
    """How the first row would be stored, personal values masked."""
    dialect, part = head(draft.bytes(), rows=1, **draft.overrides)
    if not part.table.num_rows:
        return
    cells = part.table.slice(0, 1).to_pylist()[0]
    row = {name: cells.get(f"c{i}") for i, name in enumerate(dialect.columns)}
    settings = draft.workspace.settings
    context = TypeContext(
        phone_country=draft.source.settings.phone_country or settings.phone_country,
        lower_email_local=settings.lower_email_local,
    )
    shown = matching.first_profile(row, draft.columns, attributes, context)
    with st.container(border=True):
        st.markdown("#### Preview of the first profile")
        if shown:
            st.table(
                {escape(name): escape(value) if fits else f":orange[{value}]" for name, value, fits in shown},
                border="horizontal",
                alt="First profile, masked",
            )
        else:
            st.caption("Nothing is matched yet.")
