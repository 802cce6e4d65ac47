"""A run of a build in the background: asked for once, watched live, or why it could not be made."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.errands import Errand
from pages.builds import previewing
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import ago, escape, number

PHASES = {
    "": "Waiting for its turn", "people": "Reading profiles and checking their lines", "rows": "Writing the files",
    "send": "Sending the files",
}  # fmt: skip
LOOKED_AT = ("needs_second_look", "other_content")
"""What waits then is told by the second look itself."""


def ask(build: Build, **wanted: Any) -> None:
    """For callbacks: lets a run wait for its turn; a second click finds that it waits."""
    opened = workspace()
    opened.outbound.errands.ask("build", build.definition, {"name": build.name, **wanted}, opened.user)


def draw(build: Build) -> bool:
    """What is under way for a build, live; whether anything is."""
    errand = workspace().outbound.errands.of("build", build.definition)
    if errand is None:
        return False
    if errand.state == "failed" and errand.error is not None:
        if errand.error["code"] not in LOOKED_AT:
            st.error(
                escape(errors.HINTS.get(errand.error["code"], errand.error["hint"])),
                title=escape(errand.error["message"]), icon=":material/error:",
            )  # fmt: skip
        elif errand.error["code"] == "other_content":
            st.warning(
                escape("Look at it again."), title=escape(errand.error["message"]), icon=":material/sync_problem:"
            )
        return False
    st.fragment(_live, run_every=1)(errand)
    return True


def _live(seen: Errand) -> None:
    """Looks once a second; draws the page again when it is done."""
    errands = workspace().outbound.errands
    errand = errands.of("build", seen.definition)
    if errand is None or errand.errand_no != seen.errand_no or errand.state == "failed":
        previewing.again()
        st.rerun()
    doing = errands.doing if errands.doing is not None and errands.doing.errand_no == errand.errand_no else None
    with st.container(border=True, key="under_way"):
        phase = PHASES.get(doing.phase, "Working") if doing else PHASES[""]
        much = f": {number(doing.done)} of {number(doing.total)}" if doing and doing.total and doing.done else ""
        st.progress(min(1.0, doing.done / doing.total) if doing and doing.total else 0.0, text=f"{phase}{much}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f"Asked for by {escape(errand.requested_by)} {ago(errand.asked_at)}. You can close this page.",
                width="stretch",
            )
            if st.button("Stop", icon=":material/stop_circle:", key="stop_build"):
                errands.stop(errand.errand_no)
                st.rerun()
