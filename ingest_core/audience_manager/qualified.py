"""Who has which traits at a moment, and who is in which segments (Audience Manager spec §13, §14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.id_graph import GraphLimits
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.registered import DEVICE_DAYS, Registered
from ingest_core.audience_manager.rules import Qualification, SegmentRule
from ingest_core.audience_manager.trait_fold import LIVE
from ingest_core.engine import Session
from ingest_core.models import Model

Scope = Literal["profile_only", "device_plus_last_authenticated"]
"""Whose traits count for a profile: its own, or of a device also those of the customer who was synced to it last."""

Profile = tuple[int, str]

_DEVICES = ", ".join(map(str, (UUID_DPID, *GLOBAL_SOURCES)))

LIVING = f"""
SELECT profile.dpid, profile.id FROM am_profile AS profile LEFT JOIN am_days AS kept ON kept.dpid = profile.dpid
WHERE seen_at + to_days(coalesce(kept.days, {DEVICE_DAYS})) > ?::TIMESTAMP
"""
"""SQL: profiles with activity not too long ago."""

LIVE_NOW = f"""
CREATE OR REPLACE TEMP TABLE am_live AS
SELECT held.dpid, held.id, held.trait_id, held.realised_at
FROM am_held AS held
JOIN am_trait ON am_trait.trait_id = held.trait_id
SEMI JOIN ({LIVING}) AS living ON living.dpid = held.dpid AND living.id = held.id
WHERE realised_at <= ?::TIMESTAMP AND {LIVE.format(at="?::TIMESTAMP")}
"""
LAST_AUTHENTICATED = f"""
INSERT INTO am_live
SELECT device_dpid, device_id, live.trait_id, live.realised_at
FROM (SELECT device_dpid, device_id, arg_max(dpid, seq) AS dpid, arg_max(id, seq) AS id
      FROM am_map SEMI JOIN am_days USING (dpid) WHERE device_dpid IN ({_DEVICES})
      GROUP BY device_dpid, device_id
      QUALIFY row_number() OVER (PARTITION BY arg_max(dpid, seq), arg_max(id, seq) ORDER BY max(seq) DESC) <= ?) AS last
JOIN am_live AS live ON live.dpid = last.dpid AND live.id = last.id
"""
QUALIFIED = """
SELECT dpid, id, trait_id, max(realised_at) FROM am_live
GROUP BY dpid, id, trait_id ORDER BY dpid, id, trait_id
"""

PAGE = """
SELECT dpid, id, list(DISTINCT trait_id ORDER BY trait_id) FROM am_live
WHERE (?::BIGINT IS NULL OR dpid = ?) AND (?::BIGINT IS NULL OR (dpid, id) > (?::BIGINT, ?::VARCHAR))
GROUP BY dpid, id ORDER BY dpid, id LIMIT ?
"""
PROFILES = """
SELECT count(*) FROM (SELECT DISTINCT dpid, id FROM am_live WHERE ?::BIGINT IS NULL OR dpid = ?)
"""


def make_live(session: Session, registered: Registered, at: datetime, scope: Scope = "profile_only") -> None:
    """Fills ``am_live`` (dpid, id, trait_id, realised_at) with what is there at a moment (UTC, naive)."""
    Known.of(registered, at).list_days(session)
    session.run(LIVE_NOW, [at, at, at, at])
    if scope == "device_plus_last_authenticated":
        session.run(LAST_AUTHENTICATED, [GraphLimits().devices_together])


@dataclass(frozen=True, slots=True)
class Page:
    """Of profiles by namespace and id: of one ``dpid``, after the profile ``after``, at most ``limit``."""

    dpid: int | None = None
    after: Profile | None = None
    limit: int = 1_000


class Members(Model):
    """``count``: all profiles that were asked for. ``next``: ``DPID:ID`` to go on after, None at the end."""

    count: int
    members: list[dict[str, Any]]
    next: str | None = None


def page_of_members(session: Session, page: Page) -> Members:
    """{dpid, id, traits} of the profiles of a page, from ``am_live``: nothing else of it is read into memory."""
    after = page.after or (None, None)
    rows = session.rows(PAGE, [page.dpid, page.dpid, after[0], *after, page.limit])
    found = [{"dpid": dpid, "id": identifier, "traits": traits} for dpid, identifier, traits in rows]
    is_more = len(found) == page.limit and page.limit > 0
    return Members(
        count=int(session.value(PROFILES, [page.dpid, page.dpid])),
        members=found,
        next=f"{found[-1]['dpid']}:{found[-1]['id']}" if is_more else None,
    )


def members(session: Session) -> dict[Profile, dict[int, datetime]]:
    """Profile → trait → when it was realised, from ``am_live``."""
    found: dict[Profile, dict[int, datetime]] = {}
    for dpid, identifier, trait, realised_at in session.rows(QUALIFIED):
        found.setdefault((dpid, identifier), {})[trait] = realised_at
    return found


def segments_of(traits: Mapping[int, datetime], rules: Mapping[int, SegmentRule], today: date) -> Sequence[int]:
    """The segments that somebody with these traits is in, by id. An onboarded trait counts once."""
    held = {trait: Qualification(1, realised_at.date()) for trait, realised_at in traits.items()}
    return sorted(segment for segment, rule in rules.items() if rule.holds(held, today))
