"""Files of a pre-flight on their way: where to, despite what, and what became of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.audience_manager.preflight import PreflightFile
from ingest_core.audience_manager.preflights import Look
from ingest_core.audience_manager.received import Received, ReceivedFile
from ingest_core.audience_manager.sending import Way, key_of, place_given
from ingest_core.clock import now
from ingest_core.deliveries.order import Delivery
from ingest_core.errors import OnrampError
from ingest_core.transport.presets import environment_of, partner_of
from pages.out.words import state_of
from pages.ui import badges, errors
from pages.ui.state import workspace
from pages.ui.text import ago, count, escape

LOOK_EVERY = 2  # seconds, while a delivery is on its way


@st.dialog("Send files", icon=":material/send:", width=640)
def dialog(held: Received, look: Look) -> None:
    """Which files, where to; warnings ask, errors need a reason."""
    places = {one.name: one.place for one in workspace().destinations.list()}
    names = list(places)
    if not names:
        st.markdown("There is nowhere to send to yet. Add a destination first: a bucket, a server or a folder.")
        st.page_link("destinations.py", label="Add a destination", icon=":material/add:")
        return
    to = st.selectbox(
        "Destination", names, index=0 if len(names) == 1 else None, key="send_to", placeholder="Choose a destination"
    )
    judged = {file.name: one for file, one in zip(held.files, look.found.files, strict=True)}
    good = [name for name, one in judged.items() if one.verdict != "blocked"]
    chosen = st.multiselect("Files", list(judged), default=good, key="send_files")
    folder = look.place or (place_given(partner_of(places[to]), now()) if to else "")
    if chosen:
        _where(places[to] if to else None, [key_of(folder, name) for name in chosen], has_folder=bool(folder))
    has_seen, reason = _despite([judged[name] for name in chosen])
    is_ready = bool(chosen and to and has_seen is not False and reason != "")
    label = f"Send {count(len(chosen), 'file')}"
    if st.button(label, type="primary", icon=":material/send:", key="confirm_send", disabled=not is_ready):
        _send(held, judged, chosen, Way(to or "", folder, has_seen_warnings=bool(has_seen), reason=reason))


def _where(place: Any, keys: list[str], *, has_folder: bool) -> None:
    """The names that the files will have there."""
    st.code("\n".join(keys), language=None, wrap_lines=True)
    environment = environment_of(place) if place is not None else None
    if environment == "beta":
        st.caption(":material/science: Audience Manager's beta environment: names and contents are checked only.")
    if place is not None and place.kind == "s3" and not has_folder:
        st.caption(
            ":orange[:material/warning: Without a folder. Audience Manager's bucket takes files only in "
            "partner/date=YYYY-MM-DD/: name the partner on the page first.]"
        )


def _despite(files: list[PreflightFile]) -> tuple[bool | None, str | None]:
    """(warnings were seen, the reason for blocked files); None: there is nothing to say it about."""
    seen: bool | None = None
    reason: str | None = None
    asking = {one.title for file in files for one in (*file.check.problems, *file.remarks) if one.level == "warning"}
    if any(file.verdict == "ask" for file in files):
        st.caption(f":orange[:material/warning: {escape('; '.join(sorted(asking)))}]")
        seen = st.checkbox("I have looked at the warnings", key="seen_warnings")
    blocked = [file for file in files if file.verdict == "blocked"]
    if blocked:
        st.error(
            "Its receiver would refuse the file or leave lines out. It is sent all the same only for a reason, which "
            "the audit log keeps.",
            title=f"{count(len(blocked), 'file')} not to be sent", icon=":material/block:",
        )  # fmt: skip
        reason = str(st.text_input("Reason", key="send_reason", max_chars=200, placeholder="Naming nobody") or "")
        reason = reason.strip()
    return seen, reason


def _send(held: Received, judged: dict[str, PreflightFile], chosen: list[str], way: Way) -> None:
    opened = workspace()
    files = [(opened.received.source(file), judged[file.name]) for file in held.files if file.name in chosen]
    try:
        with st.spinner("Handing the files over"):
            sent = opened.preflights.sending.send(files, way)
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state["done"] = f"{count(len(sent), 'file')} on the way to {escape(way.destination)}"
    st.rerun()


def told(file: ReceivedFile, look: Look) -> None:
    """The deliveries of these bytes under this name; live while one is on its way."""
    found = _deliveries(file, look)
    if found:
        is_moving = any(one.status in ("waiting", "running") for one in found)
        st.fragment(_states, run_every=LOOK_EVERY if is_moving else None)(file, look, [one.status for one in found])


def _deliveries(file: ReceivedFile, look: Look) -> list[Delivery]:
    sha256 = look.hashes[file.name]
    found = workspace().deliveries.list(kind="file", search=file.name, limit=20)
    return [one for one in found if one.label == file.name and one.sha256 in (None, sha256)]


def _states(file: ReceivedFile, look: Look, shown: list[str]) -> None:
    found = _deliveries(file, look)
    if [one.status for one in found] != shown:
        st.rerun()
    for one in found:
        with st.container(horizontal=True, vertical_alignment="center"):
            said = f", {ago(one.finished_at)}" if one.finished_at else ""
            why = f" {escape(one.error['message'])} {escape(one.error.get('hint') or '')}" if one.error else ""
            state = badges.badge(state_of(one))
            st.markdown(f"{state} to **{escape(one.order.destination)}**{said}.{why}", width="stretch")
            st.page_link(
                "deliveries.py", label="The delivery", icon=":material/outbox:",
                query_params={"delivery": one.delivery_id},
            )  # fmt: skip
