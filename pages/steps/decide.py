"""The panel beside the mapping: one open question at a time, the rules of a column, a masked first profile."""

from __future__ import annotations

import phonenumbers
import streamlit as st

from ingest_core.files import head
from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping, Problem, TypeContext
from pages.ui import matching
from pages.ui.draft import Draft
from pages.ui.forms import new_attribute
from pages.ui.text import count, escape
from pages.ui.words import BAD_CELLS, BLANKS, COMBINES, CONFLICTS


def forget_edits() -> None:
    """A change beside the table: the table's pending edits must not come back, so it gets a new key."""
    st.session_state["mapping_version"] = st.session_state.get("mapping_version", 0) + 1


def panel(
    draft: Draft, asked: dict[str, Problem], states: dict[str, matching.State], attributes: dict[str, Attribute]
) -> None:
    """The next open question, else a guess to confirm, else the rules of a chosen column."""
    undecided = [column for column in draft.columns if states[column.column] == "Decide"]
    with st.container(border=True):
        if asked:
            problem = next(iter(asked.values()))
            (_country if problem.code == matching.NEEDS_COUNTRY else _question)(draft, problem)
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


def _country(draft: Draft, problem: Problem) -> None:
    """Numbers without a country code: one answer for the source."""
    st.markdown(f"#### :material/help: Decide: {escape(problem.column)}")
    st.markdown(escape(problem.message.partition(": ")[2] or problem.message))
    chosen = st.selectbox(
        "Phone country of this source", sorted(phonenumbers.SUPPORTED_REGIONS), index=None, placeholder="Choose",
        key=f"country_{problem.column}",
    )  # fmt: skip
    if st.button("Use this country", type="primary", width="stretch", disabled=chosen is None, key="answer_country"):
        settings = draft.source.settings.model_copy(update={"phone_country": chosen})
        draft.workspace.sources.update(draft.source.source_id, settings=settings)
        st.rerun()
    st.caption("Without one, such numbers are rejected.")
    if st.button("Go on without", width="stretch", key="no_country"):
        draft.change_columns(lambda columns: columns, str(problem.column))
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
    _set(draft, column, **{name: st.session_state[key] or None})


def _set(draft: Draft, name: str, **update: object) -> None:
    forget_edits()

    def change(columns: list[ColumnMapping]) -> list[ColumnMapping]:
        return [column.model_copy(update=update) if column.column == name else column for column in columns]

    draft.change_columns(change, name)


def first_profile(draft: Draft, asked: dict[str, Problem], attributes: dict[str, Attribute]) -> None:
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
    shown = matching.first_profile(row, draft.columns, attributes, context, asked)
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
