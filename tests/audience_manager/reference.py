"""The state after a sequence of batches, computed in plain Python by the letter of the rules (spec §8, §9, §14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

GLOBAL = {20914, 20915}
DEVICE_DAYS = timedelta(days=120)
Id = tuple[int, str]


@dataclass(frozen=True)
class Source:
    kind: str  # cookie | cross_device
    days: int = 720


@dataclass(frozen=True)
class DataFile:
    """``lines``: (user id, [(trait, is_add)])."""

    dpid: int
    owner: int
    mode: str
    stamp: int
    lines: tuple[tuple[str, tuple[tuple[int, bool], ...]], ...]

    @property
    def name(self) -> str:
        target = "" if self.owner == self.dpid else f"_{self.owner}"
        return f"ftp_dpm_{self.dpid}{target}_{self.stamp}.{self.mode}"

    @property
    def text(self) -> str:
        shown = (
            f"{user}\t{','.join(f'd_sid={trait}' if is_add else f'{trait}:0' for trait, is_add in items)}\n"
            for user, items in self.lines
        )
        return "".join(shown)


@dataclass(frozen=True)
class SyncFile:
    columns: tuple[int, ...]
    stamp: int
    rows: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return f"adobe_id_{'_'.join(map(str, self.columns))}_{self.stamp}.sync"

    @property
    def text(self) -> str:
        return "".join("\t".join(row) + "\n" for row in self.rows)


@dataclass
class World:
    """``sources``: DPID → source; ``owners``: trait → DPID; ``ttls``: trait → days."""

    sources: dict[int, Source]
    owners: dict[int, int]
    ttls: dict[int, int]
    held: dict[Id, dict[int, datetime]] = field(default_factory=dict)
    seen: dict[Id, datetime] = field(default_factory=dict)
    maps: dict[Id, dict[Id, tuple[int, datetime]]] = field(default_factory=dict)
    links: dict[Id, dict[Id, int]] = field(default_factory=dict)
    tick: int = 0

    def batch(self, at: datetime, files: list[DataFile | SyncFile]) -> None:
        data = [file for file in files if isinstance(file, DataFile)]
        seen: set[str] = set()
        for file in sorted(
            data, key=lambda f: (f.stamp, f.mode == "sync", f.dpid, f.owner if f.owner != f.dpid else -1)
        ):
            seen |= self._data(at, file)
        self._restart(at, seen)
        for sync in sorted((file for file in files if isinstance(file, SyncFile)), key=lambda f: (f.stamp, f.name)):
            self._sync(at, sync)

    def live(self, at: datetime) -> dict[Id, set[int]]:
        found = {}
        for profile, traits in self.held.items():
            if self.seen[profile] + self._days(profile[0]) <= at:
                continue
            living = {trait for trait, begun in traits.items() if begun <= at and self._ends(trait, begun) > at}
            if living:
                found[profile] = living
        return found

    def _ends(self, trait: int, begun: datetime) -> datetime:
        days = self.ttls[trait]
        if days == 0:
            return begun + timedelta(days=100_000)
        if days == 1:
            return begun.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
        return begun + timedelta(days=days)

    def _days(self, dpid: int) -> timedelta:
        source = self.sources.get(dpid)
        return timedelta(days=source.days) if source and source.kind == "cross_device" else DEVICE_DAYS

    def _data(self, at: datetime, file: DataFile) -> set[str]:
        said: dict[Id, dict[int, bool]] = {}
        for user, items in file.lines:
            profile = self._profile(at, file.dpid, user)
            own = {}
            for trait, is_add in items:
                if self.owners[trait] == file.owner and (is_add or file.mode == "sync"):
                    own[trait] = is_add and own.get(trait, True)  # on one line a removal wins
            if profile is not None and own:
                said.setdefault(profile, {}).update(own)
        for profile, traits in said.items():
            before = self.seen.get(profile)
            if before is not None and before + self._days(profile[0]) <= at:
                self.held.pop(profile, None)
            held = self.held.setdefault(profile, {})
            if file.mode == "overwrite":
                for trait in [trait for trait in held if self.owners[trait] == file.owner]:
                    del held[trait]
            for trait, is_add in traits.items():
                held.pop(trait, None)
                if is_add:
                    held[trait] = at
            self.seen[profile] = max(at, before or at)
        return {identifier for dpid, identifier in said if dpid == 0}

    def _profile(self, at: datetime, dpid: int, user: str) -> Id | None:
        source = self.sources.get(dpid)
        return self._resolve(at, (dpid, user)) if source and source.kind == "cookie" else (dpid, user)

    def _is_cookie(self, one: Id) -> bool:
        return one[0] in self.sources and self.sources[one[0]].kind == "cookie"

    def _resolve(self, at: datetime, one: Id) -> Id | None:
        for _ in range(6):
            if one[0] == 0:
                return one
            living = {
                device: seq
                for device, (seq, seen) in self.maps.get(one, {}).items()
                if device[0] != 0 or not self._is_cookie(one) or seen + DEVICE_DAYS > at
            }
            if living:
                return max(living, key=lambda device: living[device])
            if one[0] in GLOBAL:
                return one
            waiting = self.links.get(one)
            if not waiting:
                return None
            one = max(waiting, key=lambda known: waiting[known])
        return None

    def _restart(self, at: datetime, uuids: set[str]) -> None:
        for devices in self.maps.values():
            for device, (seq, seen) in devices.items():
                if device[0] == 0 and device[1] in uuids and seen < at < seen + DEVICE_DAYS:
                    devices[device] = (seq, at)

    def _sync(self, at: datetime, file: SyncFile) -> None:
        """The rows of one file mean what they mean by the mappings before it: none of them knows of the others."""
        anchored = []
        for row in file.rows:
            ids = list(zip(file.columns, row, strict=True))
            uuid = next((one for one in ids if one[0] == 0), None)
            is_device = uuid is not None or ids[0][0] in GLOBAL
            anchored.append((ids, (uuid or ids[0]) if is_device else self._resolve(at, ids[0]), is_device))
        self._restart(at, {anchor[1] for _, anchor, _ in anchored if anchor is not None and anchor[0] == 0})
        for ids, anchor, is_device in anchored:
            known = anchor if is_device else ids[0]
            for one in ids:
                self.tick += 1
                if anchor is None:
                    if one != ids[0]:
                        self.links.setdefault(one, {})[ids[0]] = self.tick
                elif one != known:
                    self.maps.setdefault(one, {})[anchor] = (self.tick, at)
