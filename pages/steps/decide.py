"""The panel beside the mapping: one open question at a time, the rules of a column, a masked first profile."""

from __future__ import annotations

import phonenumbers
import streamlit as st

from ingest_core.models import Attribute, ColumnMapping, Problem, TypeContext
from pages.steps import rules
from pages.steps.rules import set_column
from pages.ui import matching
from pages.ui.draft import Draft
from pages.ui.forms import new_attribute, type_label
from pages.ui.text import count, escape, number
from pages.ui.words import BAD_CELLS


def panel(
    draft: Draft,
    asked: dict[str, Problem],
    states: dict[str, matching.State],
    bad: dict[str, tuple[int, int]],
    attributes: dict[str, Attribute],
) -> None:
    """The next open question, else a guess to confirm, else values that do not fit; below it the rules of a column."""
    undecided = [column for column in draft.columns if states[column.column] == "Decide"]
    with st.container(border=True):
        if asked:
            problem = next(iter(asked.values()))
            (_country if problem.code == matching.NEEDS_COUNTRY else _question)(draft, problem)
        elif undecided:
            _guess(draft, undecided[0], attributes)
        elif bad:
            name = next(iter(bad))
            _misfit(draft, name, *bad[name], attributes)
        else:
            st.markdown("#### :material/tune: Rules of a column")
            rules.draw(draft, attributes)
    if asked or undecided or bad:
        with st.expander("Rules of a column", icon=":material/tune:"):
            rules.draw(draft, attributes)


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
        set_column(draft, str(problem.column), format=chosen)
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
        set_column(draft, column.column, attribute=None, format=None)
        st.rerun()


def _name_for(draft: Draft, column: str) -> str:
    return next((c.repaired for c in draft.inspection().columns if c.name == column), column)


def _misfit(draft: Draft, name: str, bad: int, filled: int, attributes: dict[str, Attribute]) -> None:
    """Values that do not fit: what becomes of their rows. It need not be answered; the rows are rejected then."""
    attribute = attributes[next(str(c.attribute) for c in draft.columns if c.column == name)]
    st.markdown(f"#### :material/help: Worth a look: {escape(name)}")
    st.markdown(
        f"{'All' if bad == filled else number(bad) + ' of'} {count(filled, 'value')} do not fit "
        f"**{escape(attribute.display_name)}** ({type_label(attribute.type)})."
    )
    chosen = st.radio(
        "Such a cell", list(BAD_CELLS), format_func=BAD_CELLS.__getitem__, key=f"misfit_{name}",
        captions=[f"Up to {count(bad, 'row')} would not be loaded.", "The rest of the row is loaded."],
    )  # fmt: skip
    if st.button("Use this", type="primary", width="stretch", key=f"judge_{name}"):
        set_column(draft, name, accept=True, bad_cell=chosen)
        st.rerun()


def first_profile(draft: Draft, asked: dict[str, Problem], attributes: dict[str, Attribute]) -> None:
    """How the first row would be stored, personal values masked."""
    dialect, part = draft.workspace.tables.head(draft.bytes(), rows=1, **draft.overrides)
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
