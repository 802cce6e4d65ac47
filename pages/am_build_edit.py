"""A build while it is made or changed: who, ids, what the lines carry, how and where to; checked and shown live."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.build_check import BuildCheck, BuildProblem
from ingest_core.errors import OnrampError
from pages.builds import carries, files, previewing, telling, whose
from pages.builds.draft import URL, BuildDraft, change, mark_of
from pages.ui import errors, kept
from pages.ui.links import breadcrumb, nothing_here, title_row
from pages.ui.state import when, workspace
from pages.ui.text import ago, escape
from pages.ui.waiting import at_once


def name(draft: BuildDraft, check: BuildCheck) -> None:
    """The name; it stays once the build is kept, because what was sent is remembered under it."""
    key = kept.shown("build_name", draft.fields.get("name") or "")
    st.text_input(
        "Name", key=key, max_chars=200, placeholder="Gold customers to Audience Manager", live=True, required=True,
        disabled=draft.of is not None, on_change=_name, args=(key,),
        help="It stays: what was sent is remembered under it." if draft.of else None,
    )  # fmt: skip
    telling.told(check, "name")


def _name(key: str) -> None:
    change(name=str(st.session_state[key] or "").strip())


def checked(draft: BuildDraft, now: Build | None) -> BuildCheck:
    """The core's check, and that a new build does not take the place of another one."""
    check = workspace().outbound.editing.check(draft.build_fields)
    wanted = str(draft.fields.get("name") or "").casefold()
    if draft.of is None and any(one.name.casefold() == wanted for one in workspace().outbound.builds.list()):
        taken = BuildProblem(field="name", code="name_taken", message="There is a build of this name already.")
        return BuildCheck(build=None, problems=(taken, *check.problems))
    if draft.of is not None and now is None:
        gone = BuildProblem(
            field="name", code="gone", message="The build was removed meanwhile. Saving makes it anew.", is_error=False
        )
        return check.model_copy(update={"problems": (gone, *check.problems)})
    return check


def meanwhile(draft: BuildDraft, now: Build | None) -> bool:
    """Whether somebody else changed the build since: said here, and decided by the person."""
    if draft.of is None or now is None or mark_of(now) == draft.before:
        return False
    with st.container(border=True, key="changed_meanwhile"):
        st.markdown(f":orange[:material/sync_problem:] **{escape(now.name)} was changed meanwhile.**")
        with st.container(horizontal=True):
            st.button("Take that and drop my changes", key="take_theirs", on_click=_take_theirs)
            st.button("Keep mine", key="keep_mine", on_click=_keep_mine, args=(mark_of(now),))
    return True


def _take_theirs() -> None:
    kept.forget(URL)
    st.query_params.pop(URL, None)


def _keep_mine(mark: str) -> None:
    draft = BuildDraft.of_url()
    if draft is not None:
        draft.before = mark
        draft.keep()


def forgets(check: BuildCheck, now: Build | None) -> None:
    """What saving does to the memory of what was sent."""
    if check.build is not None and now is not None and check.build.remembered_by != now.remembered_by:
        st.warning(
            "What was sent before is forgotten, because it meant other ids: the next run sends everything.",
            title="The ids or their data source change", icon=":material/history:",
        )  # fmt: skip


def bar(draft: BuildDraft, check: BuildCheck, *, is_behind: bool) -> None:
    """What is missing, and the buttons; always in sight."""
    blocked = "Decide whose change is to stand." if is_behind else telling.first(check)
    with st.bottom.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="build_bar"
    ):
        if blocked:
            st.caption(f":orange[:material/info: {escape(blocked)}]", width="content")
        elif draft.saved_at:
            st.caption(
                f":material/cloud_done: Draft saved {ago(draft.saved_at)}", width="content",
                help=f"Saved {when(draft.saved_at)}. You can leave and come back.",
            )  # fmt: skip
        else:
            st.caption("Nothing is sent by saving.", width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if st.button("Discard", key="discard_build", type="tertiary", help="Throws the draft away."):
                kept.forget(URL)
                leave(draft.of)
            if st.button(
                "Save build", type="primary", icon=":material/check:", key="save_build", shortcut="Ctrl+Enter",
                disabled=blocked is not None,
            ):  # fmt: skip
                save(check)


def leave(of: str | None) -> None:
    """Back to the build, or to all of them."""
    if of is None:
        st.switch_page("am_builds.py")
    st.switch_page("am_build.py", query_params={"build": of})


def save(check: BuildCheck) -> None:
    """Keeps it once: the draft is gone with it."""
    assert check.build is not None
    try:
        with at_once(workspace()):
            build = workspace().outbound.builds.keep(check.build)
            kept.forget(URL)
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state["done"] = f"{escape(build.name)} saved"
    st.switch_page("am_build.py", query_params={"build": build.name})


def over() -> None:
    """A draft or build that is there no more."""
    st.title("Build", anchor=False)
    with nothing_here(
        "task_alt",
        "This draft is finished",
        "It was saved or discarded, here or in another window, or its build is gone.",
    ):
        st.page_link("am_builds.py", label="Build", icon=":material/construction:")
    st.stop()


draft = BuildDraft.of_url()
if draft is None:
    over()
    raise st.stop()
opened = workspace()
sources = opened.audience.registered().sources
columns = opened.outbound.editing.columns()
now = next((one for one in opened.outbound.builds.list() if one.name == draft.of), None)
check = checked(draft, now)
breadcrumb(
    ("Build", "am_builds.py", {}),
    *([(draft.of, "am_build.py", {"build": draft.of})] if draft.of and now else []),
    ("Edit" if draft.of else "New build", None, {}),
)
title_row(f"Edit {draft.of}" if draft.of else "New build")
is_behind = meanwhile(draft, now)
forgets(check, now)
left, right = st.columns([3, 2])
with left:
    name(draft, check)
    whose.who(draft, check)
    whose.ids(draft, check, columns, sources)
    if draft.kind == "data":
        carries.items(draft, check, columns, opened.audience.traits.list())
    else:
        carries.others(draft, check, columns, sources)
with right:
    previewing.beginning(check)
    files.effect(draft, check)
    files.place(draft, check)
    files.packing(draft, check)
    files.second_look(draft, check)
bar(draft, check, is_behind=is_behind)
