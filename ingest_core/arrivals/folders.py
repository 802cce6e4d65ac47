"""Folders of a day: ``partner/{date}`` or ``partner/date=*`` means those of today and of the days before (UTC).

A bucket of Audience Manager files has a folder ``date=YYYY-MM-DD`` for each day; listing all of them at every look
would take longer from day to day.
"""

from __future__ import annotations

from datetime import date, timedelta

from ingest_core.arrivals.schedule import Rules
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.transport.port import Entry, Place, checked_name

DATE = "{date}"
ANY_DATE = "date=*"


def has_days(folder: str) -> bool:
    """Whether a folder stands for one of each day."""
    return DATE in folder or ANY_DATE in folder


def check_folder(folder: str) -> str:
    """The folder as it is kept. InputError ``bad_file_name``, ``bad_folder``."""
    folder = folder.strip("/")
    if folder:
        checked_name(folder)
    if has_days(folder) and any(sign in _of_day(folder, date.min) for sign in "{}*?["):
        raise InputError(
            "The folder cannot be used. Nothing was changed.",
            code="bad_folder",
            hint="A day is {date} or date=*, such as partner/date=*; there are no other placeholders.",
        )
    return folder


def folders_of(rules: Rules, today: date) -> list[str]:
    """Where to look, the oldest day first."""
    if not has_days(rules.folder):
        return [rules.folder]
    return [_of_day(rules.folder, today - timedelta(days=back)) for back in range(rules.days_back, -1, -1)]


def entries_of(place: Place, rules: Rules) -> list[Entry]:
    """Everything that lies in the folders of a schedule; a day without a folder has nothing."""
    return [entry for folder in folders_of(rules, now().date()) for entry in place.entries(folder)]


def _of_day(folder: str, day: date) -> str:
    return folder.replace(ANY_DATE, f"date={DATE}").replace(DATE, day.isoformat())
