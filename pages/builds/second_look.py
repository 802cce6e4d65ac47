"""The second look at a large run: what waits, who may say yes, and the answer."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.approvals import MOST_NOTE, Approval
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.builds import BuildPreview
from ingest_core.errors import OnrampError
from pages.builds import under_way
from pages.ui import errors
from pages.ui.links import go_next
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape

NOTE = "look_note"


def lines() -> None:
    """On the list: one line for each run that waits, with a way to its build."""
    for one in workspace().outbound.approvals.list(answer="waiting"):
        build = next((b for b in workspace().outbound.builds.list() if b.definition == one.definition), None)
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"looks_{one.run_id}"):
            st.markdown(
                f":orange[:material/visibility:] **{escape(one.definition)}** needs a second look: {_much(one)}. "
                f":gray[Asked for by {escape(one.requested_by)} {ago(one.requested_at)}.]",
                width="stretch",
            )
            if build is not None:
                st.button(
                    "Look", key=f"look_at_{one.run_id}", on_click=go_next, args=("am_build.py",),
                    kwargs={"build": build.name},
                )  # fmt: skip


def waiting(build: Build) -> Approval | None:
    """What waits of this build."""
    found = workspace().outbound.approvals.list(answer="waiting", definition=build.definition, limit=1)
    return found[0] if found else None


def draw(one: Approval, build: Build, preview: BuildPreview | None) -> None:
    """What waits and the answer; the preview beside it has to be the very same lines."""
    opened = workspace()
    with st.container(border=True, key="second_look"):
        st.markdown(f":orange[:material/visibility:] **Needs a second look: {_much(one)}**")
        st.caption(
            f"Asked for by {escape(one.requested_by)}, {when(one.requested_at)}. Above "
            f"{count(build.look_above_rows, 'row')} or {count(build.look_above_removals, 'removal')} of this build "
            "somebody else looks first."
        )
        if preview is not None and preview.fingerprint != one.fingerprint:
            st.warning(
                "Something else would be sent by now, so that it waits anew when somebody says yes.",
                title="Profiles changed since it was asked for", icon=":material/sync_problem:",
            )  # fmt: skip
        typed = st.text_input(
            "Note", key=NOTE, max_chars=MOST_NOTE, live=True, placeholder="Why it may go, or not",
            help="It is kept in the audit log with your name. Name nobody in it.",
        )  # fmt: skip
        note = str(typed or "").strip()
        try:
            refusal = opened.outbound.approvals.refusal(one.run_id, opened.user, note)
        except OnrampError as error:
            refusal = None
            errors.show(error)
        if refusal is not None:
            st.caption(f":orange[:material/info: {escape(_why(refusal))}]")
        with st.container(horizontal=True):
            st.button(
                "Approve and send", type="primary", icon=":material/check:", key=f"approve_{one.run_id}",
                disabled=refusal is not None, on_click=_approve, args=(one, build, note),
            )  # fmt: skip
            if st.button("Decline", icon=":material/block:", key=f"decline_{one.run_id}", disabled=not note,
                         help=None if note else "Write down why first."):  # fmt: skip
                _decline(one, note)


def _much(one: Approval) -> str:
    return f"{count(int(one.counts['rows']), 'row')} and {count(int(one.counts['removals']), 'removal')}"


def _why(refusal: OnrampError) -> str:
    others = refusal.facts.get("others")
    if isinstance(others, list) and others:
        return f"You asked for it, so somebody else approves it, such as {', '.join(map(str, others[:3]))}."
    return refusal.message


def _approve(one: Approval, build: Build, note: str) -> None:
    under_way.ask(build, approve=one.run_id, note=note, content=one.fingerprint)


def _decline(one: Approval, note: str) -> None:
    opened = workspace()
    try:
        opened.outbound.approvals.decline(one.run_id, opened.user, note)
    except OnrampError as error:
        errors.show(error)
        return
    st.rerun()
