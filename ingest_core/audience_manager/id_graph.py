"""Which device an id stands for: the mappings of ID sync files, in memory, by the letter of the rules (spec §8).

Small and exact rather than fast: what keeps millions of mappings is compared with this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from ingest_core.audience_manager.data_sources import UUID_DPID, is_device, is_global
from ingest_core.audience_manager.id_sync import MOST_HASHES, RowContext, parse_row
from ingest_core.audience_manager.name_types import IdSyncName

Id = tuple[int, str]
"""(dpid, id): an id is unique only within its data source."""

MOST_HOPS = 5

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """How many mappings are kept, oldest out (spec §8.4)."""

    devices_per_customer: int = 100  # advertising ids
    customers_per_device: int = 10  # per advertising id and data source
    cookies_per_cookie: int = 1_000
    hashes_per_customer: int = MOST_HASHES
    devices_together: int = 100  # merged or deleted with one declared id


@dataclass(slots=True)
class SyncCounts:
    """The small receipt of one ID sync file (spec §10)."""

    records_received: int = 0
    format_errors: int = 0
    invalid_aam_id: int = 0
    invalid_device_id: int = 0
    no_matching_aam_id: int = 0
    stored_records: int = 0
    lines_too_long: int = 0


_COUNTER = {
    "excluded_too_long": "lines_too_long",
    "format_error": "format_errors",
    "invalid_aam_id": "invalid_aam_id",
    "invalid_device_id": "invalid_device_id",
}


@dataclass(slots=True)
class IdGraph:
    """Mappings id → device with the time of each (a running number), links that wait, and hashed addresses.

    ``id_types``: DPID → *cookie* or *cross_device*; what is not named counts as *cross_device*.
    """

    id_types: Mapping[int, str] = field(default_factory=dict)
    limits: GraphLimits = field(default_factory=GraphLimits)
    _now: int = 0
    _devices: dict[Id, dict[Id, int]] = field(default_factory=dict)
    _known_by: dict[Id, dict[Id, int]] = field(default_factory=dict)
    _links: dict[Id, dict[Id, int]] = field(default_factory=dict)
    _hashes: dict[Id, dict[str, int]] = field(default_factory=dict)

    def apply_file(self, name: IdSyncName, rows: Iterable[bytes], *, strict_alnum: bool = False) -> SyncCounts:
        """All rows of one file, in order; a bad row never stops the others."""
        counts = SyncCounts()
        context = RowContext(name, strict_alnum=strict_alnum)
        for number, raw in enumerate(rows):
            row = parse_row(raw, context, is_first=number == 0)
            if row.category == "blank":
                continue
            counts.records_received += 1
            if row.category == "ok":
                is_stored = self.add_hashes(row.ids) if context.is_c2c else self.add_row(row.ids)
                counter = "stored_records" if is_stored else "no_matching_aam_id"
            else:
                counter = _COUNTER[row.category]
            setattr(counts, counter, getattr(counts, counter) + 1)
        return counts

    def add_row(self, ids: tuple[Id, ...]) -> bool:
        """One row of an ``adobe_id`` file, master first. False when no device is known: its links wait (§8.2)."""
        master = ids[0]
        uuid = next((one for one in ids if one[0] == UUID_DPID), None)
        anchor = uuid or (master if is_global(master[0]) else self.resolve(*master))
        if anchor is None:
            for other in ids[1:]:
                self._touch(self._links.setdefault(other, {}), master)
            return False
        known = {anchor} if uuid or is_global(master[0]) else {master}
        for other in ids:
            if other not in known:
                self._map(other, anchor)
        return True

    def add_hashes(self, ids: tuple[Id, ...]) -> bool:
        """One row of a ``c2c_id`` file: the newest addresses of a customer are kept. Never a device mapping."""
        kept = self._hashes.setdefault(ids[0], {})
        for _, value in ids[1:]:
            self._touch(kept, value)
            _keep_newest(kept, self.limits.hashes_per_customer)
        return True

    def resolve(self, dpid: int, identifier: str) -> Id | None:
        """The device of an id: the newest mapping, through at most five links; a device stands for itself."""
        one = (dpid, identifier)
        for _ in range(MOST_HOPS + 1):
            if one[0] == UUID_DPID:
                return one
            if devices := self._devices.get(one):
                return _newest(devices)
            if is_global(one[0]):
                return one
            if not (links := self._links.get(one)):
                return None
            one = _newest(links)
        return None

    def devices(self, dpid: int, identifier: str) -> list[Id]:
        """All devices mapped to an id, newest first."""
        held = self._devices.get((dpid, identifier), {})
        return sorted(held, key=lambda device: -held[device])

    def hashes(self, dpid: int, identifier: str) -> list[str]:
        """The hashed addresses of a customer, oldest first."""
        held = self._hashes.get((dpid, identifier), {})
        return sorted(held, key=lambda value: held[value])

    def _map(self, one: Id, device: Id) -> None:
        self._touch(self._devices.setdefault(one, {}), device)
        self._known_by.setdefault(device, {})[one] = self._now
        limits = self.limits
        if is_device(one[0]):
            return
        if is_global(device[0]):
            self._cut(one, limits.devices_per_customer, lambda held: is_global(held[0]))
            self._cut_back(device, limits.customers_per_device, lambda held: held[0] == one[0])
        elif self._is_cookie(one):
            self._cut(one, limits.cookies_per_cookie, lambda held: held[0] == UUID_DPID)
            self._cut_back(device, limits.cookies_per_cookie, self._is_cookie)

    def _is_cookie(self, one: Id) -> bool:
        return self.id_types.get(one[0]) == "cookie"

    def _cut(self, one: Id, most: int, counts: Callable[[Id], bool]) -> None:
        """Forgets the oldest devices of an id over ``most``, of those that count."""
        held = self._devices[one]
        for device in _oldest([key for key in held if counts(key)], held, most):
            self._forget(one, device)

    def _cut_back(self, device: Id, most: int, counts: Callable[[Id], bool]) -> None:
        """Forgets the oldest ids of a device over ``most``, of those that count."""
        held = self._known_by[device]
        for one in _oldest([key for key in held if counts(key)], held, most):
            self._forget(one, device)

    def _forget(self, one: Id, device: Id) -> None:
        del self._devices[one][device]
        del self._known_by[device][one]

    def _touch(self, held: dict[_Key, int], key: _Key) -> None:
        """Sets or refreshes an entry as the newest of all."""
        self._now += 1
        held[key] = self._now


def _newest(held: Mapping[Id, int]) -> Id:
    return max(held, key=lambda key: held[key])


def _oldest(keys: list[Id], held: Mapping[Id, int], most: int) -> list[Id]:
    return sorted(keys, key=lambda key: held[key])[: max(len(keys) - most, 0)]


def _keep_newest(held: dict[str, int], most: int) -> None:
    for key in sorted(held, key=lambda key: held[key])[: max(len(held) - most, 0)]:
        del held[key]
