"""Rows of an ID sync file become mappings, links and hashed addresses (Audience Manager spec §8.2, §8.4).

The rows stand in ``am_pair`` (line, place, dpid, id), the column as its place. Within one file later rows win, so a
large file is taken part by part, in the order of its lines: memory does not follow its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID, is_global
from ingest_core.audience_manager.id_graph import GraphLimits
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.registered import DEVICE_DAYS
from ingest_core.audience_manager.resolving import resolve
from ingest_core.engine import Session

PART_LINES = 4_000_000  # most that are taken at once: 40 bytes each in some tables, within 500 MB
_DEVICES = ", ".join(map(str, (UUID_DPID, *GLOBAL_SOURCES)))
_GLOBAL = ", ".join(map(str, GLOBAL_SOURCES))

_LAST = """
(SELECT greatest((SELECT coalesce(max(seq), 0) FROM am_map), (SELECT coalesce(max(seq), 0) FROM am_link),
                 (SELECT coalesce(max(seq), 0) FROM am_hash)))
"""

ALL_LINES = "SELECT coalesce(max(line), 0) FROM am_pair"
PART = "CREATE OR REPLACE TEMP VIEW am_part AS FROM am_pair WHERE line BETWEEN {first} AND {last}"
ANCHOR_IN_ROW = """
SELECT line, dpid AS device_dpid, id AS device_id, place FROM am_part WHERE place = ?
"""
ANCHOR_OF_MASTER = """
SELECT line, device_dpid, device_id, place FROM am_part JOIN am_resolved USING (dpid, id) WHERE place = 0
"""
MASTERS = "(SELECT dpid, id FROM am_part WHERE place = 0)"
UUIDS = f"SELECT device_id FROM am_anchor WHERE device_dpid = {UUID_DPID}"
NEW_MAPS = f"""
SELECT dpid, id, device_dpid, device_id, {_LAST} + max(turn) AS seq
FROM (SELECT pair.dpid, pair.id, device_dpid, device_id, pair.line * 128 + pair.place AS turn
      FROM am_part AS pair JOIN am_anchor AS anchor USING (line)
      WHERE pair.place <> anchor.place AND NOT (pair.dpid = device_dpid AND pair.id = device_id))
GROUP BY dpid, id, device_dpid, device_id
"""
OLD_MAPS_GO = """
DELETE FROM am_map USING am_new_map AS fresh
WHERE am_map.dpid = fresh.dpid AND am_map.id = fresh.id
  AND am_map.device_dpid = fresh.device_dpid AND am_map.device_id = fresh.device_id
"""
MAPS = "INSERT INTO am_map SELECT dpid, id, device_dpid, device_id, seq, ?::TIMESTAMP FROM am_new_map"
SEEN = f"""
UPDATE am_map SET seen_at = ?::TIMESTAMP
WHERE device_dpid = {UUID_DPID} AND seen_at < ?::TIMESTAMP AND seen_at + to_days({DEVICE_DAYS}) > ?::TIMESTAMP
  AND device_id IN (SELECT device_id FROM am_seen)
"""

NEW_LINKS = f"""
SELECT dpid, id, known_dpid, known_id, {_LAST} + max(turn) AS seq
FROM (SELECT other.dpid, other.id, master.dpid AS known_dpid, master.id AS known_id,
             other.line * 128 + other.place AS turn
      FROM am_part AS other JOIN am_part AS master ON master.line = other.line AND master.place = 0
      ANTI JOIN am_anchor ON am_anchor.line = other.line
      WHERE other.place > 0)
GROUP BY dpid, id, known_dpid, known_id
"""
OLD_LINKS_GO = """
DELETE FROM am_link USING am_new_link AS fresh
WHERE am_link.dpid = fresh.dpid AND am_link.id = fresh.id
  AND am_link.known_dpid = fresh.known_dpid AND am_link.known_id = fresh.known_id
"""
LINKS = "INSERT INTO am_link SELECT dpid, id, known_dpid, known_id, seq FROM am_new_link"

NEW_HASHES = f"""
SELECT dpid, id, hash, {_LAST} + max(turn) AS seq
FROM (SELECT master.dpid, master.id, other.id AS hash, other.line * 128 + other.place AS turn
      FROM am_part AS other JOIN am_part AS master ON master.line = other.line AND master.place = 0
      WHERE other.place > 0)
GROUP BY dpid, id, hash
"""
OLD_HASHES_GO = """
DELETE FROM am_hash USING am_new_hash AS fresh
WHERE am_hash.dpid = fresh.dpid AND am_hash.id = fresh.id AND am_hash.hash = fresh.hash
"""
HASHES = "INSERT INTO am_hash SELECT dpid, id, hash, seq FROM am_new_hash"
TOO_MANY_HASHES = """
DELETE FROM am_hash WHERE seq IN (
    SELECT seq FROM am_hash SEMI JOIN am_new_hash USING (dpid, id)
    QUALIFY row_number() OVER (PARTITION BY dpid, id ORDER BY seq DESC) > ?)
"""

TOO_MANY_DEVICES = f"""
DELETE FROM am_map WHERE seq IN (
    SELECT seq FROM am_map SEMI JOIN am_new_map USING (dpid, id)
    WHERE dpid NOT IN ({_DEVICES}) AND device_dpid IN ({_GLOBAL})
    QUALIFY row_number() OVER (PARTITION BY dpid, id ORDER BY seq DESC) > ?)
"""
TOO_MANY_CUSTOMERS = f"""
DELETE FROM am_map WHERE seq IN (
    SELECT seq FROM am_map SEMI JOIN am_new_map USING (device_dpid, device_id)
    WHERE dpid NOT IN ({_DEVICES}) AND device_dpid IN ({_GLOBAL})
    QUALIFY row_number() OVER (PARTITION BY device_dpid, device_id, dpid ORDER BY seq DESC) > ?)
"""
TOO_MANY_COOKIES = """
DELETE FROM am_map WHERE seq IN (
    SELECT seq FROM am_map SEMI JOIN am_new_map USING (dpid, id)
    WHERE list_contains(?::BIGINT[], dpid) AND device_dpid = 0
    QUALIFY row_number() OVER (PARTITION BY dpid, id ORDER BY seq DESC) > ?)
"""
TOO_MANY_OF_ONE_COOKIE = """
DELETE FROM am_map WHERE seq IN (
    SELECT seq FROM am_map SEMI JOIN am_new_map USING (device_dpid, device_id)
    WHERE list_contains(?::BIGINT[], dpid) AND device_dpid = 0
    QUALIFY row_number() OVER (PARTITION BY device_id ORDER BY seq DESC) > ?)
"""


def restart_days(session: Session, at: datetime) -> None:
    """Mappings to the UUIDs of ``am_seen`` (device_id) that are there still count their days anew."""
    session.run(SEEN, [at, at, at])


def parts(session: Session) -> Iterator[None]:
    """Makes ``am_part`` one part of ``am_pair`` after the other; always the same ones, whoever folds the file again."""
    lines = int(session.value(ALL_LINES))
    for first in range(1, lines + 1, PART_LINES):
        session.run(PART.format(first=first, last=first + PART_LINES - 1))
        yield


def apply_ids(session: Session, columns: Sequence[int], known: Known) -> int:
    """Rows of an ``adobe_id`` file whose columns are these data sources; returns how many found their device."""
    return sum(_apply_part(session, columns, known) for _ in parts(session))


def _apply_part(session: Session, columns: Sequence[int], known: Known) -> int:
    place = columns.index(UUID_DPID) if UUID_DPID in columns else 0
    scratch = session.scratch
    if place or columns[0] == UUID_DPID or is_global(columns[0]):
        rows = scratch.keep("am_anchor", ANCHOR_IN_ROW, [place])
    else:
        resolve(session, known, MASTERS)
        rows = scratch.keep("am_anchor", ANCHOR_OF_MASTER)
    scratch.keep("am_seen", UUIDS)
    restart_days(session, known.at)
    scratch.keep("am_new_map", NEW_MAPS)
    session.run(OLD_MAPS_GO)
    session.run(MAPS, [known.at])
    scratch.keep("am_new_link", NEW_LINKS)
    session.run(OLD_LINKS_GO)
    session.run(LINKS)
    _keep_newest(session, list(known.cookies))
    return rows


def _keep_newest(session: Session, cookies: list[int]) -> None:
    limits = GraphLimits()
    session.run(TOO_MANY_DEVICES, [limits.devices_per_customer])
    session.run(TOO_MANY_CUSTOMERS, [limits.customers_per_device])
    session.run(TOO_MANY_COOKIES, [cookies, limits.cookies_per_cookie])
    session.run(TOO_MANY_OF_ONE_COOKIE, [cookies, limits.cookies_per_cookie])


def apply_hashes(session: Session) -> None:
    """Rows of a ``c2c_id`` file: the newest ten addresses of each customer are kept."""
    for _ in parts(session):
        session.scratch.keep("am_new_hash", NEW_HASHES)
        session.run(OLD_HASHES_GO)
        session.run(HASHES)
        session.run(TOO_MANY_HASHES, [GraphLimits().hashes_per_customer])
