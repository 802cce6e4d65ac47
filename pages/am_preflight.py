"""Pre-flight: files before they are sent; what would become of them, what can be put right, and on their way."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from ingest_core.audience_manager.preflight_page import page as report_page
from ingest_core.audience_manager.preflights import Look
from ingest_core.audience_manager.received import Received
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from pages.audience import basket, checked, code_drawer, preflight_file, receipt_parts, sending_files, words
from pages.ui import badges, errors
from pages.ui.links import say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape, number
from pages.ui.waiting import Waiting, at_once

PARAMETER, FLOW = "preflight", "preflight_flow"
PAGE = 10
PHASES = {
    "check": "Checking the lines", "read names": "Reading the names", "read": "Processing as a dry run",
    "traits": "Working out the traits", "ids": "Mapping the ids to devices",
}  # fmt: skip


def add_files(held: Received | None) -> None:
    """The drop zone and the inbox; the page is drawn again with what came."""
    inbound_id = basket.choose(held, basket.ANY_KIND, basket.flow_of(held, FLOW))
    if inbound_id is None:
        return
    if held is None:
        basket.has_begun(inbound_id, FLOW)
        st.query_params[PARAMETER] = inbound_id
    st.rerun()


def place() -> str:
    """The folder of the bucket for which the names are judged."""
    return st.text_input(
        "Folder in the bucket", key="place", bind="query-params", placeholder="partner/date=YYYY-MM-DD", max_chars=150,
        width=420,
        help="Where the files will lie in an S3 bucket: then their whole key is judged, and they are sent there. The "
        "partner's name is enough; the day of today (UTC) is added. Leave it empty for SFTP and FTP.",
    ).strip()  # fmt: skip


def empty() -> None:
    """What this is for, and where files come in."""
    left, right = st.columns([3, 2])
    with left:
        add_files(None)
    with right:
        with st.container(border=True):
            st.markdown("#### What pre-flight is for")
            st.markdown(
                "It says what would become of files for Audience Manager if they were sent now: what would be "
                "refused or left out and why, and what the receipt would say. Nothing is stored or sent before you say "
                "so, and what can be put right by itself is offered as a new file."
            )
        place()
        if open_ones := [one for one in workspace().received.open() if one.state == "chosen"]:
            with st.container(border=True, gap="small"):
                st.markdown("#### Go on with")
                for held in open_ones[:5]:
                    more = f" and {count(len(held.files) - 1, 'other file')}" if len(held.files) > 1 else ""
                    st.page_link(
                        "am_preflight.py", label=f"{escape(held.files[0].name)}{more}, {ago(held.created_at)}",
                        icon=":material/draft:", query_params={PARAMETER: held.inbound_id},
                    )  # fmt: skip


def looked(held: Received, folder: str) -> Look:
    """What is said of the files; worked out once."""
    with Waiting("Pre-flight", PHASES, "line") as progress:
        registered = workspace().audience.registered()
        return workspace().preflights.look(held, registered, folder, progress, lambda: at_once(workspace()))


def whole(held: Received, look: Look) -> None:
    """The verdict of all files together, and what can be done with them."""
    files = look.found.files
    with st.container(border=True, key="verdict"):
        counted = {word: sum(one.verdict == word for one in files) for word in ("blocked", "ask", "fine")}
        told = [
            f"{number(counted[word])} {said}"
            for word, said in (("blocked", "with errors"), ("ask", "with warnings"), ("fine", "fine"))
            if counted[word]
        ]
        st.markdown(f"### {badges.badge(words.VERDICTS[look.found.verdict])}")
        st.markdown(f"**{count(len(files), 'file')}:** {', '.join(told)}.")
        with st.container(horizontal=True, vertical_alignment="center"):
            kind: Literal["primary", "secondary"] = "secondary" if look.found.verdict == "blocked" else "primary"
            if st.button("Send", type=kind, icon=":material/send:", key="send"):
                sending_files.dialog(held, look)
            can_process = any(one.check.kind in ("data", "id_sync") for one in files)
            if st.button("Process here", icon=":material/play_arrow:", key="process_here", disabled=not can_process):
                process(held)
            st.download_button(
                "Save the report", data=report_page(look.found, f"{now():%Y-%m-%d %H:%M} UTC"), mime="text/html",
                file_name=f"preflight_{now():%Y%m%d_%H%M}.html", icon=":material/download:", key="save_report",
                on_click="ignore",
            )  # fmt: skip
            if st.button("Discard", icon=":material/delete:", type="tertiary", key="discard"):
                with at_once(workspace()):
                    workspace().received.discard(held.inbound_id)
                st.session_state["done"] = "Discarded. The files were deleted"
                st.switch_page("am_preflight.py")


def process(held: Received) -> None:
    """Hands the files over; a second click finds that it was clicked."""
    try:
        workspace().received.process(held.inbound_id)
    except OnrampError as error:
        errors.show(error)
        return
    workspace().rounds.wake(workspace().receiving.name)
    st.switch_page("am_batch.py", query_params={"received": held.inbound_id})


def cards(held: Received, look: Look) -> None:
    """The files, ten to a page."""
    pairs = list(zip(held.files, look.found.files, strict=True))
    slot = st.container()
    pages = -(-len(pairs) // PAGE)
    at = st.pagination(pages, key="preflight_page", bind="query-params") if pages > 1 else 1
    with slot:
        for received, judged in pairs[(at - 1) * PAGE : at * PAGE]:
            preflight_file.card(held, received, judged, look)


def receipt(look: Look) -> None:
    """What the receipt would say."""
    report = look.found.receipt
    if report is None:
        return
    checked.summary(report, is_trial=True, title="What the receipt would say")
    if report.receipts:
        with st.expander("All counters", icon=":material/receipt_long:", key="all_counters"):
            receipt_parts.counters(report)
    if report.id_sync:
        with st.expander("ID syncs", icon=":material/fingerprint:", key="all_syncs"):
            receipt_parts.id_syncs(report)


def draw(held: Received) -> None:
    """A basket that is not handed over yet."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        folder = place()
        beside = st.container(width="stretch")
    try:
        look = looked(held, folder)
    except OnrampError as error:
        errors.show(error)
        st.button("Try again", icon=":material/refresh:", key="again")
        return
    if look.place:
        beside.caption(f":material/folder: Judged as {escape(look.place)}/…")
    whole(held, look)
    cards(held, look)
    receipt(look)
    with st.expander("Add other files", icon=":material/add:", key="another", expanded=False):
        add_files(held)
    code_drawer.drawer(held, look)


asked = st.query_params.get(PARAMETER)
with title_row("Pre-flight"):
    if asked and st.button("New pre-flight", icon=":material/add:", shortcut="N", key="new_preflight"):
        st.switch_page("am_preflight.py")
say_done()
if not asked:
    empty()
else:
    held = workspace().received.get(asked)
    if held.state != "chosen":
        st.info("These files were handed over to be processed here.", icon=":material/play_arrow:")
        st.page_link(
            "am_batch.py", label="What became of them", icon=":material/receipt_long:",
            query_params={"received": held.inbound_id},
        )  # fmt: skip
    elif held.files:
        draw(held)
    else:
        place()
        add_files(held)
