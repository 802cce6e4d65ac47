"""The schedule tab of a source: what is looked at and when, how the last look went, and the files that came."""

from __future__ import annotations

import streamlit as st

from ingest_core.arrivals.arrivals import Filters
from ingest_core.arrivals.schedule import Schedule
from ingest_core.arrivals.when import in_words
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.ui import arrived, badges, errors, schedule_drawer
from pages.ui.links import nothing_here
from pages.ui.state import when, workspace
from pages.ui.text import ago, escape


def draw(source: Source) -> None:
    """Schedules, then the log."""
    schedules = workspace().arrivals.schedules(source.source_id)
    if not schedules:
        _nothing(source)
    for schedule in schedules:
        _card(schedule)
    if schedules and source.archived_at is None:
        _button("Add a schedule", "add_schedule")
    if schedules or workspace().arrivals.count(_of(source)):
        with st.container(border=True):
            st.markdown("#### Files that came")
            arrived.log(source.source_id)
    if schedule_drawer.is_open():
        schedule_drawer.drawer(source)
    else:
        arrived.watch(source.source_id)


def _of(source: Source) -> Filters:
    return Filters(source_id=source.source_id)


def _nothing(source: Source) -> None:
    with nothing_here(
        "event_repeat",
        "Nothing is looked for",
        "A schedule takes files from the inbox, a bucket or a server by itself, as soon as they are whole.",
    ):
        if source.archived_at is None:
            _button("Create a schedule", "first_schedule", kind="primary")


def _button(label: str, key: str, kind: str = "secondary") -> None:
    st.button(
        label, type="primary" if kind == "primary" else "secondary", icon=":material/add:", key=key,
        on_click=schedule_drawer.open_in_url, args=(schedule_drawer.NEW,),
    )  # fmt: skip


def _card(schedule: Schedule) -> None:
    rules, number = schedule.rules, schedule.schedule_id
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        place = schedule_drawer.INBOX_LABEL if rules.place == "inbox" else rules.place
        where = f"{place}/{rules.folder}" if rules.folder else place
        state = "Paused" if schedule.is_paused else "Needs attention" if schedule.error else "Watching"
        words = in_words(rules)
        row.markdown(
            f"{badges.badge(state)} **{escape(words[0].upper() + words[1:])}** from **{escape(where)}**, "
            + (f"files **{escape(rules.pattern)}**" if rules.pattern != "*" else "all files"),
            width="stretch",
        )
        st.caption(_told(schedule))
        if schedule.error is not None and not schedule.is_paused:
            st.warning(
                f"{escape(schedule.error.get('hint', ''))} It is tried again {_soon(schedule)}; no file is lost.",
                title=escape(schedule.error.get("message", "")), icon=":material/cloud_off:",
            )  # fmt: skip
        _actions(schedule, number)


def _actions(schedule: Schedule, number: int) -> None:
    with st.container(horizontal=True):
        st.button(
            "Run now", icon=":material/play_arrow:", key=f"run_{number}", on_click=_run, args=(number,),
            disabled=schedule.is_paused,
        )  # fmt: skip
        label, icon = ("Resume", "play_circle") if schedule.is_paused else ("Pause", "pause")
        st.button(label, icon=f":material/{icon}:", key=f"pause_{number}", on_click=_pause, args=(schedule,))
        st.button(
            "Edit", icon=":material/edit:", key=f"edit_{number}", on_click=schedule_drawer.open_in_url,
            args=(str(number),),
        )  # fmt: skip
        with st.popover("Remove", icon=":material/delete:", type="tertiary", key=f"removing_{number}"):
            st.markdown("Files are not looked for any more. The log stays, and what was taken is loaded.")
            st.button("Remove schedule", type="primary", key=f"remove_{number}", on_click=_remove, args=(number,))


def _told(schedule: Schedule) -> str:
    """When it looks next, and when it did."""
    looked = f"Last look {ago(schedule.looked_at)}" if schedule.looked_at else "Not looked yet"
    if schedule.is_paused:
        return f"{looked}. Resume it to look again."
    return f"Next look {escape(when(schedule.next_at))}. {looked}."


def _soon(schedule: Schedule) -> str:
    return f"at {escape(when(schedule.next_at))}"


def _run(number: int) -> None:
    _doing(lambda: workspace().arrivals.ask(number), "Looking now")


def _pause(schedule: Schedule) -> None:
    arrivals, number = workspace().arrivals, schedule.schedule_id
    if schedule.is_paused:
        _doing(lambda: arrivals.resume(number), f"Schedule {number} looks again")
    else:
        _doing(lambda: arrivals.pause(number), f"Schedule {number} is paused")


def _remove(number: int) -> None:
    _doing(lambda: workspace().arrivals.remove(number), f"Schedule {number} removed")


def _doing(work: object, done: str) -> None:
    try:
        work()  # type: ignore[operator]
    except OnrampError as error:
        errors.show(error)
        return
    workspace().rounds.wake("arrivals")
    st.session_state["done"] = done
