"""Which device ids stand for, for a whole table of ids at once (Audience Manager spec §8.2)."""

from __future__ import annotations

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.id_graph import MOST_HOPS
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.registered import DEVICE_DAYS
from ingest_core.engine import Session

_GLOBAL = ", ".join(map(str, GLOBAL_SOURCES))

LIVING = f"""
(am_map.device_dpid <> {UUID_DPID} OR am_map.seen_at + to_days({DEVICE_DAYS}) > {{at}}
 OR NOT list_contains({{cookies}}::BIGINT[], am_map.dpid))
"""
"""SQL: whether a mapping is there at a moment; those of the cookie data sources end when nobody sees the UUID."""

BEGIN = f"""
SELECT DISTINCT dpid, id, dpid AS now_dpid, id AS now_id FROM {{asked}} AS asked
WHERE dpid IN ({UUID_DPID}, {_GLOBAL}) OR dpid IN (SELECT dpid FROM am_map UNION SELECT dpid FROM am_link)
"""
NONE_YET = "SELECT 0::BIGINT AS dpid, '' AS id, 0::BIGINT AS device_dpid, '' AS device_id WHERE false"
SELVES = f"""
SELECT dpid, id, now_dpid AS device_dpid, now_id AS device_id FROM am_hop WHERE now_dpid = {UUID_DPID}
"""
MAPPED = f"""
SELECT hop.dpid, hop.id, arg_max(am_map.device_dpid, am_map.seq) AS device_dpid,
       arg_max(am_map.device_id, am_map.seq) AS device_id
FROM am_hop AS hop JOIN am_map ON am_map.dpid = hop.now_dpid AND am_map.id = hop.now_id
WHERE hop.now_dpid <> {UUID_DPID} AND {LIVING.format(at="?::TIMESTAMP", cookies="?")}
GROUP BY hop.dpid, hop.id
"""
DEVICES = f"""
SELECT dpid, id, now_dpid AS device_dpid, now_id AS device_id FROM am_hop ANTI JOIN am_resolved USING (dpid, id)
WHERE now_dpid IN ({_GLOBAL})
"""
FOLLOW = """
SELECT hop.dpid, hop.id, arg_max(am_link.known_dpid, am_link.seq) AS now_dpid,
       arg_max(am_link.known_id, am_link.seq) AS now_id
FROM (SELECT * FROM am_hop ANTI JOIN am_resolved USING (dpid, id)) AS hop
JOIN am_link ON am_link.dpid = hop.now_dpid AND am_link.id = hop.now_id
GROUP BY hop.dpid, hop.id
"""


def resolve(session: Session, known: Known, asked: str) -> None:
    """From ``asked`` (SQL of dpid, id) to ``am_resolved`` (dpid, id, device_dpid, device_id).

    Who has no device is not in it. The newest mapping that is there at the moment of ``known``, else the newest link,
    through at most five of them; a device stands for itself.
    """
    scratch = session.scratch
    scratch.keep("am_resolved", NONE_YET)
    hops = scratch.keep("am_hop", BEGIN.format(asked=asked))
    for _ in range(MOST_HOPS + 1):
        if not hops:
            return
        scratch.add("am_resolved", SELVES)
        scratch.add("am_resolved", MAPPED, [known.at, list(known.cookies)])
        scratch.add("am_resolved", DEVICES)
        hops = scratch.keep("am_hop", FOLLOW)
