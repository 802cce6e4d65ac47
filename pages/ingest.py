"""The ingest wizard: five steps over one draft, whose id and step are in the URL."""

from __future__ import annotations

import time

import streamlit as st

from ingest_core.errors import OnrampError
from pages.steps import check, choose, match, options, run
from pages.ui import errors
from pages.ui.draft import STEPS, Draft
from pages.ui.links import breadcrumb, nothing_here
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, size

DOUBLE_CLICK = 0.3  # seconds; the second click of a double click must not leave the step that the first one led to
OTHER_WINDOW = ("draft_changed", "draft_gone")

MODULES = {"choose": choose, "check": check, "match": match, "options": options, "run": run}
TITLES = {
    "choose": "Choose a file",
    "check": "Check the file",
    "match": "Match columns to attributes",
    "options": "Options",
    "run": "Review and load",
}


def steps_done(draft: Draft) -> int:
    """How far a draft may go: without a file only to the first step."""
    return len(STEPS) if draft.landing_id else 1


def stepper(current: int) -> str:
    """The five steps as badges."""
    parts = []
    for i, step in enumerate(STEPS):
        if i < current:
            parts.append(f":green-badge[:material/check: {step.capitalize()}]")
        else:
            parts.append(f":{'blue' if i == current else 'gray'}-badge[{i + 1} {step.capitalize()}]")
    return " :material/chevron_right: ".join(parts)


def go(step: str) -> None:
    """To another step; it is part of the URL."""
    moment, last = time.monotonic(), st.session_state.get("went_at", 0.0)
    st.session_state["went_at"] = moment
    if moment - last > DOUBLE_CLICK:
        st.query_params["step"] = step


def bar(draft: Draft, current: int, blocked: str | None) -> None:
    """Back, the state of the draft or what is missing, Continue; always in sight."""
    with st.bottom.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="wizard_bar"
    ):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if current:
                st.button("Back", icon=":material/arrow_back:", key="back", on_click=go, args=(STEPS[current - 1],))
            st.caption(
                f":orange[:material/info: {blocked}]"
                if blocked
                else f":material/cloud_done: Draft saved {ago(draft.saved_at)}",
                help=f"Saved {when(draft.saved_at)}. You can leave and come back.",
                width="content",
            )
        if current + 1 < len(STEPS):
            st.button(
                f"Continue to {STEPS[current + 1]}", type="primary", icon=":material/arrow_forward:",
                icon_position="right", shortcut="Ctrl+Enter", key="continue", on_click=go, args=(STEPS[current + 1],),
                disabled=blocked is not None,
            )  # fmt: skip


def finished() -> None:
    """There is no such draft any more."""
    st.title("Ingest", anchor=False)
    with nothing_here(
        "task_alt",
        "This draft is finished",
        "It was loaded or deleted. The upload history shows every upload; a source starts a new one.",
    ):
        st.page_link("history.py", label="Upload history", icon=":material/history:")
        st.page_link("sources.py", label="Sources", icon=":material/database:")


def changed_elsewhere(draft: Draft) -> None:
    """Nothing of the step is drawn, so that what this window had in its fields is gone when it is drawn again."""
    with nothing_here(
        "sync",
        "This ingest was changed in another window",
        f"It was saved there {ago(draft.saved_at)}. What you did last in this window was not saved.",
    ):
        st.button("Go on from there", type="primary", key="look_again", on_click=draft.see)


draft = Draft.load(workspace(), st.query_params.get("draft", ""))
if draft is None:
    finished()
    st.stop()

wanted = st.query_params.get("step", STEPS[0])
position = min(STEPS.index(wanted) if wanted in STEPS else 0, steps_done(draft) - 1)
step = STEPS[position]

breadcrumb(
    ("Sources", "sources.py", {}),
    (draft.source.name, "source.py", {"source": str(draft.source.source_id)}),
    ("Ingest", None, {}),
)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.title(TITLES[step], anchor=False, width="content")
    st.markdown(stepper(position), width="content")
if draft.is_changed_elsewhere():
    changed_elsewhere(draft)
    st.stop()
if draft.landing_id and step not in ("choose", "match"):
    rows = f", {count(draft.inspection().rows, 'row')}" if draft.is_inspected() else ""
    st.caption(f"{escape(draft.file)}, {size(draft.size)}{rows}")
try:
    blocked = MODULES[step].draw(draft)
except OnrampError as error:
    if error.code in OTHER_WINDOW:
        st.rerun()  # says so, in the place of the step
    errors.show(error)
    blocked = "Solve the problem above first."
bar(draft, position, blocked)
