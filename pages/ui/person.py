"""One customer in a drawer: values with their lineage, what happened, where they belong. ``?profile=`` opens it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Attribute
from ingest_core.people.texts import LONGEST_REASON
from pages.ui import erasing, errors, timeline, values
from pages.ui.links import follow, go_next, segment_links
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once

VALUES, TIMELINE, BELONGS, JOINED = TABS = ("Values", "Timeline", "Sources and segments", "Came together")
WIDTH = 1000


def open_in_url(profile_id: str) -> None:
    """The drawer of this person is open from now on, also after a reload."""
    _close()
    st.query_params["profile"] = profile_id


def drawer(attributes: Mapping[str, Attribute]) -> None:
    """Draws the drawer when the URL names a profile."""
    if profile_id := st.query_params.get("profile"):
        _drawer(profile_id, attributes)


def _close() -> None:
    for name in ("profile", values.HISTORY):
        st.query_params.pop(name, None)


@st.dialog("Profile", position="right", icon=":material/person:", width=WIDTH, on_dismiss=_close)
def _drawer(profile_id: str, attributes: Mapping[str, Attribute]) -> None:
    follow()
    people = workspace().profiles
    try:
        found = people.person(profile_id)
    except OnrampError as error:
        errors.show(error)
        return
    _head(found)
    reason = _reason(found, attributes)
    if history := attributes.get(st.query_params.get(values.HISTORY, "")):
        values.history(history, _asked(partial(people.history_of, found["profile_id"], history.name), reason))
    else:
        for name, tab in zip(TABS, st.tabs(TABS, key="about", bind="query-params", on_change="rerun"), strict=True):
            if tab.open:
                with tab:
                    _tab(name, found, attributes, reason)
    st.caption(
        ":material/lock_open: Personal data is shown this once; the audit log says by whom and why."
        if reason
        else ":material/lock: Personal data is masked."
    )
    erasing.card(found)


def _head(found: dict[str, Any]) -> None:
    """Who it is, and where they belong now."""
    sources = " ".join(f":blue-badge[:material/database: {escape(name)}]" for name in found["sources"])
    segments = " ".join(f":violet-badge[:material/donut_small: {escape(name)}]" for name in found["segments"])
    who = f":gray-badge[:material/tag: {escape(found['profile_id'])}]"
    st.markdown(f"{who} {sources or ':orange-badge[In no source now]'} {segments}")


def _reason(found: dict[str, Any], attributes: Mapping[str, Attribute]) -> str | None:
    """Why personal data is to be shown, in the run in which it is; None in every other one."""
    if not any(attributes[name].pii for name in found["attributes"] if name in attributes):
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        reason = st.text_input(
            "Reason to see personal data", key="reveal_reason", max_chars=LONGEST_REASON, live=True, width=420,
            placeholder="Such as: call-back for ticket 4711",
            help="It is kept on the audit log. Do not name the person in it.",
        )  # fmt: skip
        is_asked = st.button(
            "Show personal data", icon=":material/visibility:", key="reveal", disabled=not (reason or "").strip(),
            help="Shows it once, until you do something else.",
        )  # fmt: skip
    return reason if is_asked else None


def _asked(ask: Callable[..., Any], reason: str | None) -> Any:
    """The answer, plain when there is a reason; masked again when it is refused, which is on the screen then."""
    if reason is None:
        return ask()
    try:
        with at_once(workspace()):
            return ask(reveal=True, reason=reason)
    except OnrampError as error:
        errors.show(error)
        return ask()


def _tab(name: str, found: dict[str, Any], attributes: Mapping[str, Attribute], reason: str | None) -> None:
    people, profile_id = workspace().profiles, found["profile_id"]
    if name == VALUES:
        values.table(found if reason is None else _asked(partial(people.person, profile_id), reason), attributes)
    elif name == BELONGS:
        _belongs(found)
    else:
        entries = _asked(partial(people.timeline_of, profile_id), reason)
        (timeline.uploads if name == TIMELINE else timeline.joined)(entries, attributes)


def _belongs(found: dict[str, Any]) -> None:
    """Sources with the upload that brought the person, segments, and traits where there are any."""
    members = found["memberships"]
    st.markdown("##### Sources")
    if members:
        _members(members)
    else:
        st.caption("In no source now: a later file of each source was loaded without this customer.")
    st.markdown("##### Segments")
    with st.container(horizontal=True):
        segment_links(found["segments"], workspace().segments.ids())
    if not found["segments"]:
        st.caption("In no segment.")
    if found["traits"]:
        st.markdown("##### Traits")
        _traits(found["traits"])
    st.caption(f"{count(len(members), 'source')}, {count(len(found['segments']), 'segment')}.")


def _traits(traits: list[dict[str, Any]]) -> None:
    """Traits of Audience Manager files, with when, from which file and line, and until when."""
    st.dataframe(
        pd.DataFrame(
            {
                "name": [trait["name"] for trait in traits],
                "source": [f"{trait['source']}: {trait['id']}" for trait in traits],
                "since": pd.to_datetime([trait["realised_at"] for trait in traits], utc=True),
                "until": pd.to_datetime([trait["until"] for trait in traits], utc=True),
                "file": [trait["file"] for trait in traits],
                "line": [trait["line"] for trait in traits],
                "receipt": [trait["request_id"] for trait in traits],
            }
        ),
        hide_index=True,
        row_height=38,
        height="content" if len(traits) <= 12 else 480,
        alt="Traits of the profile with their file, line and end",
        column_config={
            "name": "Trait",
            "source": "Known there as",
            "since": st.column_config.DatetimeColumn("Since", format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
            "until": st.column_config.DatetimeColumn("Until", format="D MMM YYYY", timezone=st.context.timezone),
            "file": "File",
            "line": st.column_config.NumberColumn("Line", format="localized"),
            "receipt": st.column_config.ButtonColumn(
                "Receipt", type="tertiary", alignment="left", key="open_trait", on_click=_open_receipt, args=(traits,),
            ),
        },
    )  # fmt: skip


def _open_receipt(traits: list[dict[str, Any]]) -> None:
    go_next("am_receipt.py", receipt=traits[st.session_state["open_trait"].row]["request_id"])


def _members(members: list[dict[str, Any]]) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "source": [member["source"] for member in members],
                "at": pd.to_datetime([member["at"] for member in members], utc=True),
                "file": [member["file"] for member in members],
                "upload": [member["request_id"] for member in members],
            }
        ),
        hide_index=True,
        row_height=38,
        height="content",
        alt="Sources of the profile with the upload that brought it there",
        column_config={
            "source": "Source",
            "at": st.column_config.DatetimeColumn(
                "Since", format="D MMM YYYY, HH:mm", timezone=st.context.timezone
            ),
            "file": "Brought by the file",
            "upload": st.column_config.ButtonColumn(
                "Upload", type="tertiary", alignment="left", key="open_member", on_click=_open_upload,
                args=(members,),
            ),
        },
    )  # fmt: skip


def _open_upload(members: list[dict[str, Any]]) -> None:
    go_next("upload.py", upload=members[st.session_state["open_member"].row]["request_id"])
