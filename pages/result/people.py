"""Whom an upload changed, with values before and after it; masked."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from ingest_core.errors import StateError
from ingest_core.models import Receipt
from pages.result.parameters import KIND, PEOPLE_PAGE
from pages.ui.state import workspace
from pages.ui.tables import changes_table
from pages.ui.text import escape, number

PEOPLE_SHOWN = 200
KINDS = {"created": "Created", "updated": "Updated", "unchanged": "Unchanged"}


def draw(receipt: Receipt) -> None:
    """The people of the upload with what it changed, a page of them at a time."""
    slot = st.container()
    page = 1
    if receipt.stored > PEOPLE_SHOWN:
        page = st.pagination(-(-receipt.stored // PEOPLE_SHOWN), key=PEOPLE_PAGE, bind="query-params")
    first = (page - 1) * PEOPLE_SHOWN
    with slot:
        try:
            people = workspace().profiles.changed_by(str(receipt.request_id), PEOPLE_SHOWN, first)
        except StateError as error:
            st.caption(f"{escape(error.message)} {escape(error.hint)}")
            return
        kind = st.pills(
            "What became of them", list(KINDS), format_func=KINDS.__getitem__, label_visibility="collapsed", key=KIND,
            bind="query-params",
        )  # fmt: skip
        shown = [person for person in people if kind in (None, person["kind"])]
        if shown:
            changes_table(shown, KINDS, key="open_person")
        else:
            st.caption("Nobody of these people.")
        counts = Counter(person["kind"] for person in people)
        said = ", ".join(f"{number(counts[kind])} {word.lower()}" for kind, word in KINDS.items() if counts[kind])
        of = f" of {number(receipt.stored)}" if receipt.stored > PEOPLE_SHOWN else ""
        st.caption(
            f"People {number(first + 1)} to {number(first + len(people))}{of} in the order of the lines, as they are "
            f"known today: {said or 'nobody'}. Personal data is masked."
        )
