"""One segment: how many people it has and had, its rule, who is built on it, its people masked."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import streamlit as st

from ingest_core.segments.editing import conditions
from pages.out import choosing
from pages.ui import deleting_segment, segment_counts
from pages.ui.links import breadcrumb, go_next, nothing_here, say_done, title_row, upload_link
from pages.ui.members import people_table
from pages.ui.state import url_number, when, workspace
from pages.ui.text import ago, count, escape, number, percent, short_number

PAGE = 25
LINKS = 8
"""Uploads or segments that are linked beside the rule."""


def headline(segment: dict[str, Any]) -> None:
    """Tags, who made it and when, what it is for."""
    tags = " ".join(f":blue-badge[{escape(tag)}]" for tag in segment["tags"])
    who, at = segment["updated_by"] or segment["created_by"], segment["updated_at"] or segment["created_at"]
    did = "Changed" if segment["updated_at"] else "Made"
    priority = f", priority {number(segment['priority'])}" if segment["priority"] else ""
    st.markdown(f"{tags} :gray[{did} by {escape(who)} {ago(at)}{priority}]", help=when(at))
    if segment["description"]:
        st.markdown(escape(segment["description"]))


def figures(segment: dict[str, Any], counts: list[dict[str, Any]]) -> None:
    """Four figures."""
    profiles = workspace().profiles.count()
    share = segment["count"] / profiles if profiles else None
    change = segment["change"]
    with st.grid(4, min_column_width=190):
        st.metric(
            "People", short_number(segment["count"]), border=True, height="stretch",
            delta=change or None, format="%,d", delta_description=_since(counts) if change else None,
            chart_data=segment["recent"] if len(segment["recent"]) > 1 else None, chart_type="area",
        )  # fmt: skip
        st.metric(
            "Share of all profiles", percent(share), border=True, height="stretch",
            delta=f"of {count(profiles, 'profile')}", delta_color="off", delta_arrow="off",
        )  # fmt: skip
        used = segment["used_by"]
        st.metric("Segments built on it", number(len(used)), border=True, height="stretch")
        last = counts[-1]["at"] if counts else segment["created_at"]
        st.metric(
            "Last count kept", ago(last), border=True, height="stretch", delta=when(last), delta_color="off",
            delta_arrow="off",
        )  # fmt: skip


def _since(counts: list[dict[str, Any]]) -> str:
    causes = {"load": "by the last upload", "undo": "by an undo", "redo": "by a redo", "erase": "by an erasure"}
    return causes.get(counts[-1]["cause"], "since the last change") if counts else ""


def related(label: str, names: list[str]) -> None:
    """Segments that this one has to do with, as links."""
    if not names:
        return
    st.caption(label)
    ids = workspace().segments.ids()
    for name in names[:LINKS]:
        if name in ids:
            st.page_link(
                "segment.py",
                label=escape(name),
                icon=":material/donut_small:",
                query_params={"segment": str(ids[name])},
            )
    if len(names) > LINKS:
        st.caption(f"and {count(len(names) - LINKS, 'more segment')}")


def sentence(words: str) -> str:
    """With a capital letter at its beginning."""
    return words[:1].upper() + words[1:]


def rule(segment: dict[str, Any]) -> None:
    """In words, and whom it depends on."""
    with st.container(border=True, height="stretch"):
        st.markdown("#### Rule")
        st.markdown(escape(sentence(segment["words"])))
        parts = [part for part in conditions(segment["rule"]) if isinstance(part, dict)]
        uploads = dict.fromkeys(str(part["upload"]) for part in parts if "upload" in part)
        for request_id in list(uploads)[:LINKS]:
            upload_link(request_id)
        related("Built on", list(dict.fromkeys(str(part["segment"]) for part in parts if "segment" in part)))
        related("Used by", segment["used_by"])


def people(segment: dict[str, Any]) -> None:
    """The people, masked, a page at a time."""
    st.markdown(f"#### {count(segment['count'], 'person', 'people')}")
    if not segment["count"]:
        st.caption("Nobody fits the rule today.")
        return
    slot = st.container()
    pages = -(-segment["count"] // PAGE)
    page = st.pagination(pages, key="people_page", bind="query-params") if pages > 1 else 1
    with slot:
        people_table(
            workspace().segments.members(segment["name"], PAGE, (page - 1) * PAGE), key="open_member",
            alt=f"People of the segment {segment['name']}, masked",
        )  # fmt: skip
    st.caption(":material/lock: Personal data is masked. The id opens the profile.")


def file_of(name: str, *, is_spreadsheet: bool) -> bytes:
    """All people as a file, made when it is asked for."""
    out = io.StringIO(newline="")
    workspace().segments.write_members(name, out, is_spreadsheet=is_spreadsheet)
    return out.getvalue().encode()


def downloads(segment: dict[str, Any]) -> None:
    """Both kinds of file, masked."""
    with st.popover("Download people", icon=":material/download:", disabled=not segment["count"]):
        for label, is_spreadsheet, key, what in (
            (
                "For a spreadsheet (CSV)",
                True,
                "members_spreadsheet",
                "Cells that would run as a formula are made harmless.",
            ),
            ("Exactly as stored (CSV)", False, "members_exact", "For programs. Do not open it in a spreadsheet."),
        ):
            st.download_button(
                label, data=partial(file_of, segment["name"], is_spreadsheet=is_spreadsheet), mime="text/csv", key=key,
                file_name=f"{segment['name']}{'' if is_spreadsheet else '_exact'}.csv", on_click="ignore",
                width="stretch",
            )  # fmt: skip
            st.caption(what)
        st.caption(":material/lock: Personal data is masked in both.")


def edit(segment: dict[str, Any]) -> None:
    """To the rule builder."""
    st.switch_page("segment_edit.py", query_params={"segment": str(segment["segment_id"])})


number_of_url = url_number("segment")
name = workspace().segments.name_of(number_of_url) if number_of_url is not None else None
if name is None:
    st.title("Segment", anchor=False)
    with nothing_here(
        "donut_small", "This segment is not there", "It was deleted, or made by an upload that is undone."
    ):
        st.page_link("segments.py", label="Segments", icon=":material/donut_small:")
    st.stop()
    raise SystemExit

segment = workspace().segments.show(name)
breadcrumb(("Segments", "segments.py", {}), (name, None, {}))
say_done()
with title_row(name):
    if st.button("Edit", icon=":material/edit:", key="edit_segment", shortcut="E", type="primary"):
        edit(segment)
    downloads(segment)
    st.button(
        "Send", icon=":material/send:", key="send_segment", disabled=not segment["count"],
        on_click=choosing.send_segment, args=(name,), help="Its people, to a destination.",
    )  # fmt: skip
    st.button(
        "Build Audience Manager file", icon=":material/construction:", key="build_segment", on_click=go_next,
        args=("am_build_edit.py",), kwargs={"segment": name}, disabled=bool(segment["problem"]),
        help="A data file or an ID sync of its people, by a build that is kept.",
    )  # fmt: skip
    if st.button("Delete", icon=":material/delete:", key="delete_segment"):
        deleting_segment.delete(segment)
headline(segment)
counts = workspace().segments.history(name)
if segment["problem"]:
    st.warning(
        f"It has no people until its rule is corrected: {escape(segment['problem'])}.",
        title="The rule does not fit any more", icon=":material/warning:",
    )  # fmt: skip
    if st.button("Correct the rule", key="correct_rule", icon=":material/edit:"):
        edit(segment)
    segment_counts.card(counts)
    st.stop()
figures(segment, counts)
left, right = st.columns([2, 3])
with left:
    rule(segment)
with right:
    segment_counts.card(counts)
people(segment)
