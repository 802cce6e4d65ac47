"""Files before they are processed: what they are, what would be skipped and why; then one button."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.received import Received
from ingest_core.errors import OnrampError
from pages.audience import basket, checked, outcome
from pages.ui import errors
from pages.ui.links import breadcrumb, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape
from pages.ui.waiting import at_once

EVERY = 1  # seconds between two looks
PHASES = {
    "read names": "Reading the names",
    "read": "Reading the lines",
    "traits": "Working out the traits",
    "ids": "Mapping the ids to devices",
}


def choose(held: Received) -> None:
    """Drop files, or pick some of the inbox."""
    if basket.choose(held, basket.KINDS, held.inbound_id) is not None:
        st.rerun()


def expected() -> None:
    """What may come, in a few lines."""
    with st.container(border=True):
        st.markdown("#### What we expect")
        st.markdown(
            "- A data file, such as `ftp_dpm_478_1790000000.sync` or `….overwrite.gz`: a line per user, "
            "its id, one tab, its traits and signals\n"
            "- An ID sync, such as `adobe_id_0_478_1790000000.sync`: ids of the same people, a column per data source\n"
            "- Parts of one file together: `….sync.1.gz`, `….sync.2.gz`\n\n"
            "The name says whose ids are in the file; it has to stay as it is."
        )
        st.caption(
            "First you see what each file is, what would be left out and why. Nothing is stored until you say so."
        )


def decide(held: Received) -> None:
    """Production or a try, and the button; a second click finds that it was clicked."""
    with st.container(border=True, key="decide"):
        is_beta = st.toggle(
            "Beta: check names and contents only, store nothing", key="beta",
            help="As Audience Manager's beta environment: no id is known there, so every good record has no match.",
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center"):
            label = f"Process {count(len(held.files), 'file')}"
            if st.button(label, type="primary", icon=":material/play_arrow:", key="process"):
                try:
                    workspace().received.process(held.inbound_id, "beta" if is_beta else "production")
                except OnrampError as error:
                    errors.show(error)
                    return
                workspace().rounds.wake(workspace().receiving.name)
                st.rerun()
            if st.button("Discard", icon=":material/delete:", type="tertiary", key="discard"):
                with at_once(workspace()):
                    workspace().received.discard(held.inbound_id)
                st.switch_page("am_files.py")
            st.page_link(
                "am_preflight.py", label="Pre-flight", icon=":material/flight_takeoff:",
                query_params={"preflight": held.inbound_id},
            )  # fmt: skip
            st.caption("You can close the page then: the files are processed in the background.")


@st.fragment(run_every=EVERY)
def live(inbound_id: str) -> None:
    """While it waits and is processed; draws the page again when it has ended."""
    held = workspace().received.get(inbound_id)
    if held.state not in ("waiting", "processing"):
        st.rerun()
    doing = workspace().receiving.doing
    with st.container(border=True, key="live"):
        if held.state == "waiting" or doing is None or doing.inbound_id != inbound_id:
            st.markdown(":blue[:material/schedule:] **Waiting for its turn**")
        else:
            lines = f": {count(doing.done, 'line')} so far" if doing.phase == "read" and doing.done else ""
            phase = PHASES.get(doing.phase, "Storing the results")
            st.markdown(f":blue[:material/progress_activity:] **{phase}**{lines}")
        st.progress(1.0, text=f"{count(len(held.files), 'file')}, chosen {ago(held.created_at)}")
    st.caption(":material/info: You can close this page. The files are processed, and their receipt stays in the list.")


held = workspace().received.get(st.query_params.get("received", ""))
breadcrumb(("Audience Manager files", "am_files.py", {}), ("Check and process", None, {}))
title_row("Check and process")
say_done()
if held.state == "chosen" and held.files:
    checked.draw(held)
    decide(held)
    with st.expander("Add other files to this batch", icon=":material/add:", key="another"):
        choose(held)
elif held.state == "chosen":
    left, right = st.columns([3, 2])
    with left:
        choose(held)
    with right:
        expected()
elif held.state in ("waiting", "processing"):
    files_named = ", ".join(escape(file.name) for file in held.files)
    st.markdown(f":gray[{files_named}]")
    live(held.inbound_id)
else:
    outcome.draw(held)
