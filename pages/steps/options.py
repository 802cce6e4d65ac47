"""Step 4: what happens beside storing the rows. Each option says its effect."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from ingest_core.catalog.names import check_upper_snake
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from ingest_core.models import ColumnMapping
from pages.ui.draft import Draft
from pages.ui.state import overview, when
from pages.ui.text import count, escape, number, percent
from pages.ui.words import BLANKS, CONFLICTS

REPLACES = {
    "keep": ("Keep them", "Rows of this file are added; nothing that is there ends."),
    "members": ("End their membership", "Everybody earlier files of this source brought leaves it; their values stay."),
    "values": (
        "Remove them, values too",
        "Earlier files of this source count for nothing, as if undone. They stay in the history.",
    ),
}


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    left, right = st.columns(2)
    with left:
        wrong = _segment(draft)
        _rules(draft)
    with right:
        _replace(draft)
        wrong = _when(draft) or wrong
    wrong = _again(draft) or wrong
    _threshold(draft)
    return wrong


def _save(draft: Draft, **update: object) -> None:
    options = draft.options.model_copy(update=update)
    if options != draft.options:
        draft.options = options
        draft.save()


def _segment(draft: Draft) -> str | None:
    """None, create, add to existing."""
    kind, _, name = (draft.options.segment or "").partition(":")
    labels = {"": "No segment", "create": "Create a segment", "add": "Add to a segment"}
    with st.container(border=True):
        st.markdown("#### Segment")
        chosen = st.segmented_control(
            "Segment", list(labels), format_func=labels.__getitem__, default=kind, required=True, key="segment_kind",
            label_visibility="collapsed",
        )  # fmt: skip
        if chosen == "create":
            return _new_segment(draft, name if kind == "create" else "")
        if chosen == "add":
            return _existing_segment(draft, name)
        _save(draft, segment=None)
        st.caption("The file fills profiles only.")
    return None


def _new_segment(draft: Draft, current: str) -> str | None:
    name = st.text_input("Name", value=current, key="segment_name", live=True, placeholder="NOVEMBER_LEADS")
    try:
        check_upper_snake(name or "", "segment name")
    except OnrampError as error:
        st.caption(f":orange[:material/edit: {escape(error.hint)}]")
        return "Give the new segment a name."
    if name in _segments(draft):
        st.caption(":orange[:material/edit: There is a segment of this name already.]")
        return "Give the new segment another name, or add to the existing one."
    _save(draft, segment=f"create:{name}")
    st.caption(f"Everybody this file stores, at most {count(draft.inspection().rows, 'row')}, becomes the segment.")
    return None


def _existing_segment(draft: Draft, current: str) -> str | None:
    existing = _segments(draft)
    if not existing:
        st.caption("There is no segment yet. Create one.")
        return "Choose another option for the segment."
    start = existing.index(current) if current in existing else 0
    name = st.selectbox("Segment", existing, key="segment_existing", index=start)
    _save(draft, segment=f"add:{name}")
    members = count(draft.workspace.segments.count(name), "profile")
    st.caption(f"It holds {members} now; at most {number(draft.inspection().rows)} more join.")
    return None


def _segments(draft: Draft) -> list[str]:
    return [str(segment["name"]) for segment in draft.workspace.segments.list()]


def _replace(draft: Draft) -> None:
    with st.container(border=True):
        st.markdown("#### What earlier files of this source brought")
        members = overview().members(draft.source.source_id)
        chosen = st.radio(
            "What earlier files brought", list(REPLACES), index=list(REPLACES).index(draft.options.replace or "keep"),
            format_func=lambda key: REPLACES[key][0], captions=[text for _, text in REPLACES.values()], key="replace",
            label_visibility="collapsed",
        )  # fmt: skip
        _save(draft, replace=None if chosen == "keep" else chosen)
        st.caption(f"This source has {count(members, 'member')} now. The next step tells exactly how many would leave.")


def _rules(draft: Draft) -> None:
    """Blank and collision rules for all columns at once; single columns are set while matching."""
    with st.container(border=True):
        st.markdown("#### Rules for all columns")
        loaded = [column for column in draft.columns if column.attribute]
        _for_all(draft, loaded, "blank", "An empty cell", BLANKS)
        _for_all(draft, loaded, "conflict", "When a value is stored already", CONFLICTS)


def _for_all(draft: Draft, loaded: list[ColumnMapping], name: str, label: str, options: dict[str, str]) -> None:
    used = {str(getattr(column, name)) for column in loaded}
    current = next(iter(used)) if len(used) == 1 and used <= set(options) else None
    chosen = st.segmented_control(
        label, list(options), format_func=options.__getitem__, default=current, key=f"all_{name}"
    )
    if current is None:
        st.caption("Differs by column.")
    if chosen is not None and chosen != current:
        draft.change_columns(
            lambda columns: [c.model_copy(update={name: chosen}) if c.attribute else c for c in columns]
        )
        st.rerun()


def _when(draft: Draft) -> str | None:
    with st.container(border=True):
        st.markdown("#### When")
        labels = {"now": "Now", "later": "At a time"}
        chosen = st.segmented_control(
            "When", list(labels), format_func=labels.__getitem__, default="later" if draft.options.at else "now",
            required=True, key="when", label_visibility="collapsed",
        )  # fmt: skip
        if chosen == "now":
            _save(draft, at=None)
            st.caption("The load starts when you press the button of the last step.")
            return None
        moment = st.datetime_input("Time (UTC)", value=draft.options.at or now() + timedelta(hours=1), key="at")
        if moment <= now():
            return "Choose a time to come."
        _save(draft, at=moment)
        st.caption(f"The load starts at {when(moment)}, when the app is running then, else at its next start.")
    return None


def _again(draft: Draft) -> str | None:
    """Only for a file that is loaded already."""
    found = draft.inspection()
    before = overview().loaded_before(draft.source.source_id, found.sha256) if found.sha256 else None
    if before is None:
        return None
    with st.container(border=True):
        st.markdown("#### :orange[:material/history:] This file is loaded already")
        is_again = st.toggle("Load it again", value=draft.options.again, key="again")
        _save(draft, again=is_again)
        st.caption(f"Upload {escape(before[0])} holds the same bytes. Loading them again normally changes nothing.")
    return None if is_again else "Say that the file is to be loaded again, or choose another file."


def _threshold(draft: Draft) -> None:
    limit = draft.source.settings.threshold_percent
    if limit is None:
        text = "Rejected rows never stop the rest of the file."
    elif limit == 0:
        text = "One rejected row stops the whole file."
    else:
        text = f"More than {percent(limit / 100)} rejected rows stop the whole file."
    st.caption(f":material/rule: {text} Change it in the settings of the source.")
