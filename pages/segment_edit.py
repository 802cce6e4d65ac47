"""A segment while it is made or changed: its name, its rule by clicking or as JSON, whom it finds now."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from ingest_core.catalog.names import check_upper_snake
from ingest_core.errors import OnrampError
from ingest_core.segments.editing import as_group, conditions, part_of
from ingest_core.segments.records import HIGHEST_PRIORITY, LONGEST_DESCRIPTION
from ingest_core.segments.rules import rule_from_text
from pages.ui import errors, kept
from pages.ui.links import breadcrumb, nothing_here, title_row
from pages.ui.members import people_table
from pages.ui.rule_choices import Choices, counted, told
from pages.ui.rule_tree import Tree
from pages.ui.segment_draft import URL, SegmentDraft, change, change_rule, undo
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number, percent
from pages.ui.waiting import at_once

TABS = ("Rule", "Rule as JSON")
SAMPLE = 5


def said(draft: SegmentDraft, current: str | None) -> str | None:
    """Name, tags, description, priority; returns what is wrong with them."""
    with st.container(border=True):
        left, right = st.columns([3, 2])
        name = left.text_input(
            "Name", key=kept.shown("segment_name", draft.name), max_chars=100, live=True, placeholder="SPRING_BUYERS",
            required=True, on_change=_changed, args=("name", "segment_name"),
        )  # fmt: skip
        problem = _name_problem(str(name or ""), current)
        if problem:
            left.caption(f":orange[:material/edit: {escape(problem)}]")
        left.text_input(
            "Description", key=kept.shown("segment_description", draft.description), max_chars=LONGEST_DESCRIPTION,
            placeholder="What it is for", on_change=_changed, args=("description", "segment_description"),
        )  # fmt: skip
        tags = list(dict.fromkeys([*workspace().segments.tags(), *draft.tags]))
        right.multiselect(
            "Tags", tags, key=kept.shown("segment_tags", list(draft.tags)), accept_new_options=True, select_all=False,
            placeholder="Choose or type tags", on_change=_changed, args=("tags", "segment_tags"),
        )  # fmt: skip
        right.number_input(
            "Priority", min_value=0, max_value=HIGHEST_PRIORITY, step=1, width=150, on_change=_changed,
            key=kept.shown("segment_priority", draft.priority), args=("priority", "segment_priority"),
            help="A larger number is more important.",
        )  # fmt: skip
    return problem


def _name_problem(name: str, current: str | None) -> str | None:
    if not name:
        return "Give the segment a name: capital letters, digits and single underscores."
    try:
        check_upper_snake(name, "segment name")
    except OnrampError as error:
        return error.hint
    taken = name != current and name in workspace().segments.names()
    return "There is a segment of this name already. Choose another name." if taken else None


def _changed(what: str, key: str) -> None:
    value = st.session_state[key]
    change(**{what: (value or 0) if what == "priority" else value if what == "tags" else (value or "")})


def as_json(draft: SegmentDraft, problems: list[dict[str, Any]]) -> None:
    """The same tree as text, as in a rule file of the command line."""
    text = draft.text if draft.text is not None else json.dumps(draft.rule, indent=2, ensure_ascii=False)
    key = kept.shown("rule_json", text)
    st.text_area(
        "Rule as JSON", key=key, height=min(640, 120 + 24 * text.count("\n")), on_change=_typed, args=(key,),
        label_visibility="collapsed",
    )  # fmt: skip
    if draft.text is not None:
        st.error(_syntax(draft.text), icon=":material/error:", title="This is no rule yet")
    for problem in problems if draft.text is None else []:
        st.caption(f":red[:material/error: {escape(problem['path'])}: {escape(told(problem))}]")
    st.caption(
        "The same JSON is a rule file of the command line: segment add, segment edit and segment preview take it. "
        "It is read when you leave the field, or press Ctrl+Enter."
    )


def _syntax(text: str) -> str:
    try:
        rule_from_text(text)
    except OnrampError as error:
        return f"{escape(error.message.replace(' Nothing was changed.', ''))} The rule stays as it was before."
    return ""


def _typed(key: str) -> None:
    text = str(st.session_state[key] or "")
    try:
        rule = rule_from_text(text)
    except OnrampError:
        change(text=text)
        return
    change_rule(lambda _: as_group(workspace().segments.spelled(rule)))


def found(draft: SegmentDraft, current: str | None) -> dict[str, Any]:
    """Whom the rule finds now."""
    seen: dict[str, Any] = counted(
        "segment_preview",
        (draft.mark, current),
        lambda: workspace().segments.preview(draft.rule, SAMPLE, segment=current),
    )
    return seen


def sample(draft: SegmentDraft, seen: dict[str, Any]) -> None:
    """The rule in words, and some of the people."""
    with st.container(border=True):
        st.markdown(f"**In words:** {escape(seen['words'])}")
    if seen["sample"]:
        st.markdown(f"#### The first {count(len(seen['sample']), 'person', 'people')}")
        asked = [str(one.get("attribute")) for one in conditions(draft.rule) if isinstance(one, dict)]
        people_table(
            seen["sample"], key="sample_open", alt="Some of the people whom the rule finds, masked", first=asked
        )
        st.caption(":material/lock: Personal data is masked.")


def meanwhile(draft: SegmentDraft, current: str | None) -> bool:
    """Whether somebody else changed the segment since: said here, and decided by the person."""
    if draft.segment_id is None:
        return False
    if current is None:
        st.warning("Saving makes it anew, with a new history.", title="The segment was deleted meanwhile")
        return False
    segment = workspace().segments.show(current)
    if segment["version"] == draft.version:
        return False
    who, at = segment["updated_by"], segment["updated_at"]
    by = f" by {who}, {ago(at)}" if who and at else ""
    words = segment["words"] or "a rule that cannot be used"
    with st.container(border=True, key="changed_meanwhile"):
        st.markdown(f":orange[:material/sync_problem:] **{escape(current)} was changed meanwhile{escape(by)}.**")
        st.markdown(f"It is now: {escape(words)}")
        with st.container(horizontal=True):
            st.button("Take that and drop my changes", key="take_theirs", on_click=_take_theirs)
            st.button("Keep mine", key="keep_mine", on_click=change, kwargs={"version": segment["version"]})
    return True


def _take_theirs() -> None:
    kept.forget(URL)
    del st.query_params[URL]


def save(draft: SegmentDraft, current: str | None) -> None:
    """Saves once: the draft is gone with it. A change of somebody else in the same moment is noticed by the core."""
    segments = workspace().segments
    about: dict[str, Any] = {"description": draft.description, "tags": draft.tags, "priority": draft.priority}
    with at_once(workspace()):
        if current is None:
            segments.add(draft.name, draft.rule, **about)
        else:
            segments.edit(current, new_name=draft.name, rule=draft.rule, version=draft.version, **about)
        kept.forget(URL)
    st.session_state["done"] = f"Segment {draft.name} saved"
    st.switch_page("segment.py", query_params={"segment": str(segments.show(draft.name)["segment_id"])})


def bar(
    draft: SegmentDraft, current: str | None, seen: dict[str, Any] | None, blocked: str | None, *, is_text: bool
) -> None:
    """The live count, what is missing, and the buttons; always in sight."""
    with st.bottom.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="segment_bar"
    ):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if seen is not None:
                share = percent(seen["count"] / seen["profiles"]) if seen["profiles"] else "–"
                st.markdown(
                    f"**{number(seen['count'])}** of {count(seen['profiles'], 'profile')} :gray[({share})]",
                    width="content",
                )
            if blocked:
                st.caption(f":orange[:material/info: {escape(blocked)}]", width="content")
            elif draft.saved_at:
                st.caption(
                    f":material/cloud_done: Draft saved {ago(draft.saved_at)}", width="content",
                    help=f"Saved {when(draft.saved_at)}. You can leave and come back.",
                )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if st.button("Discard", key="discard", type="tertiary", help="Throws the draft away."):
                kept.forget(URL)
                leave(current, draft.segment_id)
            if st.button(
                "Save segment", type="primary", icon=":material/check:", key="save_segment",
                shortcut=None if is_text else "Ctrl+Enter",  # in the text it means: read this
                disabled=blocked is not None,
            ):  # fmt: skip
                save(draft, current)


def leave(current: str | None, segment_id: int | None) -> None:
    """Back to the segment, or to all of them."""
    if current is None:
        st.switch_page("segments.py")
    st.switch_page("segment.py", query_params={"segment": str(segment_id)})


def over() -> None:
    """A draft that is there no more."""
    st.title("Segment", anchor=False)
    with nothing_here(
        "task_alt",
        "This draft is finished",
        "The segment was saved, or the draft was discarded, in this window or another.",
    ):
        st.page_link("segments.py", label="Segments", icon=":material/donut_small:")
    st.stop()


def why_not(draft: SegmentDraft, problem: str | None, problems: list[dict[str, Any]], *, is_behind: bool) -> str | None:
    """Why the segment cannot be saved yet."""
    if draft.text is not None:
        return "Correct the JSON first."
    if problems:
        return f"{count(len(problems), 'part')} of the rule {'needs' if len(problems) == 1 else 'need'} a look."
    if is_behind:
        return "Decide whose change is to stand."
    return "Give it a name." if problem else None


draft = SegmentDraft.of_url()
if draft is None:
    over()
    raise st.stop()
current = draft.current_name
breadcrumb(
    ("Segments", "segments.py", {}),
    *([(current, "segment.py", {"segment": str(draft.segment_id)})] if current else []),
    ("Edit" if current else "New segment", None, {}),
)
with title_row(f"Edit {current}" if current else "New segment"):
    st.button(
        "Undo", icon=":material/undo:", key="undo_rule", shortcut="Ctrl+Z", on_click=undo, disabled=not draft.undo,
        help="Takes the last change of the rule back.",
    )  # fmt: skip
is_behind = meanwhile(draft, current)
wrong = said(draft, current)
problems = workspace().segments.check(draft.rule, current)
tree, text = st.tabs(list(TABS), key="show", bind="query-params")
if tree.open:
    with tree:
        Tree(draft.rule, Choices.now(current), {part_of(one["path"]): one for one in problems}).draw()
if text.open:
    with text:
        as_json(draft, problems)
seen = None
if not problems and draft.text is None:
    seen = found(draft, current)
    sample(draft, seen)
try:
    bar(draft, current, seen, why_not(draft, wrong, problems, is_behind=is_behind), is_text=bool(text.open))
except OnrampError as error:
    errors.show(error)
