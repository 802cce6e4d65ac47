"""Whether a file is whole: never a half one, whatever its sender does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ingest_core.arrivals.schedule import Arrival, Rules
from ingest_core.transport.port import Entry

SETTLING = timedelta(seconds=10)
"""So long a file has to stay as it is. Longer than the second to which places tell times: a file that changes later
within the same second cannot pass."""

PATIENCE = timedelta(hours=1)
"""So long files with later names wait for one that is not whole; then they pass it."""


def why_incomplete(
    rules: Rules, arrival: Arrival, there: Mapping[str, Entry], moment: datetime
) -> dict[str, Any] | None:
    """Why the file is not taken yet, None when it is whole. ``there``: name → every entry of the folder."""
    if rules.complete == "renamed":
        return None
    if rules.complete == "stable":
        # A clock that went back would keep it waiting for long: then it counts anew from here.
        quiet = moment - arrival.unchanged_since
        return None if quiet >= SETTLING or quiet < -SETTLING else _waits("still_settling", "It may still be growing.")
    control = control_of(rules, arrival.path, there)
    if control is None:
        return _waits("no_control_file", f"The control file beside it ({rules.control}) is not there yet.")
    file = there[arrival.path]
    if control.modified is not None and file.modified is not None and control.modified < file.modified:
        return _waits("old_control_file", "The control file beside it is older than the file.")
    return None


def control_of(rules: Rules, path: str, there: Mapping[str, Entry]) -> Entry | None:
    """The control file beside a file: ``people.tsv.done``, or ``people.done``."""
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return there.get(path + rules.control) or there.get(folder + slash + stem + rules.control)


def soon_after(unfinished: Arrival, moment: datetime) -> datetime:
    """When to look again for a file that is not whole: soon, the older the later; in the end at regular times only."""
    age = moment - unfinished.seen_at
    if age >= PATIENCE:
        return moment + timedelta(days=366)
    return moment + min(max(SETTLING, age / 4), timedelta(minutes=5))


def waits_for(unfinished: Arrival) -> dict[str, Any]:
    """Why a whole file waits: files are taken in the order of their names."""
    return _waits("waits_its_turn", f"It waits for {unfinished.file}, so that files are loaded in order.")


def _waits(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "hint": "It is looked at again.", "facts": {}}
