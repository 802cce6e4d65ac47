"""Step 4: what happens beside storing the rows. Each option says its effect, with a count where one is known."""

from __future__ import annotations

import streamlit as st

from ingest_core.catalog.names import check_upper_snake
from ingest_core.errors import OnrampError
from ingest_core.models import ColumnMapping
from pages.steps import terms
from pages.ui import cells_told
from pages.ui.draft import Draft
from pages.ui.state import overview
from pages.ui.text import count, escape, number
from pages.ui.words import BLANKS, CONFLICTS

REPLACES = {"keep": "Keep them", "members": "End their membership", "values": "Remove them, values too"}


def draw(draft: Draft) -> str | None:
    """Draws the step; returns why it cannot be left yet, or None."""
    left, right = st.columns(2)
    with left:
        wrong = [_segment(draft)]
        _rules(draft)
        terms.threshold(draft)
    with right:
        _replace(draft)
        wrong += [terms.moment(draft), terms.recipients(draft)]
    wrong.append(_again(draft))
    return next((said for said in wrong if said), None)


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
        terms.save(draft, segment=None)
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
    terms.save(draft, segment=f"create:{name}")
    st.caption(
        f"Everybody this file stores becomes the segment: at most {count(draft.inspection().rows, 'person', 'people')}."
    )
    return None


def _existing_segment(draft: Draft, current: str) -> str | None:
    existing = _segments(draft)
    if not existing:
        st.caption("There is no segment yet. Create one.")
        return "Choose another option for the segment."
    start = existing.index(current) if current in existing else 0
    name = st.selectbox("Segment", existing, key="segment_existing", index=start)
    terms.save(draft, segment=f"add:{name}")
    members = count(draft.workspace.segments.count(name), "profile")
    st.caption(f"It holds {members} now; at most {number(draft.inspection().rows)} more join.")
    return None


def _segments(draft: Draft) -> list[str]:
    return [str(segment["name"]) for segment in draft.workspace.segments.list()]


def _replace(draft: Draft) -> None:
    """What becomes of what earlier files brought, each way with whom it concerns."""
    members = overview().members(draft.source.source_id)
    uploads = overview().live_uploads(draft.source.source_id)
    leaving = f"at most {count(members, 'member leaves', 'members leave')}: all who are not in this file"
    captions = [
        f"Rows of this file are added; all {count(members, 'member')} stay.",
        f"{_capital(leaving)}. Their values stay.",
        f"{count(uploads, 'earlier upload counts', 'earlier uploads count')} for nothing, as if undone, and {leaving}. "
        "They stay in the history.",
    ]
    with st.container(border=True):
        st.markdown("#### What earlier files of this source brought")
        chosen = st.radio(
            "What earlier files brought", list(REPLACES), index=list(REPLACES).index(draft.options.replace or "keep"),
            format_func=REPLACES.__getitem__, captions=captions, key="replace", label_visibility="collapsed",
        )  # fmt: skip
        terms.save(draft, replace=None if chosen == "keep" else chosen)
        if not uploads:
            st.caption("No earlier file of this source counts now, so this changes nothing.")
        elif chosen != "keep":
            st.caption("The next step tells exactly how many leave.")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _rules(draft: Draft) -> None:
    """Blank and collision rules for all columns at once; single columns are set while matching."""
    found = draft.inspection()
    with st.container(border=True):
        st.markdown("#### Rules for all columns")
        loaded = [column for column in draft.columns if column.attribute]
        _for_all(draft, loaded, "blank", "An empty cell", BLANKS)
        st.caption(cells_told.blanks(found, loaded))
        _for_all(draft, loaded, "conflict", "When a value is stored already", CONFLICTS)
        st.caption(cells_told.conflicts(found, _without_primaries(draft, loaded), overview().profiles()))


def _without_primaries(draft: Draft, columns: list[ColumnMapping]) -> list[ColumnMapping]:
    """A primary names the person: it never meets another stored value."""
    primaries = {one.name for one in draft.workspace.attributes.list() if one.identifier == "primary"}
    return [column for column in columns if column.attribute not in primaries]


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


def _again(draft: Draft) -> str | None:
    """Only for a file that is loaded already."""
    found = draft.inspection()
    before = overview().loaded_before(draft.source.source_id, found.sha256) if found.sha256 else None
    if before is None:
        return None
    with st.container(border=True):
        st.markdown("#### :orange[:material/history:] This file is loaded already")
        is_again = st.toggle("Load it again", value=draft.options.again, key="again")
        terms.save(draft, again=is_again)
        st.caption(f"Upload {escape(before[0])} holds the same bytes. Loading them again normally changes nothing.")
    return None if is_again else "Say that the file is to be loaded again, or choose another file."
