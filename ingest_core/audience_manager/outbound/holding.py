"""Where it is read who has which of some traits at a moment, for exports of millions of profiles.

``am_told_trait`` (trait_id, ttl_days, word, bit) lists the traits that matter. Each is one bit of one word, so that
whether somebody has it is a question about a number. Nothing is written down on the way: profiles are put together from
``am_held`` first, and only then asked whether they still live, once each and not once for every trait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.qualified import LIVING, Scope, make_live
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.trait_fold import LIVE
from ingest_core.engine import Session

WORD_BITS = 60

_TOLD = f"""
CREATE OR REPLACE TEMP TABLE am_told_trait AS
SELECT trait_id, ttl_days, nth // {WORD_BITS} AS word, 1::BIGINT << (nth % {WORD_BITS}) AS bit
FROM (SELECT trait_id, ttl_days, coalesce(list_position(?::BIGINT[], trait_id) - 1, 0)::INTEGER AS nth
      FROM am_trait
      WHERE (? OR trait_id IN (SELECT unnest(?::BIGINT[]))) AND dpid NOT IN (SELECT unnest(?::BIGINT[])))
"""
_OWN = f"""
SELECT held.dpid, held.id, trait_id, realised_at, word, bit
FROM am_held AS held JOIN am_told_trait USING (trait_id)
WHERE (? OR list_contains(?::BIGINT[], held.dpid)) AND realised_at <= ?::TIMESTAMP AND {LIVE.format(at="?::TIMESTAMP")}
"""
_LENT = """
SELECT dpid, id, trait_id, realised_at, word, bit
FROM (SELECT dpid, id, trait_id, max(realised_at) AS realised_at FROM am_live
      WHERE ? OR list_contains(?::BIGINT[], dpid) GROUP BY dpid, id, trait_id) JOIN am_told_trait USING (trait_id)
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """SQL of (dpid, id, trait_id, realised_at, word, bit), a trait of a profile once, and its parameters.

    ``living`` is what profiles of it are joined with behind that, so that only those that are still there are left.
    """

    sql: str
    parameters: Sequence[object]
    living: str = ""
    living_parameters: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is about. ``master``: whose ids, None: profiles of all data sources.

    ``traits``: these, or None: all; ``without``: nothing of these data sources.
    """

    master: int | None
    at: datetime
    traits: Sequence[int] | None = None
    without: Sequence[int] = ()
    scope: Scope = "profile_only"


def holding(session: Session, registered: Registered, wanted: Wanted) -> Holding:
    """Fills ``am_told_trait``, and ``am_live`` where devices have the traits of customers, too."""
    traits, at = list(wanted.traits or ()), wanted.at
    session.run(_TOLD, [traits, wanted.traits is None, traits, list(wanted.without)])
    whose = [wanted.master is None, [] if wanted.master is None else profiles_of(registered, wanted.master)]
    if wanted.scope != "profile_only":
        make_live(session, registered, at, wanted.scope)
        return Holding(_LENT, whose)
    Known.of(registered, at).list_days(session)
    return Holding(_OWN, [*whose, at, at, at], f"SEMI JOIN ({LIVING}) AS living USING (dpid, id)", [at])


def profiles_of(registered: Registered, master: int) -> list[int]:
    """Namespaces of the profiles that ids of this data source stand for: of cookie ids, devices."""
    if registered.kind(master) == "cookie":
        return [UUID_DPID, *GLOBAL_SOURCES]
    return [registered.profile_dpid(master)]
