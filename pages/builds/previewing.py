"""What a build would send: how its lines begin, then names, figures and what is left out before it goes."""

from __future__ import annotations

import re

import streamlit as st

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.build_check import BuildCheck
from ingest_core.audience_manager.outbound.builds import BuildPreview
from ingest_core.errors import OnrampError
from pages.audience import words as audience_words
from pages.builds.draft import mark_of
from pages.ui import errors
from pages.ui.rule_choices import counted
from pages.ui.state import workspace
from pages.ui.text import count, escape, number, size
from pages.ui.waiting import forget

HASH = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{54}\b")
AT_ONCE = 100_000
"""Profiles up to which a preview is worked out without being asked for."""
NAMES_SHOWN = 10
MEMORY = "build_preview"


def beginning(check: BuildCheck) -> None:
    """The first lines of a definition that can be used."""
    with st.container(border=True, key="build_begins"):
        st.markdown("#### How it begins")
        if check.build is None:
            st.caption("The first lines stand here as soon as there are ids and items.")
            return
        build = check.build
        try:
            lines = counted("build_begins", mark_of(build), lambda: workspace().outbound.editing.lines(build))
        except OnrampError as error:
            errors.show(error)
            return
        if lines:
            shown(tuple(lines))
        else:
            st.caption(":orange[:material/info: None of the first profiles has an id and something to carry.]")


def shown(lines: tuple[str, ...]) -> None:
    """Lines as they would stand, hashes cut off; the arrow is the tab."""
    st.code("\n".join(HASH.sub(r"\1…", line).replace("\t", " ⇥ ") for line in lines), language=None, wrap_lines=True)
    st.caption(
        ":material/lock: ⇥ is a tab. Hashes are cut off here. Every line was read again as its receiver reads it."
    )


def whole(build: Build, newest: int, *, is_full: bool) -> BuildPreview | None:
    """The core's preview, worked out at once where that is quick, else when it is asked for; None while it is not."""
    mark = (mark_of(build), newest, is_full, len(workspace().audience.traits.list()))
    people = workspace().outbound.editing.people(build.segment, build.source)
    asked = st.session_state.get("build_asked") == mark
    if people > AT_ONCE and not asked:
        st.caption(f"{count(people, 'profile')}: this takes a while.")
        if st.button("Work out what would be sent", icon=":material/visibility:", key="work_out"):
            st.session_state["build_asked"] = mark
            st.rerun()
        return None

    def work() -> BuildPreview:
        with st.spinner("Working out what would be sent"):
            return workspace().outbound.builds.preview(build, is_full=is_full)

    found: BuildPreview = counted(MEMORY, mark, work)
    return found


def again() -> None:
    """The next look works it out anew."""
    forget(MEMORY)


def draw(preview: BuildPreview, build: Build) -> None:
    """Figures, names, first lines, what is left out and what to do about it."""
    counts = preview.counts
    for remark in preview.remarks:
        st.warning(f"{escape(remark.message)} {escape(remark.hint)}", icon=":material/lock_person:")
    with st.grid(4, min_column_width=120):
        st.metric("Rows", number(counts["rows"]), border=True)
        st.metric("Removals", number(counts["removals"]), border=True, help="Traits that somebody has no more.")
        st.metric("Files", number(len(preview.files)), border=True)
        st.metric("Size", size(preview.bytes), border=True, help="Before gzip or OpenPGP.")
    for name in preview.files[:NAMES_SHOWN]:
        st.markdown(f":material/draft: {escape(name)}")
    if len(preview.files) > NAMES_SHOWN:
        st.caption(f"and {count(len(preview.files) - NAMES_SHOWN, 'more part')}.")
    if preview.files:
        st.caption("The timestamp is that of the run.")
    if preview.lines:
        shown(preview.lines)
    elif not counts["rows"] and build.changed:
        st.caption("Nothing changed since the last run that arrived.")
    _left_out(preview)


def _left_out(preview: BuildPreview) -> None:
    counts = preview.counts
    told = [
        (counts["without_id"], "no id: they have no value in an attribute of the ids"),
        (counts["same_id"], "the same id as another profile, whose line stands for it"),
    ]
    for people, why in told:
        if people:
            st.caption(f":material/person_off: {count(people, 'profile')}: {why}.")
    for code, lines in counts["refused_by_reason"].items():
        st.caption(
            f":orange[:material/block:] {count(lines, 'profile')} left out: **{escape(audience_words.title(code))}.** "
            f"{escape(audience_words.fix(code))}"
        )
