"""One build: what it is, what it would send now, the button that sends it, the second look, and all of its runs."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.approvals import Approval
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.builds import BuildPreview
from ingest_core.audience_manager.preflight import Preflight
from ingest_core.errors import OnrampError
from pages.audience import runs
from pages.builds import previewing, second_look, under_way, words
from pages.ui import errors
from pages.ui.links import breadcrumb, nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import count, escape, number
from pages.ui.waiting import at_once

FULL = "build_full"
VERDICTS = {
    "fine": ":green[:material/check_circle: Audience Manager would take it without a word.]",
    "ask": ":orange[:material/warning: It would be taken; some of it is worth a look.]",
    "blocked": ":red[:material/block: It would not be taken like this.]",
}


def what(build: Build) -> None:
    """The definition in a few lines."""
    opened = workspace()
    sources = opened.audience.registered().sources
    traits = {one.trait_id: one.name for one in opened.audience.traits.list()}
    with st.container(border=True):
        st.markdown("#### What it is")
        target = f", feeds {words.data_source(build.target, sources)}" if build.target else ""
        rows = {
            "Who": words.who(build),
            "Id": words.id_of(build.id.attribute, build.id.recipe),
            "Whose ids": words.data_source(build.dpid, sources) + target,
            "Mode": words.mode(build),
            "To": words.place(build) + (f", as {build.partner}/date=…" if build.partner else ""),
            "Packed": "gzip" if build.gzip else f"OpenPGP for {', '.join(build.pgp)}" if build.pgp else "no",
            "Second look": f"above {count(build.look_above_rows, 'row')} or "
            f"{count(build.look_above_removals, 'removal')}",
        }
        st.markdown("\n".join(f"- **{label}:** {escape(text)}" for label, text in rows.items()))
        st.markdown("**Carries**")
        st.markdown("\n".join(f"- {escape(text)}" for text in words.carries(build, traits, sources)))


def sending(build: Build, newest: int, held: Approval | None) -> BuildPreview | None:
    """The preview and the button."""
    with st.container(border=True, key="what_would_go"):
        st.markdown("#### What would be sent")
        is_full = build.changed and st.toggle(
            "Everything, also what was sent before", key=FULL, bind="query-params",
            help="After a run was given up it has to be everything once.",
        )  # fmt: skip
        try:
            preview = previewing.whole(build, newest, is_full=is_full)
        except OnrampError as error:
            errors.show(error)
            return None
        if preview is None:
            return None
        previewing.draw(preview, build)
        preflight(build, is_full=is_full, is_there=bool(preview.files))
        if held is None or held.fingerprint != preview.fingerprint:
            _button(build, preview, newest, is_full=is_full)
        else:
            st.caption(":orange[:material/visibility: This waits for a second look, above.]")
    return preview


def _button(build: Build, preview: BuildPreview, newest: int, *, is_full: bool) -> None:
    """One run, however often it is pressed: its key names the run that was the newest when it was drawn."""
    has_place = build.destination is not None or build.folder is not None
    if not has_place:
        st.caption(":orange[:material/info: It has no place yet. Edit the build and say where its files go.]")
    if preview.fingerprint is not None:
        st.caption(":orange[:material/visibility: So much needs a second look: it waits until somebody else agrees.]")
    with st.container(key="build_and_send"):
        st.button(
            "Ask for a second look" if preview.fingerprint is not None else "Build and send", type="primary",
            icon=":material/send:", key=f"send_build_{newest}_{is_full}",
            disabled=not has_place or not preview.files,
            help=None if preview.files else "There is nothing to send now.",
            on_click=under_way.ask, args=(build,), kwargs={"full": is_full, "after": newest},
        )  # fmt: skip


def preflight(build: Build, *, is_full: bool, is_there: bool) -> None:
    """What Audience Manager would say, of files that are made for this only."""
    if not is_there or not st.button(
        "Check as Audience Manager would", icon=":material/fact_check:", key="check_build"
    ):
        return
    try:
        with st.spinner("Processing it without storing anything"):
            found: Preflight | None = workspace().outbound.preflight_build(build, is_full=is_full)
    except OnrampError as error:
        errors.show(error)
        return
    if found is None:
        st.caption("It is too large to be tried here. Check the files under Pre-flight once they are made.")
        return
    st.markdown(VERDICTS[found.verdict])
    for file in found.files:
        for problem in (*file.check.problems, *file.remarks):
            st.caption(f"{escape(problem.title)} ({number(problem.count)}): {escape(problem.fix)}")
    for receipt in found.receipt.receipts if found.receipt else []:
        st.caption(
            f"{number(receipt.stored_records)} of {count(receipt.records_received, 'record')} would be stored, "
            f"{count(receipt.total_realized_traits, 'trait')} realized, {number(receipt.total_removed_traits)} removed."
        )


@st.dialog("Remove this build", icon=":material/delete:")
def remove(build: Build) -> None:
    """Asked once, with what goes."""
    st.markdown(
        f"**{escape(build.name)}** is removed. Its runs stay in the history; what Audience Manager was sent is "
        "forgotten, so a new build of this name begins with everything. Nothing is taken back there."
    )
    if st.button("Remove build", type="primary", key="remove_build_for_good"):
        try:
            with at_once(workspace()):
                workspace().outbound.builds.remove(build.name)
        except OnrampError as error:
            errors.show(error)
            return
        st.session_state["done"] = f"{escape(build.name)} removed"
        st.switch_page("am_builds.py")


def definitions(build: Build) -> list[str]:
    """By which names its runs are kept: both environments, and before its ids changed."""
    both = [build.model_copy(update={"environment": one}).definition for one in words.ENVIRONMENTS]
    return [*both, *(f"{one} (before)" for one in both)]


name = st.query_params.get("build", "")
outbound = workspace().outbound
build = next((one for one in outbound.builds.list() if one.name == name), None)
if build is None:
    st.title("Build", anchor=False)
    with nothing_here("construction", "This build is not there", "It was removed. Its runs are in the history."):
        st.page_link("am_builds.py", label="Build", icon=":material/construction:")
    st.stop()
    raise SystemExit
breadcrumb(("Build", "am_builds.py", {}), (build.name, None, {}))
with title_row(build.name):
    if st.button("Edit", icon=":material/edit:", key="edit_build", shortcut="E"):
        st.switch_page("am_build_edit.py", query_params={"build": build.name})
    if st.button("Remove", icon=":material/delete:", key="remove_build"):
        remove(build)
say_done()
newest = next((run.run_no for run in outbound.runs.list("build", build.definition, 1)), 0)
held = second_look.waiting(build)
above = st.container()
left, right = st.columns([2, 3])
with left:
    what(build)
with above:
    is_busy = under_way.draw(build)
    runs.waiting("build", definition=build.definition)
preview = None
if not is_busy:
    with right:
        preview = sending(build, newest, held)
if held is not None and not is_busy:
    with above:
        second_look.draw(held, build, preview)
st.markdown("#### Runs")
runs.history("build", definitions(build), names=None)
runs.drawer()
