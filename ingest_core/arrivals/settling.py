"""After the load: a file moves to ``done`` or ``failed`` beside it, or is deleted: only the very file that was taken.

Each piece may be done again after a crash: what is done already is seen at the place.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from ingest_core.arrivals.complete import control_of
from ingest_core.arrivals.names import NOTE
from ingest_core.arrivals.schedule import Arrival, Rules
from ingest_core.arrivals.store import Store, is_same
from ingest_core.errors import DeliveryError
from ingest_core.faults import abort_point
from ingest_core.transport.port import Entry, Place


@dataclass
class _Text:
    """A few lines as a file."""

    name: str
    data: bytes
    size: int

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.data)


Shelves = dict[str, dict[str, int]]
"""Folder → name → size of what was put away there before: it only grows, so it is listed once a connection."""


def settle(place: Place, arrival: Arrival, rules: Rules, store: Store, shelves: Shelves) -> None:
    """Does what is left to do with one file at its place. DeliveryError: it is tried again later."""
    abort_point("arrival: settle", "before")
    folder = arrival.path.rpartition("/")[0]
    there = {entry.name: entry for entry in place.entries(folder)}
    entry = there.get(arrival.path)
    if entry is not None and not is_same(arrival, entry):
        store.settled(arrival, "Another file has this name there now; it was left as it is.")
        return
    if arrival.after == "delete":
        note = _delete(place, arrival, entry)
    else:
        note = _move(place, arrival, entry, shelves)
    abort_point("arrival: settle", "between")
    control = control_of(rules, arrival.path, there) if rules.complete == "control" else None
    if control is not None:
        place.delete(control.name)
    abort_point("arrival: settle", "after")
    store.settled(arrival, note)


def _delete(place: Place, arrival: Arrival, entry: Entry | None) -> str:
    if entry is not None:
        place.delete(arrival.path)
    return "Deleted there."


def _move(place: Place, arrival: Arrival, entry: Entry | None, shelves: Shelves) -> str:
    """Under a name that nobody has: nothing that was put away before is lost."""
    to = arrival.after or "done"
    folder, slash, name = arrival.path.rpartition("/")
    shelf = folder + slash + to
    if shelf not in shelves:
        shelves[shelf] = {other.name: other.size for other in place.entries(shelf)}
    taken = shelves[shelf]
    plain, own = f"{shelf}/{name}", f"{shelf}/{arrival.arrival_no}-{name}"
    if entry is None:
        is_ours = own in taken or (plain in taken and taken[plain] == arrival.size)
        if to == "failed" and is_ours:
            _leave_note(place, arrival, own if own in taken else plain)
        return f"Moved to {to}." if is_ours else "It was not there any more."
    target = own if plain in taken else plain
    try:
        place.move(arrival.path, target)
    except DeliveryError as error:
        if error.code != "file_gone":
            raise
        return "It was not there any more."
    taken[target] = arrival.size
    if to == "failed":
        _leave_note(place, arrival, target)
    return f"Moved to {to}."


def _leave_note(place: Place, arrival: Arrival, target: str) -> None:
    """A small text beside a file that was not loaded, for whoever sent it."""
    reason: Mapping[str, object] = arrival.reason or {}
    lines = [f"{arrival.file}", str(reason.get("message", "It was not loaded.")), str(reason.get("hint", ""))]
    if arrival.request_id:
        lines.append(f"Request ID {arrival.request_id}")
    data = "\n".join(line for line in lines if line).encode() + b"\n"
    place.put(target + NOTE, _Text(target + NOTE, data, len(data)), replace=True)
