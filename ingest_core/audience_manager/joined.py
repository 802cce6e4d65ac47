"""Customers and the ids of files: whose traits they are when a data source says which attribute holds its ids.

A profile of files is the pair of a data source (DPID) and an id. It is a customer's when its data source names an
attribute (``id_attribute``) and that customer's value of it is exactly this id, case and all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules.expiry import expires_at
from ingest_core.audience_manager.trait_fold import LIVE
from ingest_core.catalog.attributes import attributes_now
from ingest_core.catalog.sources import sources_now
from ingest_core.engine import Session, quote
from ingest_core.ledger.uploads import utc

AT = "?::TIMESTAMP"

HELD_NOW = f"""
FROM am_held AS held JOIN am_trait AS trait ON trait.trait_id = held.trait_id
JOIN am_profile AS profile ON profile.dpid = held.dpid AND profile.id = held.id
WHERE held.dpid = ? AND realised_at <= {AT} AND {LIVE.format(at=AT)} AND seen_at + to_days(?) > {AT}
"""
"""Bound: the DPID, the moment three times, the days its profiles are kept, the moment."""

WITH_TRAIT = f"SELECT held.id {HELD_NOW} AND held.trait_id = ?"
"""The ids of a data source that have a trait; bound as ``HELD_NOW``, then the trait."""

OF_ID = f"""
SELECT trait.trait_id, trait.name, trait.ttl_days, realised_at, seen_at + to_days(?) AS profile_ends, file.name AS file,
       held.line, request_id
FROM (SELECT held.*, seen_at {HELD_NOW} AND held.id = ?) AS held
JOIN am_trait AS trait USING (trait_id)
LEFT JOIN am_file AS file USING (file_no) LEFT JOIN am_batch USING (batch_no)
ORDER BY trait.name, trait.trait_id
"""


@dataclass(frozen=True, slots=True)
class Join:
    """A data source whose ids are values of an attribute. ``column``: its generated name in ``profile``."""

    dpid: int
    source: str
    attribute: str
    column: str
    days: int

    def of(self, profile: str) -> str:
        """SQL: the id that a profile has there, as text."""
        return f"CAST({profile}.{quote(self.column)} AS VARCHAR)"

    def bound(self, at: datetime) -> tuple[object, ...]:
        """What ``HELD_NOW`` binds."""
        return (self.dpid, at, at, at, self.days, at)


def joins(session: Session) -> tuple[Join, ...]:
    """The data sources that name an attribute. Personal data is no id of files, so that it joins nothing."""
    registered = Registered.of(sources_now(session))
    attributes = {one.name.lower(): one for one in attributes_now(session) if not one.pii}
    found = []
    for dpid, days in sorted(registered.people.items()):
        source = registered.sources[dpid]
        attribute = attributes.get((source.id_attribute or "").lower())
        if attribute is not None:
            found.append(Join(dpid, source.name, attribute.name, attribute.column, days))
    return tuple(found)


def traits_of(session: Session, pid: int, at: datetime) -> list[dict[str, Any]]:
    """The traits that a customer has at a moment (UTC, naive), by name.

    {trait_id, name, source, dpid, id, realised_at, until, file, line, request_id}; ``until`` None: for ever.
    """
    found = []
    for join in joins(session):
        value = session.value(f"SELECT {join.of('p')} FROM profile AS p WHERE p.pid = ?", [pid])
        if value is None:
            continue
        for row in session.records(OF_ID, [join.days, *join.bound(at), value]):
            end = min(ends for ends in (expires_at(row["realised_at"], row["ttl_days"]), row["profile_ends"]) if ends)
            found.append(
                {
                    "trait_id": row["trait_id"], "name": row["name"], "source": join.source, "dpid": join.dpid,
                    "id": value, "realised_at": utc(row["realised_at"]), "until": utc(end), "file": row["file"],
                    "line": row["line"], "request_id": row["request_id"],
                }
            )  # fmt: skip
    return sorted(found, key=lambda one: (one["name"].casefold(), one["trait_id"]))
