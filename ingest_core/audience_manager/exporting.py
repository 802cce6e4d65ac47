"""What a destination is told about segments: everything, or what changed since it was told last (spec §15.1, §15.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ingest_core.audience_manager.qualified import Scope, make_live, members, segments_of
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules import SegmentRule
from ingest_core.engine import Session

ExportMode = Literal["full", "iter"]

IDS_OF_DEVICES = """
SELECT device_dpid, device_id, id FROM am_map WHERE dpid = ? AND device_dpid IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1
"""


REMEMBER = "INSERT INTO am_exported SELECT ?::VARCHAR, unnest(?::VARCHAR[]), unnest(?::BIGINT[])"


@dataclass(frozen=True, slots=True)
class Told:
    """One row: an id with the segments it is in (full), or with those it entered and left (iter), by id."""

    id: str
    added: tuple[int, ...]
    removed: tuple[int, ...] = ()

    def __str__(self) -> str:
        parts = [self.id, ",".join(map(str, self.added)), ",".join(map(str, self.removed))]
        return " ".join(parts[:2] if not self.removed else parts)


def current_sets(
    session: Session,
    registered: Registered,
    rules: Mapping[int, SegmentRule],
    master: int,
    at: datetime,
    scope: Scope = "profile_only",
) -> dict[str, tuple[int, ...]]:
    """Id of the master data source → its segments, of those that are in one. Users without such an id are left out."""
    make_live(session, registered, at, scope)
    found = {profile: tuple(segments_of(traits, rules, at.date())) for profile, traits in members(session).items()}
    if registered.kind(master) == "cookie":
        by_id = {
            identifier: found.get((device_dpid, device_id), ())
            for device_dpid, device_id, identifier in session.rows(IDS_OF_DEVICES, [master])
        }
    else:
        namespace = registered.profile_dpid(master)
        by_id = {identifier: segments for (dpid, identifier), segments in found.items() if dpid == namespace}
    return {identifier: segments for identifier, segments in by_id.items() if segments}


def export_rows(session: Session, destination: str, mode: ExportMode, now: Mapping[str, tuple[int, ...]]) -> list[Told]:
    """The rows of one run, by id. Nothing is remembered before ``remember``."""
    if mode == "full":
        return [Told(identifier, now[identifier]) for identifier in sorted(now)]
    before: dict[str, set[int]] = {}
    for identifier, segment in session.rows(
        "SELECT id, segment_id FROM am_exported WHERE destination = ?", [destination]
    ):
        before.setdefault(identifier, set()).add(segment)
    rows = []
    for identifier in sorted({*now, *before}):
        new, old = set(now.get(identifier, ())), before.get(identifier, set())
        if new != old:
            rows.append(Told(identifier, tuple(sorted(new - old)), tuple(sorted(old - new))))
    return rows


def remember(session: Session, destination: str, now: Mapping[str, tuple[int, ...]]) -> None:
    """After delivery: what the destination knows from now on."""
    session.run("DELETE FROM am_exported WHERE destination = ?", [destination])
    pairs = [(identifier, segment) for identifier, segments in now.items() for segment in segments]
    session.run(REMEMBER, [destination, [identifier for identifier, _ in pairs], [segment for _, segment in pairs]])
