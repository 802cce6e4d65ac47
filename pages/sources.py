"""Home: how the workspace is doing, and every source with its state."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.models import Receipt, Source
from ingest_core.overview import Day, Running, SourceActivity, Week
from pages.ui import approval, badges
from pages.ui.draft import Draft
from pages.ui.links import go_next, nothing_here, say_done, title_row
from pages.ui.samples import sample_file
from pages.ui.source_drawers import edit_source, new_source
from pages.ui.state import overview, workspace
from pages.ui.text import count, escape, number, percent, short_number

STATES = ["Running", "Healthy", "Needs attention", approval.WAITS, "No uploads yet", "Archived"]
MENU = {
    "Ingest a file": ":material/upload_file: Ingest a file",
    "Edit": ":material/edit: Edit",
    "Archive": ":material/archive: Archive",
    "Restore": ":material/unarchive: Restore",
}


def cards(days: list[Day], running: list[Running]) -> None:
    """Four figures with their last two weeks."""
    week = Week.of(days)
    with st.grid(4, min_column_width=190):
        st.metric(
            "Profiles", short_number(week.profiles), delta=week.profiles_gained, border=True, height="stretch",
            format="%,d", delta_description="this week", chart_data=[day.profiles for day in days], chart_type="area",
        )  # fmt: skip
        st.metric(
            "Rows loaded, 7 days", short_number(week.loaded), border=True, height="stretch",
            delta="first week" if week.loaded_change is None else f"{week.loaded_change:+.0%}",
            delta_description="against the week before" if week.loaded_change is not None else None,
            delta_arrow="off" if week.loaded_change is None else "auto", delta_color="green",
            chart_data=[day.loaded for day in days], chart_type="bar",
        )  # fmt: skip
        st.metric(
            "Rows rejected, 7 days", short_number(week.rejected), border=True, height="stretch",
            delta=f"{percent(week.reject_share)} of rows", delta_color="orange", delta_arrow="off",
            delta_description=None if week.reject_change is None else f"{week.reject_change * 100:+.1f} points",
            chart_data=[day.rejected for day in days], chart_type="bar",
        )  # fmt: skip
        st.metric(
            "Uploads running", number(len(running)), border=True, height="stretch",
            delta=escape(running[0].source) if running else None, delta_color="off", delta_arrow="off",
        )  # fmt: skip


def table(sources: list[Source], activity: dict[int, SourceActivity], states: dict[int, list[str]]) -> None:
    """One row a source; the name opens it, the menu acts on it."""
    frame = pd.DataFrame([_row(source, activity.get(source.source_id), states[source.source_id]) for source in sources])
    moment = st.column_config.DatetimeColumn("Last upload", format="D MMM YYYY, HH:mm", timezone=st.context.timezone)
    st.dataframe(
        frame,
        hide_index=True,
        row_height=42,
        placeholder="–",
        alt="Sources with their state, last upload, rows and rejects",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Source", type="tertiary", alignment="left", key="open_source", on_click=_clicked_name,
                args=(sources,), width="medium", pinned=True,
            ),
            "identifier": st.column_config.TextColumn("Identifier"),
            "state": badges.column("Status", STATES),
            "last_at": moment,
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
            "rejected": st.column_config.TextColumn("Rejected", alignment="right"),
            "recent": st.column_config.BarChartColumn("Last 8 uploads", y_min=0, color="#4c6ef5"),
            "menu": st.column_config.ButtonColumn(
                "", key="source_menu", on_click=_clicked_menu, args=(sources,), width="small"
            ),
        },
    )  # fmt: skip


def states_of(source: Source, activity: SourceActivity, held: list[Receipt]) -> list[str]:
    """The words for a source: what waits for a person comes first."""
    if source.archived_at:
        return ["Archived"]
    own = [receipt for receipt in held if receipt.source == source.name]
    return [*([approval.WAITS] if own else []), approval.without(activity, own).health]


def _row(source: Source, activity: SourceActivity | None, states: list[str]) -> dict[str, object]:
    activity = activity or SourceActivity(source.source_id)
    last = activity.last_at
    return {
        "name": source.name,
        "identifier": _identifier(source),
        "state": states,
        "last_at": pd.to_datetime(last, utc=True) if last else pd.NaT,
        "rows": activity.last_rows,
        "rejected": percent(activity.reject_share),
        "recent": [0] * (8 - len(activity.recent)) + list(activity.recent) if activity.recent else [],
        "menu": [MENU[key] for key in _actions(source)],
    }


def _actions(source: Source) -> list[str]:
    return ["Restore"] if source.archived_at else ["Ingest a file", "Edit", "Archive"]


def _identifier(source: Source) -> str:
    """The strongest identifier of the saved mapping, by its display name."""
    mapping = workspace().mappings.current(source)
    mapped = {column.attribute for column in mapping.columns if column.attribute} if mapping else set()
    found = [a for a in workspace().attributes.list() if a.identifier and a.name in mapped]
    return min(found, key=lambda a: (a.identifier != "primary", a.priority)).display_name if found else "–"


def _clicked_name(sources: list[Source]) -> None:
    go_next("source.py", source=str(sources[st.session_state["open_source"].row].source_id))


def _clicked_menu(sources: list[Source]) -> None:
    click = st.session_state["source_menu"]
    source = sources[click.row]
    action = next(key for key, label in MENU.items() if label == click.label)
    if action == "Ingest a file":
        go_next("ingest.py", draft=Draft.start(workspace(), source.source_id))
    elif action == "Edit":
        st.session_state["editing_source"] = source.source_id
    else:
        is_archived = action == "Archive"
        workspace().sources.archive(source.source_id, is_archived=is_archived)
        name = escape(source.name)
        st.session_state["done"] = f"{name} is archived" if is_archived else f"{name} is back from the archive"


def empty() -> None:
    """What a new workspace shows."""
    st.title("Sources", anchor=False)
    with nothing_here(
        "database",
        "No sources yet",
        "A source is one kind of customer file you load again and again. Start with one and a small file.",
    ):
        if st.button("Create a source", type="primary", icon=":material/add:", key="empty_create"):
            new_source()
        if st.button("Load sample data", icon=":material/science:", key="load_samples"):
            with st.spinner("Loading the sample data"):
                workspace().load_sample_data()
            st.rerun()
        sample_file()


everything = workspace().sources.list(include_archived=True)
if not everything:
    empty()
    st.stop()

with title_row("Sources"):
    if st.button("New source", type="primary", icon=":material/add:", shortcut="N", key="new_source"):
        new_source()
st.caption("A source is one kind of customer file you load again and again, such as CRM contacts or store purchases.")
say_done()
if editing := st.session_state.pop("editing_source", None):
    edit_source(workspace().sources.get(int(editing)))

figures, held = overview(), approval.waiting()
waiting_ids = {receipt.request_id for receipt in held}
approval.banner(held)
cards(figures.days(), [running for running in figures.running() if running.request_id not in waiting_ids])
activity = figures.sources()
states = {
    source.source_id: states_of(source, activity.get(source.source_id, SourceActivity(source.source_id)), held)
    for source in everything
}

with st.container(horizontal=True, vertical_alignment="center"):
    wanted = st.text_input(
        "Search sources", type="search", live=True, placeholder="Search sources", label_visibility="collapsed",
        key="search", bind="query-params", icon=":material/search:", width=330,
    )  # fmt: skip
    state = st.pills("Status", STATES, label_visibility="collapsed", key="state", bind="query-params")
shown = [
    source
    for source in everything
    if (wanted or "").strip().lower() in source.name.lower()
    and (source.archived_at is not None) == (state == "Archived")
    and state in (None, "Archived", *states[source.source_id])
]
if shown:
    table(shown, activity, states)
else:
    st.caption("No source matches. Change the search or the status.")
st.caption(f"{count(len(shown), 'source')} shown.")
