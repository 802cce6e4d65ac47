"""The drawer that makes or changes a schedule. ``?schedule=new`` or its number opens it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from ingest_core.arrivals.folders import has_days
from ingest_core.arrivals.names import base, matching
from ingest_core.arrivals.presets import WEEKDAYS, Preset, Times, times_of
from ingest_core.arrivals.schedule import AUTO, LATEST, Rules, Schedule
from ingest_core.arrivals.when import check_when, next_times
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from ingest_core.transport.port import Entry
from pages.ui import errors
from pages.ui.schedule_rules import more
from pages.ui.state import time_zone, workspace
from pages.ui.text import count, escape, size
from pages.ui.waiting import forget, remembered

PARAMETER = "schedule"
NEW = "new"
SHOWN = 5
PRESETS: dict[Preset, str] = {
    "quarter": "Every 15 minutes", "hour": "Every hour", "every": "Another interval", "day": "Every day",
    "weekdays": "On weekdays", "week": "Every week", "cron": "Cron expression",
}  # fmt: skip
AFTER = {"move": "Move to done", "delete": "Delete", "leave": "Leave"}
INBOX_LABEL = "Inbox folder of this workspace"


def open_in_url(which: str) -> None:
    """The drawer is open from now on, also after a reload."""
    st.query_params[PARAMETER] = which


def is_open() -> bool:
    """Whether the URL asks for the drawer."""
    return PARAMETER in st.query_params


def drawer(source: Source) -> None:
    """Draws the drawer when the URL asks for it."""
    if which := st.query_params.get(PARAMETER):
        _new(source) if which == NEW else _edit(source, which)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("New schedule", position="right", icon=":material/event_repeat:", width=560, on_dismiss=_close)
def _new(source: Source) -> None:
    reads = "audience_manager" if source.kind == "data_source" else "rows"
    _form(source, Rules(place=workspace().arrivals.doors.names()[0], every_seconds=900, reads=reads), None)


@st.dialog("Edit schedule", position="right", icon=":material/event_repeat:", width=560, on_dismiss=_close)
def _edit(source: Source, which: str) -> None:
    try:
        schedule = workspace().arrivals.get(int(which) if which.isascii() and which.isdigit() else 0)
    except OnrampError as error:
        errors.show(error)
        return
    _form(source, schedule.rules, schedule)


def _form(source: Source, rules: Rules, schedule: Schedule | None) -> None:
    """All choices, the files that fit, the next times; saved by one button."""
    mark = str(schedule.schedule_id) if schedule else NEW
    chosen: dict[str, Any] = {}
    with st.container(border=True):
        st.markdown("#### Where")
        chosen |= _where(rules, mark)
        _preview(rules.model_copy(update=chosen))
    with st.container(border=True):
        st.markdown("#### When")
        chosen |= _when(rules, mark)
    with st.container(border=True):
        st.markdown("#### What becomes of a file")
        if rules.reads == "rows":
            chosen["mapping"] = _mapping(source, rules, mark)
        after = st.segmented_control(
            "At its place, once it is loaded", list(AFTER), format_func=AFTER.__getitem__, default=rules.after,
            required=True, key=f"schedule_after_{mark}",
            help="A file that was not loaded is never deleted: it moves to a folder failed beside it, with a note.",
        )  # fmt: skip
        chosen["after"] = after
        with st.expander("More", key=f"schedule_more_{mark}"):
            chosen |= more(source, rules, mark)
    label = "Create schedule" if schedule is None else "Save"
    if st.button(label, type="primary", key=f"schedule_save_{mark}"):
        _save(source, {**rules.model_dump(), **chosen}, schedule)


def _save(source: Source, values: dict[str, Any], schedule: Schedule | None) -> None:
    arrivals = workspace().arrivals
    try:
        rules = Rules.model_validate(values)
        kept = arrivals.add(source, rules) if schedule is None else arrivals.change(schedule.schedule_id, rules)
    except OnrampError as error:
        errors.show(error)
        return
    workspace().rounds.wake("arrivals")
    _close()
    st.session_state["done"] = f"Schedule {kept.schedule_id} " + ("created" if schedule is None else "saved")
    st.rerun()


def _where(rules: Rules, mark: str) -> dict[str, Any]:
    names = workspace().arrivals.doors.names()
    known = names if rules.place in names else [*names, rules.place]
    place = st.selectbox(
        "Look in", known, index=known.index(rules.place), key=f"schedule_place_{mark}",
        format_func=lambda name: INBOX_LABEL if name == "inbox" else name,
        help="The inbox, or a destination: a folder, a bucket, an SFTP or FTP server.",
    )  # fmt: skip
    left, right = st.columns(2)
    folder = left.text_input(
        "Folder", value=rules.folder, key=f"schedule_folder_{mark}", placeholder="The place itself", max_chars=500,
        help="`partner/date=*` looks into the folder of each day (UTC): today's, and those of some days before.",
    )  # fmt: skip
    pattern = right.text_input(
        "Files", value=rules.pattern, key=f"schedule_pattern_{mark}", live=True, max_chars=300,
        help="A pattern for names: people_*.tsv. A star stands for anything.",
    )  # fmt: skip
    is_regex = st.toggle("Regular expression", value=rules.is_regex, key=f"schedule_regex_{mark}")
    days = rules.days_back
    if has_days(folder or ""):
        days = st.number_input(
            "Days before today that are looked into, too", min_value=0, max_value=60, value=days,
            key=f"schedule_days_{mark}", help="A file that comes into an older folder is not seen.",
        )  # fmt: skip
    where = {"place": place, "folder": folder or "", "days_back": int(days)}
    return {**where, "pattern": pattern or "*", "is_regex": is_regex}


def _preview(rules: Rules) -> None:
    """The files that fit, as the place has them now; looked at again on demand only."""
    key = "schedule_entries"
    try:
        entries: list[Entry] = remembered(
            key, (rules.place, rules.folder, rules.days_back), lambda: workspace().arrivals.entries(rules)
        )
        found = matching(rules, entries)
    except (OnrampError, ValueError) as error:
        what = error.message if isinstance(error, OnrampError) else "The pattern cannot be used."
        st.caption(f":orange[:material/warning: {escape(what)}]")
        return
    _told(found, len(entries))
    if st.button("Look again", icon=":material/refresh:", type="tertiary", key="schedule_refresh"):
        forget(key)
        st.rerun(scope="fragment")


def _told(found: Sequence[Entry], total: int) -> None:
    if not found:
        there = f" ({count(total, 'other file')} there)" if total else ""
        st.caption(f"No file fits at the moment{there}. What comes later is taken.")
        return
    st.caption(f"{count(len(found), 'file fits', 'files fit')} now, taken in this order:")
    lines = [f"- {escape(base(entry.name))} :gray[{size(entry.size)}]" for entry in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"- :gray[and {count(len(found) - SHOWN, 'more file')}]")
    st.markdown("\n".join(lines))


def _when(rules: Rules, mark: str) -> dict[str, Any]:
    now_chosen = times_of(rules)
    preset = st.selectbox(
        "How often", get_args(Preset), index=get_args(Preset).index(now_chosen.preset), key=f"schedule_often_{mark}",
        format_func=PRESETS.__getitem__,
    )  # fmt: skip
    at, weekday, cron, minutes = now_chosen.at, now_chosen.weekday, now_chosen.cron, now_chosen.minutes
    if preset == "every":
        minutes = st.number_input(
            "Minutes", min_value=1, max_value=31 * 1440, value=minutes, key=f"schedule_minutes_{mark}"
        )
    if preset in ("day", "weekdays", "week"):
        left, right = st.columns(2)
        at = left.time_input("At", value=at, step=900, key=f"schedule_at_{mark}")
        if preset == "week":
            name = right.selectbox("On", WEEKDAYS, index=weekday, key=f"schedule_weekday_{mark}")
            weekday = WEEKDAYS.index(name)
    if preset == "cron":
        cron = st.text_input(
            "Cron expression", value=cron, key=f"schedule_cron_{mark}", live=True, max_chars=100,
            help="Five fields: minute, hour, day of the month, month, weekday. 0 6 * * 1 is every Monday at six.",
        )  # fmt: skip
    zone = rules.zone if mark != NEW else str(time_zone())
    if preset not in ("quarter", "hour", "every"):
        zone = _zone(rules, mark)
    chosen = {**Times(preset, at, weekday, int(minutes), cron or "").fields(), "zone": zone}
    _next(rules.model_copy(update=chosen))
    return chosen


def _zone(rules: Rules, mark: str) -> str:
    from zoneinfo import available_timezones

    mine = rules.zone if mark != NEW else str(time_zone())
    zones = sorted(available_timezones() | {mine})
    return str(st.selectbox("Time zone", zones, index=zones.index(mine), key=f"schedule_zone_{mark}"))


def _next(rules: Rules) -> None:
    """The next three times, in the zone of the schedule."""
    try:
        check_when(rules, now())
    except OnrampError as error:
        st.caption(f":red[:material/error: {escape(error.message.removesuffix(' Nothing was changed.'))}]")
        return
    times = [f"{time:%a} {time.day} {time:%b, %H:%M}" for time in next_times(rules, now())]
    st.caption(f"Next: {' · '.join(times)} ({escape(rules.zone)})")


def _mapping(source: Source, rules: Rules, mark: str) -> int | str:
    versions = [mapping.version or 0 for mapping in workspace().mappings.all(source)]
    choices: list[int | str] = [LATEST, AUTO, *versions]
    told = {LATEST: "The latest for the columns of the file", AUTO: "The latest; suggestions where there is none"}
    first = rules.mapping if mark != NEW or versions else AUTO
    chosen: int | str = st.selectbox(
        "Mapping", choices, index=choices.index(first) if first in choices else 0, key=f"schedule_mapping_{mark}",
        format_func=lambda one: told.get(one, f"Version {one}"),
        help="A file whose columns no mapping fits is refused and told in the log, unless suggestions may be taken.",
    )  # fmt: skip
    return chosen
