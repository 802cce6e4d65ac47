"""The first half of a result: what became of the upload in a sentence, figures and two pictures."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Receipt
from ingest_core.reasons import REASONS
from pages.result import parameters
from pages.ui import badges, charts, notice_words, told
from pages.ui.links import notices_link
from pages.ui.state import when, workspace
from pages.ui.text import ago, escape, number, percent

SHORT_LIST = 3  # reasons beside which the left card would stand half empty


def headline(receipt: Receipt) -> None:
    """Badge, who and when, and the sentence."""
    marks = " ".join(badges.badge(word) for word in badges.words(receipt))
    at = receipt.finished_at or receipt.created_at
    moment = f", {when(at)}" if at else ""
    took = f", {told.took(receipt)}" if told.took(receipt) else ""
    st.markdown(f"{marks} :gray[{escape(receipt.uploaded_by)}{moment}{took}]", help=ago(at) if at else None)
    aftermath(receipt)
    if receipt.status == "Completed":
        st.markdown(told.outcome(receipt))
    elif receipt.error:
        st.error(
            escape(receipt.error.get("hint") or "Nothing was changed."),
            title=escape(receipt.error.get("message") or "Not one row was stored."),
            icon=":material/error:",
        )
    who_was_told(receipt)


def who_was_told(receipt: Receipt) -> None:
    """How far its notices are, and the way to them."""
    notices = workspace().notices.list(request_id=receipt.request_id)
    if notices:
        notices_link(notice_words.told(notices), receipt.request_id)


def aftermath(receipt: Receipt) -> None:
    """Says when the upload counts for nothing now: its figures are history then."""
    if receipt.undone_at is not None:
        what = f"Undone by {escape(receipt.undone_by or 'somebody')}, {ago(receipt.undone_at)}"
        icon, help = "undo", when(receipt.undone_at)
    elif "Replaced" in receipt.badges:
        what, icon, help = "Replaced by a later file of this source, values too", "history", None
    else:
        return
    with st.container(border=True, key="aftermath"):
        st.markdown(
            f":material/{icon}: **{what}.** :gray[Nothing of this upload counts now. The figures below are history: "
            "what it did when it was loaded.]",
            help=help,
        )


def figures(receipt: Receipt) -> None:
    """Numbers that add up to the file."""
    shares = told.reject_share(receipt)
    cards = [
        ("Rows in file", receipt.lines - receipt.blank, None),
        ("Profiles created", receipt.created, None),
        ("Profiles updated", receipt.updated, None),
        ("Unchanged", receipt.unchanged, None),
        ("Rejected", receipt.rejected, f"{percent(shares)} of rows" if receipt.rejected else None),
    ]
    if receipt.withheld:
        cards.insert(4, ("Withheld", receipt.withheld, "good rows of a failed upload"))
    with st.grid(len(cards), min_column_width=140):
        for name, value, note in cards:
            st.metric(
                name, number(value), delta=note, delta_color="off", delta_arrow="off", border=True, height="stretch"
            )
    st.caption(f"{told.equation(receipt)}.")


def pictures(receipt: Receipt) -> None:
    """Where the rows went, and why some were rejected; a click on a reason shows its rows below."""
    left, right = st.columns(2) if receipt.rejects_by_reason else (st.container(), None)
    with left.container(border=True, height="stretch"):
        st.markdown("#### Where the rows went")
        charts.where_rows_went(receipt)
        if len(receipt.rejects_by_reason) > SHORT_LIST and receipt.steps:
            st.markdown("#### Where the time went")
            slowest = sorted(receipt.steps, key=lambda step: -step.seconds)[:5]
            charts.step_times([step.name for step in slowest], [step.seconds for step in slowest])
        if receipt.profiles_after != receipt.profiles_before:
            st.caption(f"Profiles: {number(receipt.profiles_before)} before, {number(receipt.profiles_after)} after.")
        for notice in receipt.notices:
            st.caption(f":material/info: {escape(notice)}")
    if right is None:
        return
    with right.container(border=True, height="stretch"):
        st.markdown("#### Why rows were rejected")
        st.caption("Click a bar to see its rows.")
        charts.reject_reasons(receipt.rejects_by_reason, key="reasons", on_select=lambda: _clicked(receipt))


def _clicked(receipt: Receipt) -> None:
    points = st.session_state["reasons"].selection.points
    code = str(points[0]["customdata"][0]) if points else None
    parameters.show_reason(code)
    st.session_state[parameters.TAB] = parameters.rejected_tab(receipt)


def title_of(code: str) -> str:
    """A reason in words."""
    return REASONS[code].title if code in REASONS else code
