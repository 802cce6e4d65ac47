"""A file that was loaded before: said as soon as it is here, and again where the file is checked."""

from __future__ import annotations

import streamlit as st

from pages.ui.draft import Draft
from pages.ui.links import open_upload
from pages.ui.state import overview, when
from pages.ui.text import ago, escape


def is_known(draft: Draft, sha256: str) -> bool:
    """Whether the same bytes are loaded into this source."""
    return bool(sha256) and overview().loaded_before(draft.source.source_id, sha256) is not None


def say_known(draft: Draft, sha256: str) -> None:
    """Who loaded the same bytes when, with a way to that upload; nothing for a new file."""
    before = overview().loaded_before(draft.source.source_id, sha256) if sha256 else None
    if before is None:
        return
    request_id, finished_at, user = before
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":orange[:material/history:] **This file was loaded before**, {ago(finished_at)} by {escape(user)}. "
            "Loading it again would change nothing; it needs your word in the options.",
            width="stretch", help=when(finished_at),
        )  # fmt: skip
        if st.button("See that upload", key="see_before"):
            open_upload(request_id)
