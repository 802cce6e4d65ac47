"""Segments: named audiences with their sizes over time, and how much they share."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.ui import kept
from pages.ui.links import go_next, nothing_here, say_done, title_row
from pages.ui.overlap import overlap
from pages.ui.segment_draft import KIND, URL
from pages.ui.state import workspace
from pages.ui.text import ago, change, count, escape

TABS = ("Segments", "Overlap")
NEEDS = "Needs a new rule"
FEW = 2
"""Drafts that stand above the table; more of them are folded away."""


def table(segments: list[dict[str, Any]]) -> None:
    """One row a segment; the name opens it."""
    st.dataframe(
        pd.DataFrame([_row(segment) for segment in segments]),
        hide_index=True,
        row_height=42,
        placeholder="–",
        height="content" if len(segments) <= 12 else 560,
        alt="Segments with the number of their people, its change, their tags and rules",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Segment", type="tertiary", alignment="left", key="open_segment", on_click=_clicked, args=(segments,),
                width="medium", pinned=True,
            ),
            "count": st.column_config.NumberColumn("People", format="localized"),
            "change": st.column_config.TextColumn(
                "Change", alignment="right", width="small", help="Against the count before the last upload or change."
            ),
            "recent": st.column_config.LineChartColumn("Over time", y_min=0, color="#4c6ef5", width="small"),
            "state": st.column_config.MultiselectColumn("", options=[NEEDS], color="#ffec99", width=150),
            "tags": st.column_config.MultiselectColumn("Tags", options=_tags(segments), color="#dbe4ff", width=180),
            "words": st.column_config.TextColumn("Rule", width="large"),
            "description": st.column_config.TextColumn("Description", width="medium"),
            "priority": st.column_config.NumberColumn("Priority", width="small"),
            "by": st.column_config.TextColumn("Changed by"),
            "at": st.column_config.DatetimeColumn("Changed", format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
        },
        column_order=[name for name in _row(segments[0]) if name != "state" or any(one["problem"] for one in segments)],
    )  # fmt: skip


def _row(segment: dict[str, Any]) -> dict[str, object]:
    return {
        "name": segment["name"],
        "count": segment["count"],
        "change": "–" if segment["change"] is None else change(segment["change"]),
        "recent": segment["recent"],
        "state": [NEEDS] if segment["problem"] else [],
        "tags": segment["tags"],
        "words": segment["words"] or f"Cannot be counted: {segment['problem']}",
        "description": segment["description"],
        "priority": segment["priority"],
        "by": segment["updated_by"] or segment["created_by"],
        "at": pd.to_datetime(segment["updated_at"] or segment["created_at"], utc=True),
    }


def _clicked(segments: list[dict[str, Any]]) -> None:
    go_next("segment.py", segment=str(segments[st.session_state["open_segment"].row]["segment_id"]))


def _tags(segments: list[dict[str, Any]]) -> list[str]:
    return sorted({tag for segment in segments for tag in segment["tags"]}, key=str.casefold)


def begun() -> None:
    """Segments that were begun and left."""
    drafts = kept.all_of(KIND)
    place = st.container() if len(drafts) <= FEW else st.expander(f"{count(len(drafts), 'segment')} not saved yet")
    for draft_id, state in drafts:
        row = place.container(border=True, horizontal=True, vertical_alignment="center", key=f"draft_{draft_id}")
        what = escape(state["name"]) if state["name"] else "A segment without a name"
        row.markdown(
            f":material/edit_note: **{what}** :gray[not saved yet, {ago(state['updated_at'])}]", width="stretch"
        )
        if row.button("Continue", key=f"continue_{draft_id}"):
            st.switch_page("segment_edit.py", query_params={URL: draft_id})
        if row.button("Discard", icon=":material/delete:", type="tertiary", key=f"discard_{draft_id}"):
            workspace().drafts.delete(draft_id)
            st.rerun()


def chosen(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that the search and the tags leave; both are in the URL."""
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.text_input(
            "Search segments", type="search", live=True, placeholder="Search name, rule, description", key="find",
            label_visibility="collapsed", bind="query-params", icon=":material/search:", width=330,
        )  # fmt: skip
        tags = _tags(segments)
        wanted_tags = (
            st.multiselect(
                "Tags", tags, key="with_tags", bind="query-params", label_visibility="collapsed", width=330,
                placeholder="All tags", select_all=False,
            )
            if tags
            else []
        )  # fmt: skip
    text = (wanted or "").strip().casefold()
    return [
        one
        for one in segments
        if text in f"{one['name']} {one['words'] or ''} {one['description']}".casefold()
        and set(wanted_tags) <= set(one["tags"])
    ]


def new() -> None:
    """To the rule builder."""
    st.switch_page("segment_edit.py")


segments = workspace().segments.list()
with title_row("Segments"):
    if segments and st.button("New segment", type="primary", icon=":material/add:", shortcut="N", key="new_segment"):
        new()
st.caption("A segment is a named set of people: whoever its rule is true for today. An upload can bring one too.")
say_done()
begun()
if not segments:
    has_people = workspace().profiles.count() > 0
    with nothing_here(
        "donut_small",
        "No segments yet",
        "Say whom you mean by clicking, and see at once how many they are."
        if has_people
        else "Segments are made of people. Load a first file, then say whom you mean.",
    ):
        if st.button(
            "New segment",
            type="primary" if has_people else "secondary",
            icon=":material/add:",
            shortcut="N",
            key="new_segment",
        ):
            new()
        if not has_people:
            st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
    st.stop()

listed, compared = st.tabs(list(TABS), key="view", bind="query-params")
if listed.open:
    with listed:
        shown = chosen(segments)
        if shown:
            table(shown)
        else:
            st.caption("No segment matches. Change the search or the tags.")
        st.caption(f"{count(len(shown), 'segment')} shown.")
if compared.open:
    with compared:
        overlap(segments)
