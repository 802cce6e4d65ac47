"""The lines of one logical file become traits of profiles (Audience Manager spec §9.2–§9.5).

``am_line`` (part, line, file_no, category, dpid, user_id, and counts of items) and ``am_line_op`` (part, line,
trait_id, is_add) hold its well-formed lines. Parts are numbered in the order of their splits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.registered import DEVICE_DAYS, Kind
from ingest_core.audience_manager.resolving import resolve
from ingest_core.engine import Session

TABLES = (
    """CREATE OR REPLACE TEMP TABLE am_line (
        part INTEGER, line BIGINT, file_no BIGINT, category VARCHAR, dpid BIGINT, user_id VARCHAR, used BIGINT,
        unused BIGINT, ignored BIGINT, failed BIGINT, failed_traits BIGINT, has_effect BOOLEAN)""",
    "CREATE OR REPLACE TEMP TABLE am_line_op (part INTEGER, line BIGINT, trait_id BIGINT, is_add BOOLEAN)",
)

LIVE = """
(ttl_days = 0
 OR (ttl_days = 1 AND date_trunc('day', realised_at) + INTERVAL 2 DAY > {at})
 OR (ttl_days > 1 AND realised_at + to_days(ttl_days) > {at}))
"""
"""SQL: whether a realised trait is still there at a moment, of columns of ``am_held`` and ``am_trait``."""

ASKED = """
CREATE OR REPLACE TEMP TABLE am_asked AS SELECT DISTINCT dpid, user_id AS id FROM am_line WHERE category = 'ok'
"""
JUDGED = """
CREATE OR REPLACE TEMP TABLE am_judged AS
SELECT am_line.*, device_dpid, device_id,
       CASE WHEN nth > ? THEN 'over_cap'
            WHEN category <> 'ok' THEN category
            WHEN ? AND device_id IS NULL THEN 'no_matching_aam_id'
            WHEN NOT has_effect THEN 'no_trait_realized'
            ELSE 'stored' END AS class
FROM (SELECT *, row_number() OVER (PARTITION BY dpid, user_id ORDER BY part, line) AS nth FROM am_line) AS am_line
LEFT JOIN am_resolved ON am_resolved.dpid = am_line.dpid AND am_resolved.id = am_line.user_id
"""
PROFILES = """
CREATE OR REPLACE TEMP TABLE am_stored AS
SELECT part, line, file_no, CASE WHEN ? THEN device_dpid ELSE dpid END AS dpid,
       CASE WHEN ? THEN device_id ELSE user_id END AS id
FROM am_judged WHERE class = 'stored'
"""
CHANGES = """
CREATE OR REPLACE TEMP TABLE am_change AS
SELECT dpid, id, trait_id, bool_or(is_add) AS is_realised,
       arg_max(is_add, (part, line)) AS is_add, arg_max(file_no, (part, line)) AS file_no,
       arg_max(line, (part, line)) AS line
FROM am_stored JOIN am_line_op USING (part, line)
GROUP BY dpid, id, trait_id
"""
REALISED = "SELECT count(*) FROM am_change WHERE is_realised"

REMOVED_BY_SYNC = f"""
SELECT count(*) FROM am_change JOIN am_held USING (dpid, id, trait_id) JOIN am_trait USING (trait_id)
WHERE NOT am_change.is_add AND {LIVE.format(at="?::TIMESTAMP")}
"""
LEFT_BY_SYNC = """
DELETE FROM am_held USING am_change
WHERE am_held.dpid = am_change.dpid AND am_held.id = am_change.id AND am_held.trait_id = am_change.trait_id
"""
REMOVED_BY_OVERWRITE = f"""
SELECT count(*) FROM am_held SEMI JOIN am_change USING (dpid, id)
ANTI JOIN am_change AS kept ON kept.dpid = am_held.dpid AND kept.id = am_held.id AND kept.trait_id = am_held.trait_id
JOIN am_trait ON am_trait.trait_id = am_held.trait_id
WHERE am_trait.dpid = ? AND {LIVE.format(at="?::TIMESTAMP")}
"""
LEFT_BY_OVERWRITE = """
DELETE FROM am_held USING (SELECT DISTINCT dpid, id FROM am_change) AS touched
WHERE am_held.dpid = touched.dpid AND am_held.id = touched.id
  AND trait_id IN (SELECT trait_id FROM am_trait WHERE dpid = ?)
"""
HELD = "INSERT INTO am_held SELECT dpid, id, trait_id, ?::TIMESTAMP, file_no, line FROM am_change WHERE is_add"

TOUCHED = """
CREATE OR REPLACE TEMP TABLE am_touched AS
SELECT dpid, id, any_value(seen_at) AS seen_at
FROM (SELECT DISTINCT dpid, id FROM am_stored) LEFT JOIN am_profile USING (dpid, id)
GROUP BY dpid, id
"""
GONE = f"""
CREATE OR REPLACE TEMP TABLE am_gone AS
SELECT dpid, id FROM am_touched LEFT JOIN am_days USING (dpid)
WHERE seen_at + to_days(coalesce(days, {DEVICE_DAYS})) <= ?::TIMESTAMP
"""
LEFT_BY_AGE = "DELETE FROM am_held USING am_gone WHERE am_held.dpid = am_gone.dpid AND am_held.id = am_gone.id"
SEEN_GO = """
DELETE FROM am_profile USING am_touched
WHERE am_profile.dpid = am_touched.dpid AND am_profile.id = am_touched.id AND am_touched.seen_at IS NOT NULL
"""
SEEN = """
INSERT INTO am_profile SELECT dpid, id, greatest(coalesce(seen_at, ?::TIMESTAMP), ?::TIMESTAMP) FROM am_touched
"""

COUNTED = """
SELECT file_no,
       count(*) FILTER (WHERE class = 'over_cap'),
       count(*) FILTER (WHERE class = 'invalid_aam_id'),
       count(*) FILTER (WHERE class = 'invalid_device_id'),
       count(*) FILTER (WHERE class = 'no_matching_aam_id'),
       count(*) FILTER (WHERE class = 'no_trait_realized'),
       count(*) FILTER (WHERE class = 'stored'),
       count(*) FILTER (WHERE class = 'stored' AND ? AND device_dpid IS DISTINCT FROM 0 AND (device_id IS NULL OR ?)),
       coalesce(sum(used) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(unused) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(ignored) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(failed) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(failed_traits) FILTER (WHERE is_evaluated), 0),
       count(*) FILTER (WHERE is_evaluated AND failed_traits > 0)
FROM (SELECT *, class IN ('stored', 'no_trait_realized') AS is_evaluated FROM am_judged)
GROUP BY file_no
"""
_NAMES = (
    "lines_over_user_cap", "invalid_aam_id", "invalid_device_id", "no_matching_aam_id", "no_trait_realized",
    "stored_records", "unmatched_stored", "used_signals", "total_unused_signals", "ignored_signals", "failed_signals",
    "traits_failed_validation", "users_failed_validation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogicalFile:
    """What the fold of one logical file depends on. ``kind``: which profiles its ids stand for."""

    kind: Kind
    owner: int
    mode: str
    user_cap: int = 200


def judge(session: Session, file: LogicalFile, known: Known) -> dict[int, Counts]:
    """Says of every line in ``am_line`` what becomes of it (``am_judged``, ``am_stored``); counts them by file."""
    session.run(ASKED)
    resolve(session, known)
    is_cookie = file.kind == "cookie"
    session.run(JUDGED, [file.user_cap, is_cookie])
    session.run(PROFILES, [is_cookie, is_cookie])
    is_device = file.kind == "device"
    found = session.rows(COUNTED, [file.kind in ("device", "cross_device"), is_device])
    return {
        int(file_no): Counts(**{name: int(value) for name, value in zip(_NAMES, counts, strict=True)})
        for file_no, *counts in found
    }


def fold(session: Session, file: LogicalFile, at: datetime) -> Counts:
    """Applies the lines of ``am_stored`` to the traits of their profiles; counts what was realised and removed.

    Of a profile without activity for too long nothing is left when it comes again. ``am_days`` is filled.
    """
    session.run(TOUCHED)
    if session.run(GONE, [at]):
        session.run(LEFT_BY_AGE)
    session.run(CHANGES)
    realised = int(session.value(REALISED))
    if file.mode == "sync":
        removed = int(session.value(REMOVED_BY_SYNC, [at, at]))
        session.run(LEFT_BY_SYNC)
    else:
        removed = int(session.value(REMOVED_BY_OVERWRITE, [file.owner, at, at]))
        session.run(LEFT_BY_OVERWRITE, [file.owner])
    session.run(HELD, [at])
    session.run(SEEN_GO)
    session.run(SEEN, [at, at])
    return Counts(total_realized_traits=realised, total_removed_traits=removed)
