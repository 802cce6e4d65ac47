"""Step 1: the file. Sent by the browser straight to disk, or taken out of the inbox; encrypted either way."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.signal_columns import is_of_signals
from ingest_core.errors import OnrampError
from ingest_core.files import sha256_of
from ingest_core.models import Mapping
from pages.steps import inbox
from pages.steps.known import is_known, say_known
from pages.ui.draft import Draft
from pages.ui.drop_zone import drop_zone
from pages.ui.state import workspace
from pages.ui.template import template_button
from pages.ui.text import count, escape, size
from pages.ui.waiting import Waiting


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    left, right = st.columns([3, 2])
    with left:
        if draft.landing_id:
            _received(draft)
        else:
            _zone(draft)
            if inbox.draw(draft):
                _go_on(draft)
    with right:
        _expected(draft, draft.workspace.mappings.current(draft.source))
    return None if draft.landing_id else "Choose a file first."


def _zone(draft: Draft) -> None:
    arrival = drop_zone(workspace(), draft.draft_id)
    if arrival is None:
        return
    try:
        draft.take_file(arrival.landing_id, arrival.name, arrival.size)
    except OnrampError:  # another window was faster
        draft.workspace.landing.delete(arrival.landing_id)
        raise
    with Waiting("Looking whether it was loaded before") as progress:
        draft.sha256 = sha256_of(draft.bytes(), progress)
        draft.save()
    _go_on(draft)


def _go_on(draft: Draft) -> None:
    """To the check of the file; one that was loaded before stops here first."""
    if not is_known(draft, draft.sha256):
        st.query_params["step"] = "check"
    st.rerun()


def _received(draft: Draft) -> None:
    say_known(draft, draft.sha256)
    with st.container(border=True):
        st.markdown(f"#### :green[:material/check_circle:] {escape(draft.file)}")
        st.caption(f"{size(draft.size)} received and encrypted on this machine.")
        if st.button("Choose another file", icon=":material/swap_horiz:", key="another_file"):
            draft.drop_file()
            st.rerun()


def _expected(draft: Draft, mapping: Mapping | None) -> None:
    """What a file of this source should look like, with a template to fill in."""
    limits, is_am = draft.workspace.settings, draft.source.dpid is not None
    with st.container(border=True):
        st.markdown("#### What we expect")
        st.markdown(
            f"- Tab-separated text in UTF-8 with one header row, up to {size(limits.browser_limit_bytes)}\n"
            f"- Column names without spaces or hyphens{'' if limits.strict_header else ': others are repaired'}\n"
            "- At least one identifier in every row: customer id, e-mail or phone\n"
            + ("- Or a data file of Audience Manager (.sync, .overwrite): its signals are columns\n" if is_am else "")
            + "\n"
            + (
                "Comma, semicolon, XLSX, gzip and other encodings are converted, and you are told."
                if limits.other_formats == "convert"
                else "Other formats are refused in this workspace."
            )
        )
        if mapping is None:
            st.caption("This is the first file of this source. Its columns will be matched in step 3 and remembered.")
            return
        used = [column.column for column in mapping.columns if column.attribute]
        st.markdown(" ".join(f":blue-badge[{escape(name)}]" for name in used))
        st.caption(f"{count(len(used), 'column')} matched by the saved mapping, version {mapping.version}.")
        if not is_of_signals(mapping):
            template_button(mapping)
