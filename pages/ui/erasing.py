"""Erasing a customer from the drawer: first what would go, then one button that says it is for good."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.people.erasure import Erased
from ingest_core.people.texts import LONGEST_REASON
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once

SEEN = "erase_preview"


def card(found: dict[str, Any]) -> None:
    """At the end of the drawer."""
    profile_id = found["profile_id"]
    with st.expander("Erase this customer", icon=":material/person_remove:", key="erase"):
        st.markdown("For a request to be forgotten. It cannot be undone.")
        if st.button("See what would go", icon=":material/search:", key="erase_look"):
            st.session_state[SEEN] = _preview(profile_id)
        seen: Erased | None = st.session_state.get(SEEN)
        if seen is not None and seen.profile_id == profile_id:
            _decide(seen)


def _preview(profile_id: str) -> Erased | None:
    try:
        with at_once(workspace()):
            return workspace().erasure.preview_of(profile_id)
    except OnrampError as error:
        errors.show(error)
        return None


def _decide(seen: Erased) -> None:
    st.markdown("\n".join(f"- {sentence}" for sentence in effects(seen)))
    st.caption(
        ":material/info: What already left this workspace as a file, and backups made before, still hold the customer."
    )
    reason = st.text_input(
        "Reason", key="erase_reason", max_chars=LONGEST_REASON, live=True, placeholder="Such as: request 4711",
        help="It is kept on the audit log. Do not name the person in it.",
    )  # fmt: skip
    if st.button("Erase for good", type="primary", key="erase_now", disabled=not (reason or "").strip()):
        _erase(seen.profile_id, reason)


def _erase(profile_id: str, reason: str) -> None:
    try:
        with at_once(workspace()):
            workspace().erasure.erase_of(profile_id, reason=reason)
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state.pop(SEEN, None)
    st.query_params.pop("profile", None)
    st.toast("Erased. Rows of this customer are left out of later files.", icon=":material/check:")
    st.rerun()


def effects(seen: Erased) -> list[str]:
    """What an erasure takes, a sentence each."""
    rows, uploads = count(seen.rows, "row"), count(seen.uploads, "upload")
    told = [
        f"**{rows}** of {uploads} leave the record log, and the profile is gone.",
        f"Personal values that nobody else has are deleted: **{seen.values:,}**; others keep {seen.kept_values:,}.",
        f"Later files cannot bring the customer back; barred: **{count(seen.suppressed, 'identifier')}**."
        if seen.suppressed
        else "No identifier is this customer's alone: **a later file can bring the customer back**.",
    ]
    if seen.rejected_rows:
        told.append(f"Rejected rows that name the customer are deleted: **{seen.rejected_rows:,}**.")
    return told + [f"Segment {escape(one.name)}: {one.before or 0:,} → {one.after or 0:,}." for one in seen.segments]
