"""One trait in a drawer: its rule checked while it is typed, with what it would be true of. ``?trait=`` opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ingest_core.audience_manager.traits import Trait
from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape, number
from pages.ui.waiting import at_once

NEW = "new"
OPERATORS = (
    "==, !=, >, >=, <, <=, contains, startswith, endswith, matcheswords, matchesregex, AND, OR, NOT, parentheses"
)
COLUMNS = "trait_id, name, dpid, type, rule, ttl_days, integration_code, folder, description"


def drawer(traits: Sequence[Trait], names: Mapping[int, str]) -> None:
    """Draws the drawer when the URL names a trait, or a new one."""
    wanted = st.query_params.get("trait")
    found = next((trait for trait in traits if str(trait.trait_id) == wanted), None)
    if found is not None or (wanted == NEW and names):
        _drawer(found, names)
    elif wanted:
        st.query_params.pop("trait", None)


def _close() -> None:
    st.query_params.pop("trait", None)


@st.dialog("Trait", position="right", icon=":material/sell:", width=520, on_dismiss=_close)
def _drawer(trait: Trait | None, names: Mapping[int, str]) -> None:
    mark = NEW if trait is None else str(trait.trait_id)
    dpid, trait_id = _whose(names) if trait is None else (trait.dpid, trait.trait_id)
    if trait is not None:
        kind = trait.type.replace("_", " ")
        st.caption(f"Trait {trait.trait_id} of {escape(names.get(dpid, str(dpid)))}, {kind}.")
    name = st.text_input(
        "Name", value="" if trait is None else trait.name, key=f"trait_name_{mark}", max_chars=255, live=True,
        required=True,
    )  # fmt: skip
    rule = st.text_input(
        "Rule", value="" if trait is None else trait.rule or "", key=f"trait_rule_{mark}", live=True,
        placeholder='colour == "red" AND price >= 100',
        help=f"Over the signals of one line: {OPERATORS}. Without a rule only ids in files name the trait.",
    )  # fmt: skip
    is_fine = _live_check((rule or "").strip(), dpid)
    fields = {"rule": (rule or "").strip() or None, **_rest(trait, mark)}
    if st.button("Save", type="primary", key=f"trait_save_{mark}", disabled=not name or not is_fine):
        _save(trait, str(name), dpid, trait_id, fields)


def _whose(names: Mapping[int, str]) -> tuple[int, int | None]:
    """The data source and id of a new trait."""
    dpid = st.selectbox(
        "Data source", sorted(names, key=lambda one: names[one].casefold()), key="trait_dpid",
        format_func=lambda one: f"{names[one]} ({one})", help="Only files that feed its traits can give this one.",
    )  # fmt: skip
    given = st.number_input(
        "Id", min_value=1, value=None, step=1, format="%d", key="trait_id", placeholder="The next free one"
    )
    return int(dpid), None if given is None else int(given)


def _rest(trait: Trait | None, mark: str) -> dict[str, Any]:
    """Days, folder and integration code."""
    ttl = st.number_input(
        "Days it stays (0: for ever)", min_value=0, max_value=36_500, value=120 if trait is None else trait.ttl_days,
        key=f"trait_ttl_{mark}",
    )  # fmt: skip
    folder = st.text_input("Folder", value="" if trait is None else trait.folder or "", key=f"trait_folder_{mark}")
    code = st.text_input(
        "Integration code", value="" if trait is None else trait.integration_code or "", key=f"trait_code_{mark}",
        help="A name of your own for it; unique in the data source.",
    )  # fmt: skip
    return {"ttl_days": int(ttl), "folder": folder or None, "integration_code": code or None}


def _live_check(rule: str, dpid: int) -> bool:
    """Whether the rule can be used, said while it is typed, with what it would be true of."""
    if not rule:
        st.caption(":gray[:material/tag: Only its id in files gives this trait.]")
        return True
    try:
        trial = workspace().audience.trait_editing.try_rule(rule, dpid)
    except OnrampError as error:
        what = error.message.removesuffix(" Nothing was changed.")
        st.caption(f":red[:material/error: {escape(what)} {escape(error.hint)}]")
        return False
    st.caption(f":green[:material/check: The rule can be used:] {escape(trial.rule)}")
    if trial.pairs:
        st.caption(
            f":material/groups: It is true of **{number(trial.signals)}** signals of the last {trial.days} days that "
            f"led to no trait ({count(trial.pairs, 'different pair')})."
        )
    else:
        st.caption(":material/info: No signal of the last days that led to no trait satisfies it alone.")
    return True


def _save(trait: Trait | None, name: str, dpid: int, trait_id: int | None, fields: dict[str, Any]) -> None:
    audience = workspace().audience
    try:
        with at_once(workspace()):
            if trait is None:
                audience.traits.add(name, dpid, trait_id=trait_id, **fields)
            else:
                audience.trait_editing.change(trait.trait_id, {"name": name, **fields})
    except OnrampError as error:
        errors.show(error)
        return
    _close()
    st.session_state["done"] = f"{escape(name)} saved"
    st.rerun()


@st.dialog("Import traits", icon=":material/upload:")
def import_table() -> None:
    """A CSV that was exported here or elsewhere, pasted; all of its traits or none."""
    st.caption(f"Paste the CSV with its header row. Columns are {escape(COLUMNS)}; name and dpid have to be there.")
    text = st.text_area("CSV", key="trait_csv", height=220, placeholder='name,dpid,rule\nLikes red,478,colour == "red"')
    if st.button("Create the traits", type="primary", key="create_traits"):
        try:
            with at_once(workspace()):
                made = workspace().audience.traits.load_table(text or "")
        except OnrampError as error:
            errors.show(error)
            return
        st.session_state["done"] = f"{count(made, 'trait')} created"
        st.rerun()
