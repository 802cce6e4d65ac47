"""Options of a load that are not about people: when it starts, who is told, how many rejected rows it may have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from ingest_core.catalog.addresses import check_addresses
from ingest_core.clock import now, to_utc
from ingest_core.errors import OnrampError
from pages.ui.draft import Draft
from pages.ui.notice_words import told_when
from pages.ui.state import time_zone, when
from pages.ui.text import count, escape, number, percent
from pages.ui.waiting import at_once

PERCENT_OFFERED = 5.0


def save(draft: Draft, **update: object) -> None:
    """Keeps a choice at once, when it is another one."""
    options = draft.options.model_copy(update=update)
    if options != draft.options:
        draft.options = options
        draft.save()


def moment(draft: Draft) -> str | None:
    """Now, or a time on the person's own clock."""
    zone = time_zone()
    with st.container(border=True):
        st.markdown("#### When")
        labels = {"now": "Now", "later": "At a time"}
        chosen = st.segmented_control(
            "When", list(labels), format_func=labels.__getitem__, default="later" if draft.options.at else "now",
            required=True, key="when", label_visibility="collapsed",
        )  # fmt: skip
        if chosen == "now":
            save(draft, at=None)
            st.caption("The load starts when you press the button of the last step.")
            return None
        shown = draft.options.at or now() + timedelta(hours=1)
        local = st.datetime_input(f"Time ({zone.key})", value=_local(shown), key="at")
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if to_utc(at) <= now():
            return "Choose a time to come."
        save(draft, at=at)
        st.caption(
            f"The load starts at {when(at)}, {_in(to_utc(at) - now())}, when the app is running then, else at its next "
            "start. The file is kept encrypted until then."
        )
    return None


def _local(moment: datetime) -> datetime:
    """A moment on the person's clock, to the minute."""
    return to_utc(moment).replace(tzinfo=UTC).astimezone(time_zone()).replace(tzinfo=None, second=0, microsecond=0)


def _in(left: timedelta) -> str:
    """In 40 minutes; in 3 hours; in 2 days."""
    minutes = max(1, round(left.total_seconds() / 60))
    if minutes < 90:
        return f"in {count(minutes, 'minute')}"
    hours = round(minutes / 60)
    return f"in {count(hours, 'hour')}" if hours < 48 else f"in {count(round(hours / 24), 'day')}"


def recipients(draft: Draft) -> str | None:
    """Who gets messages; those of the source are offered."""
    offered = list(dict.fromkeys((*draft.source.settings.recipients, *draft.options.notify)))
    with st.container(border=True):
        st.markdown("#### Who gets an e-mail")
        chosen = st.multiselect(
            "Addresses", offered, default=list(draft.options.notify), accept_new_options=True, key="notify",
            placeholder="name@example.com", label_visibility="collapsed",
        )  # fmt: skip
        try:
            addresses = check_addresses(chosen)
        except OnrampError as error:
            st.caption(f":orange[:material/edit: {escape(error.hint)}]")
            return "Correct the e-mail addresses."
        save(draft, notify=addresses)
        st.caption(_told(draft))
    return None


def _told(draft: Draft) -> str:
    people, events = len(draft.options.notify), told_when(draft.source.settings.notify_on)
    if not people:
        return "Nobody is told."
    if not events:
        return f"The settings of {escape(draft.source.name)} say that nobody is told of anything."
    said = f"{count(people, 'person is', 'people are')} told when the load {events}"
    if draft.workspace.settings.mail_host:
        return f"{said}."
    return f"{said}. No mail server is set up in the settings: the messages are kept and can be read under Notices."


def threshold(draft: Draft) -> None:
    """How many rejected rows stop a file; kept with the source, so it holds for its next files too."""
    current = draft.source.settings.threshold_percent
    modes = {"all": "Go on", "percent": "Stop above a share", "strict": "Stop at the first"}
    mode = "all" if current is None else "strict" if current == 0 else "percent"
    with st.container(border=True):
        st.markdown("#### When rows are rejected")
        chosen = st.segmented_control(
            "When rows are rejected", list(modes), format_func=modes.__getitem__, default=mode, required=True,
            key="threshold_mode", label_visibility="collapsed",
        )  # fmt: skip
        limit = {"all": None, "strict": 0.0}.get(str(chosen))
        if chosen == "percent":
            limit = st.number_input(
                "Share of the rows (%)", min_value=0.1, max_value=100.0, step=0.5, value=current or PERCENT_OFFERED,
                key="threshold", format="%g",
            )  # fmt: skip
        if limit != current:
            settings = draft.source.settings.model_copy(update={"threshold_percent": limit})
            with at_once(draft.workspace):
                draft.source = draft.workspace.sources.update(draft.source.source_id, settings=settings)
        st.caption(f"{_stops(limit, draft.inspection().rows)} This holds for all files of {escape(draft.source.name)}.")


def _stops(limit: float | None, rows: int) -> str:
    if limit is None:
        return f"Of {count(rows, 'row')} the good ones are loaded, however few they are."
    if limit == 0:
        return f"One rejected row of {number(rows)} stops the whole file."
    most = int(limit * rows / 100)
    return (
        f"More than {percent(limit / 100)} rejected rows stop the whole file: {number(most)} of {number(rows)} may be "
        "rejected."
    )
