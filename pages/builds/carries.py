"""What the lines carry: traits for everybody, traits by value, values as signals; of an ID sync its other columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.build_check import BuildCheck
from ingest_core.audience_manager.outbound.build_editing import Column
from ingest_core.audience_manager.traits import Trait
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.builds import whose, words
from pages.builds.draft import SIGNAL, TRAIT, VALUES, BuildDraft, change_item, edit, new_item, new_other
from pages.builds.telling import told
from pages.ui import kept
from pages.ui.state import workspace

KINDS = {TRAIT: "A trait for everybody", VALUES: "A trait by value", SIGNAL: "A value as a signal"}
VALUES_SHOWN = 30


def items(draft: BuildDraft, check: BuildCheck, columns: list[Column], traits: list[Trait]) -> None:
    """One card an item, and a button for each kind of another one."""
    owner = draft.fields.get("target") or draft.fields.get("dpid")
    offered = {one.trait_id: one.name for one in traits if one.dpid == owner and one.type == "onboarded"}
    with st.container(border=True):
        st.markdown("#### Items")
        st.caption("What stands behind the id in each line. Who has none of it is left out.")
        for number, item in enumerate(draft.items):
            with st.container(border=True, key=f"item_{item['uid']}", gap="small"):
                _item(item, columns, offered)
                if missing := _missing(item):
                    st.caption(f":orange[:material/edit: {missing}]")
                else:
                    told(check, f"items.{number}")
        told(check, "items")
        with st.container(horizontal=True, gap="small"):
            for kind, label in KINDS.items():
                st.button(
                    label, icon=":material/add:", key=f"add_{kind}", type="tertiary", on_click=_add,
                    args=(kind, len(draft.items)),
                )  # fmt: skip
        if owner is not None and not offered:
            st.page_link("am_traits.py", label="This data source has no traits yet", icon=":material/sell:")


def _missing(item: Mapping[str, Any]) -> str | None:
    """What has to be chosen still: that is no mistake."""
    if item["kind"] == TRAIT:
        return None if item["trait"] else "Choose a trait, or type the id of one."
    if not item["attribute"]:
        return "Choose an attribute."
    if item["kind"] == VALUES:
        return None if item["traits"] else "Give at least one value a trait."
    return None if item["key"] else "Give the signal a key."


def _item(item: dict[str, Any], columns: list[Column], offered: Mapping[int, str]) -> None:
    uid = item["uid"]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{KINDS[item['kind']]}**", width="content")
        st.button(
            "Remove", icon=":material/close:", key=f"remove_{uid}", type="tertiary", on_click=_remove, args=(uid,)
        )
    if item["kind"] == TRAIT:
        _trait(uid, item["trait"], offered)
        return
    left, right = st.columns(2)
    fitting = [one for one in columns if item["kind"] == SIGNAL or one.recipe == "plain"]
    with left:
        whose.attribute(
            "Attribute", f"attribute_{uid}", item["attribute"], fitting, on_change=_choose_attribute, args=(uid,)
        )
    if item["kind"] == SIGNAL:
        with right:
            key = kept.shown(f"key_{uid}", item["key"])
            st.text_input(
                "Key", key=key, max_chars=100, live=True, placeholder="city", on_change=_set_item,
                args=(uid, "key", key), help="The signal is key=value, as rules of traits name it.",
            )  # fmt: skip
    elif item["attribute"]:
        _values(uid, item, offered)


def _trait(uid: str, chosen: int | None, offered: Mapping[int, str]) -> None:
    """One of the data source's traits, or a number that is not registered here."""
    options = [str(one) for one in offered]
    value = None if chosen is None else str(chosen)
    if value is not None and value not in options:
        options.append(value)
    key = kept.shown(f"trait_{uid}", value)
    st.selectbox(
        "Trait", options, index=None, key=key, accept_new_options=True, placeholder="Choose a trait, or type its id",
        format_func=lambda one: words.trait(int(one), offered) if str(one).isdigit() else str(one),
        on_change=_set_trait, args=(uid, key), label_visibility="collapsed",
    )  # fmt: skip


def _values(uid: str, item: dict[str, Any], offered: Mapping[int, str]) -> None:
    """The most frequent values with a trait each; other values can be typed below them."""
    base = _base(uid, item, offered)
    key = f"values_{uid}_{item['attribute']}"
    labels = [words.trait(number, offered) for number in offered]
    labels += [one for one in base["trait"].dropna().unique() if one not in labels]
    st.data_editor(
        base, key=key, hide_index=True, row_height=38, num_rows="dynamic", width="stretch",
        height="content" if len(base) <= 8 else 360, on_change=_edit_values, args=(uid, key),
        alt="Values of the attribute with how many profiles have each, and the trait of each",
        column_config={
            "value": st.column_config.TextColumn("Value", required=True, width=130),
            "people": st.column_config.NumberColumn("Profiles", format="localized", disabled=True, width=75),
            "trait": st.column_config.SelectboxColumn("Trait", options=labels, width=190),
        },
    )  # fmt: skip
    st.caption("A value without a trait gives nothing. Upper and lower case are the same.")


def _base(uid: str, item: dict[str, Any], offered: Mapping[int, str]) -> pd.DataFrame:
    """The same rows from run to run, so that edits hold: what is kept, then the most frequent values."""
    mark, held = (item["attribute"], tuple(offered)), st.session_state.get(f"base_{uid}")
    if held is None or held[0] != mark:
        try:
            found = workspace().outbound.editing.values(item["attribute"], VALUES_SHOWN)
        except OnrampError:
            found = []
        given = {text.casefold(): trait for text, trait in item["traits"].items()}
        seen = {one["value"].casefold(): one["count"] for one in found}
        names = [*item["traits"], *(one["value"] for one in found if one["value"].casefold() not in given)]
        rows = [
            {
                "value": name, "people": seen.get(name.casefold()),
                "trait": words.trait(given[name.casefold()], offered) if name.casefold() in given else None,
            }
            for name in names
        ]  # fmt: skip
        frame = pd.DataFrame(rows, columns=["value", "people", "trait"]).astype(
            {"value": "str", "people": "Int64", "trait": "object"}
        )
        st.session_state[f"base_{uid}"] = held = (mark, frame)
    frame = held[1]
    assert isinstance(frame, pd.DataFrame)
    return frame


def others(draft: BuildDraft, check: BuildCheck, columns: list[Column], sources: Mapping[int, Source]) -> None:
    """The other columns of an ID sync."""
    with st.container(border=True):
        st.markdown("#### Other ids of the same person")
        st.caption("A column each. With hashed e-mail addresses the file is a c2c_id file, else an adobe_id file.")
        for number, other in enumerate(draft.others):
            uid = other["uid"]
            with st.container(border=True, key=f"item_{uid}", gap="small"):
                left, right = st.columns(2)
                with left:
                    whose.attribute(
                        "Id", f"attribute_{uid}", other["attribute"], columns, on_change=_choose_attribute, args=(uid,)
                    )
                with right:
                    whose.data_source(
                        "Whose ids", f"dpid_{uid}", other["dpid"], sources, on_change=_set_item, args=(uid, "dpid")
                    )
                told(check, f"others.{number}")
                st.button(
                    "Remove", icon=":material/close:", key=f"remove_{uid}", type="tertiary", on_click=_remove,
                    args=(uid,),
                )  # fmt: skip
        told(check, "others")
        st.button(
            "Another column", icon=":material/add:", key="add_other", type="tertiary", on_click=_add_other,
            args=(len(draft.others),),
        )  # fmt: skip


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────


def _add(kind: str, there: int) -> None:
    """A second click finds one more item there than it saw, and adds nothing."""
    edit(lambda draft: draft.items.append(new_item(kind)) if len(draft.items) == there else None)


def _add_other(there: int) -> None:
    edit(lambda draft: draft.others.append(new_other()) if len(draft.others) == there else None)


def _remove(uid: str) -> None:
    def work(draft: BuildDraft) -> None:
        draft.items = [one for one in draft.items if one["uid"] != uid]
        draft.others = [one for one in draft.others if one["uid"] != uid]

    edit(work)


def _set_item(uid: str, name: str, key: str) -> None:
    change_item(uid, **{name: st.session_state[key]})


def _set_trait(uid: str, key: str) -> None:
    text = str(st.session_state[key] or "").strip()
    change_item(uid, trait=int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None)


def _choose_attribute(uid: str, key: str) -> None:
    """With the attribute comes how it leaves; a signal is called like it at first."""
    name = st.session_state[key]
    column = next((one for one in workspace().outbound.editing.columns() if one.attribute == name), None)

    def work(draft: BuildDraft) -> None:
        item = draft.item(uid)
        if item is None:
            return
        was = item["attribute"]
        item.update(attribute=name, recipe="plain" if column is None else column.recipe)
        if item.get("kind") == SIGNAL and item["key"] in ("", was):
            item["key"] = name or ""
        if item.get("kind") == VALUES and was != name:
            item["traits"] = {}
        if "dpid" in item and item["dpid"] is None and column is not None:
            item["dpid"] = column.dpid

    edit(work)


def _edit_values(uid: str, key: str) -> None:
    change_item(uid, traits=traits_of(st.session_state[f"base_{uid}"][1].to_dict("records"), st.session_state[key]))


def traits_of(rows: Sequence[Mapping[str, Any]], delta: Mapping[str, Any]) -> dict[str, int]:
    """The table as it stands now, as value → trait. ``delta``: edited_rows, deleted_rows, added_rows of the editor."""
    changed = {int(number): values for number, values in delta["edited_rows"].items()}
    now = [{**row, **changed.get(number, {})} for number, row in enumerate(rows) if number not in delta["deleted_rows"]]
    made = [(str(row.get("value") or "").strip(), _number_of(row)) for row in (*now, *delta["added_rows"])]
    return {value: number for value, number in made if value and number}


def _number_of(row: Mapping[str, Any]) -> int | None:
    """The trait's number behind its label: ``Name (101)``."""
    label = row.get("trait")
    digits = label.rpartition("(")[2].rstrip(")").rpartition(" ")[2] if isinstance(label, str) else ""
    return int(digits) if digits.isdigit() else None
