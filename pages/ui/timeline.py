"""What the uploads did to one customer, newest first, and how several profiles became this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ingest_core.models import Attribute
from pages.ui.links import upload_link
from pages.ui.state import when
from pages.ui.text import ago, count, escape, number

PAGE = 20
CHANGED, FIRST = ("blue", "edit"), ("green", "add")
EFFECTS = {
    "kept out": ("gray", "block", "Not taken, the stored value stays"),
    "cleared": ("orange", "ink_eraser", "Cleared"),
    "does not fit": ("orange", "warning", "Does not fit the type of today"),
    "not counted": ("gray", "undo", "Does not count"),
}
STATES = {"undone": ("undo", "Undone"), "replaced": ("history", "Replaced by a later file")}


def uploads(entries: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute]) -> None:
    """A box per upload, a page of them at a time."""
    page = st.pagination(-(-len(entries) // PAGE), key="entries") if len(entries) > PAGE else 1
    for entry in entries[(page - 1) * PAGE : page * PAGE]:
        with st.container(border=True, gap="xsmall", key=f"upload_{entry['request_id']}"):
            _upload(entry, attributes)
    st.caption(f"{count(len(entries), 'upload')} with rows of this customer, newest first.")


def _upload(entry: dict[str, Any], attributes: Mapping[str, Attribute]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"**{escape(entry['source'])}** :gray[{ago(entry['at'])}] {' '.join(_badges(entry))}",
            help=when(entry["at"]), width="content",
        )  # fmt: skip
        upload_link(entry["request_id"])
    st.caption(f"{escape(entry['file'])}, {lines_in_words(entry)}, uploaded by {escape(entry['user'])}")
    for joined in entry["joined"]:
        st.markdown(f":violet-badge[:material/merge: Joined] {_joined(joined, attributes)}")
    again = [said for said in entry["said"] if said["effect"] in ("set", "combined") and not said["is_change"]]
    for said in entry["said"]:
        if said not in again:
            st.markdown(_said(said, attributes))
    if again:
        names = ", ".join(escape(_name(said, attributes)) for said in again)
        st.caption(f":material/check: The same as before: {names}")


def _badges(entry: dict[str, Any]) -> list[str]:
    found = []
    if entry["state"] in STATES:
        icon, word = STATES[entry["state"]]
        by = f" by {escape(entry['undone_by'])}" if entry["state"] == "undone" and entry["undone_by"] else ""
        found.append(f":gray-badge[:material/{icon}: {word}{by}]")
    if entry["is_first"]:
        found.append(":green-badge[:material/person_add: First seen]")
    if entry["is_new_member"]:
        found.append(":blue-badge[:material/database: New in the source]")
    return found


def _said(said: dict[str, Any], attributes: Mapping[str, Attribute]) -> str:
    """City: Pune → Goa; what did not become the value says why."""
    name = escape(_name(said, attributes))
    value = escape(said["value"]) if said["value"] is not None else ":gray[no value]"
    if said["effect"] in EFFECTS:
        colour, icon, word = EFFECTS[said["effect"]]
        shown = f"~~{escape(said['before'])}~~" if said["effect"] == "cleared" and said["before"] else value
        return f"{name}: {shown} :{colour}-badge[:material/{icon}: {word}]"
    of = f" :gray[from {count(said['lines'], 'line')}]" if said["effect"] == "combined" else ""
    if said["before"] is None:
        return f"{name}: **{value}**{of}"
    return f"{name}: {escape(said['before'])} → **{value}**{of}"


def joined(entries: Sequence[dict[str, Any]], attributes: Mapping[str, Attribute]) -> None:
    """The uploads that made one person of several, newest first."""
    found = [(entry, one) for entry in entries for one in entry["joined"]]
    if not found:
        st.caption("Nothing was joined: every row has named this customer by the same identifiers from the start.")
        return
    for place, (entry, one) in enumerate(found):
        with st.container(border=True, gap="xsmall", key=f"joined_{place}"):
            st.markdown(_joined(one, attributes))
            st.caption(
                f"{escape(entry['source'])}, {escape(entry['file'])}, line {number(one['line'])}, {ago(entry['at'])}",
                help=when(entry["at"]),
            )
            upload_link(entry["request_id"])
    st.caption("Worked out from the rows that are this customer's today. Undoing the upload takes it apart again.")


def _joined(one: dict[str, Any], attributes: Mapping[str, Attribute]) -> str:
    """Profiles 1-2 and 3-7 became one, by Customer ID K1 and E-mail a•••@x.example."""
    profiles = " and ".join(f"**{escape(profile)}**" for profile in one["profiles"])
    by = " and ".join(f"{escape(_name(by, attributes))} {escape(by['value'] or '')}" for by in one["by"])
    return f"Profiles {profiles} became one, by {by}"


def lines_in_words(entry: dict[str, Any]) -> str:
    """Line 402; or: 12 lines, the first one is 402."""
    if entry["lines"] == 1:
        return f"line {number(entry['line'])}"
    return f"{count(entry['lines'], 'line')}, the first one is {number(entry['line'])}"


def _name(said: dict[str, Any], attributes: Mapping[str, Attribute]) -> str:
    attribute = attributes.get(said["attribute"])
    return attribute.display_name if attribute else str(said["attribute"])
