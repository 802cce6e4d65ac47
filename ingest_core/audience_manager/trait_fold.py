"""The lines of one logical file become traits of profiles (Audience Manager spec §9.2–§9.5).

``am_line`` (pos, category, dpid, user_id, counts of items) and ``am_line_op`` (pos, trait_id, is_add) hold well-formed
lines: all that there are of some profiles. A line's place, ``pos``, is the number of its file and its own in one: it
orders lines over all parts. People are numbered, too: texts are compared once, numbers afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.registered import DEVICE_DAYS, Kind
from ingest_core.audience_manager.resolving import resolve
from ingest_core.engine import Session

LINE_BITS = 36
"""Of a place, the bits for the line; those above are the number of the file."""
FILE_OF, LINE_OF = f"(pos >> {LINE_BITS})", f"(pos & {(1 << LINE_BITS) - 1})"
"""SQL: the file and the line of a place."""

LIVE = """
(ttl_days = 0
 OR (ttl_days = 1 AND date_trunc('day', realised_at) + INTERVAL 2 DAY > {at})
 OR (ttl_days > 1 AND realised_at + to_days(ttl_days) > {at}))
"""
"""SQL: whether a realised trait is still there at a moment, of columns of ``am_held`` and ``am_trait``."""

USERS = """
SELECT dpid, user_id, row_number() OVER () AS user_no, count(*) AS lines, bool_or(category = 'ok') AS is_asked
FROM am_line GROUP BY dpid, user_id
"""
IDS = "(SELECT dpid, user_id AS id FROM am_line WHERE category = 'ok')"
ASKED = "(SELECT dpid, user_id AS id FROM am_named WHERE is_asked)"
_KNOWN = """
SELECT named.*, device_dpid, device_id, {profile}
FROM am_named AS named
LEFT JOIN am_resolved ON am_resolved.dpid = named.dpid AND am_resolved.id = named.user_id
"""
_OF_DEVICE = """device_dpid AS profile_dpid, device_id AS profile_id,
       min(user_no) OVER (PARTITION BY device_dpid, device_id) AS profile_no"""
COOKIES = _KNOWN.format(profile=_OF_DEVICE)
COOKIE_USERS = "CREATE OR REPLACE TEMP VIEW am_user AS FROM am_cookie"
_OF_ITSELF = "named.dpid AS profile_dpid, user_id AS profile_id, user_no AS profile_no"
KNOWN_USERS = f"CREATE OR REPLACE TEMP VIEW am_user AS {_KNOWN.format(profile=_OF_ITSELF)}"
OVER = """
SELECT pos FROM (
    SELECT pos, row_number() OVER (PARTITION BY user_no ORDER BY pos) AS nth
    FROM am_line JOIN (SELECT dpid, user_id, user_no FROM am_named WHERE lines > ?) USING (dpid, user_id))
WHERE nth > ?
"""
OPTED_OUT = """
SELECT user_no FROM am_user
WHERE sha256(dpid || ':' || user_id) IN (SELECT digest FROM am_opt_out)
   OR sha256(profile_dpid || ':' || profile_id) IN (SELECT digest FROM am_opt_out)
"""
NOBODY_OUT = "SELECT 0::BIGINT AS user_no WHERE false"
JUDGED = """
SELECT pos, am_line.dpid, am_line.user_id, used, unused, ignored, failed, failed_traits, profile_no,
       ? AND device_dpid IS DISTINCT FROM 0 AND (device_id IS NULL OR ?) AS is_unmatched,
       CASE WHEN pos IN (SELECT pos FROM am_over) THEN 'over_cap'
            WHEN category <> 'ok' THEN category
            WHEN am_user.user_no IN (SELECT user_no FROM am_out) THEN 'opted_out'
            WHEN ? AND device_id IS NULL THEN 'no_matching_aam_id'
            WHEN NOT has_effect THEN 'no_trait_realized'
            ELSE 'stored' END AS class
FROM am_line JOIN am_user USING (dpid, user_id)
"""
CHANGES = """
SELECT profile_no, trait_id, is_realised, last % 2 = 1 AS is_add, last // 2 AS pos
FROM (SELECT profile_no, trait_id, bool_or(is_add) AS is_realised, max(2 * pos + is_add::BIGINT) AS last
      FROM am_judged JOIN am_line_op USING (pos) WHERE class = 'stored'
      GROUP BY profile_no, trait_id)
"""
REALISED = "SELECT count(*) FROM am_change WHERE is_realised"

TOUCHED = """
SELECT profile_no, profile_dpid AS dpid, profile_id AS id, seen_at
FROM am_user
SEMI JOIN (SELECT profile_no FROM am_judged WHERE class = 'stored') AS stored ON stored.profile_no = am_user.user_no
LEFT JOIN am_profile ON am_profile.dpid = profile_dpid AND am_profile.id = profile_id
"""
BEFORE = """
SELECT am_held.dpid, am_held.id, profile_no, am_held.trait_id, am_trait.dpid AS owner, realised_at, ttl_days,
       seen_at + to_days(coalesce(days, ?)) <= ?::TIMESTAMP AS is_gone
FROM am_held
JOIN (SELECT * FROM am_touched WHERE seen_at IS NOT NULL) AS known
  ON known.dpid = am_held.dpid AND known.id = am_held.id
JOIN am_trait ON am_trait.trait_id = am_held.trait_id
LEFT JOIN am_days ON am_days.dpid = am_held.dpid
"""
REMOVED_BY_SYNC = f"""
SELECT count(*) FROM am_before JOIN am_change USING (profile_no, trait_id)
WHERE NOT is_gone AND NOT is_add AND {LIVE.format(at="?::TIMESTAMP")}
"""
# By what a row says: of rows that this transaction added itself the engine mistakes the row numbers and deletes
# others, or breaks.
_LEFT = """
DELETE FROM am_held USING ({gone}) AS gone
WHERE am_held.dpid = gone.dpid AND am_held.id = gone.id AND am_held.trait_id = gone.trait_id
"""
LEFT_BY_SYNC = _LEFT.format(
    gone="""
    SELECT am_before.dpid, am_before.id, am_before.trait_id
    FROM am_before LEFT JOIN am_change USING (profile_no, trait_id)
    WHERE is_gone OR am_change.trait_id IS NOT NULL"""
)
REMOVED_BY_OVERWRITE = f"""
SELECT count(*) FROM am_before ANTI JOIN am_change USING (profile_no, trait_id)
WHERE NOT is_gone AND owner = ? AND {LIVE.format(at="?::TIMESTAMP")}
"""
LEFT_BY_OVERWRITE = _LEFT.format(gone="SELECT dpid, id, trait_id FROM am_before WHERE is_gone OR owner = ?")
HELD = f"""
INSERT INTO am_held SELECT dpid, id, trait_id, ?::TIMESTAMP, {FILE_OF}, {LINE_OF}
FROM am_change JOIN am_touched USING (profile_no) WHERE is_add
"""
SEEN_GO = """
DELETE FROM am_profile USING am_touched
WHERE am_profile.dpid = am_touched.dpid AND am_profile.id = am_touched.id AND am_touched.seen_at IS NOT NULL
"""
SEEN = """
INSERT INTO am_profile SELECT dpid, id, greatest(coalesce(seen_at, ?::TIMESTAMP), ?::TIMESTAMP) FROM am_touched
"""

COUNTED = f"""
SELECT {FILE_OF} AS file_no,
       count(*) FILTER (WHERE class = 'over_cap'),
       count(*) FILTER (WHERE class = 'invalid_aam_id'),
       count(*) FILTER (WHERE class = 'invalid_device_id'),
       count(*) FILTER (WHERE class IN ('no_matching_aam_id', 'opted_out')),
       count(*) FILTER (WHERE class = 'no_trait_realized'),
       count(*) FILTER (WHERE class = 'stored'),
       count(*) FILTER (WHERE class = 'stored' AND is_unmatched),
       coalesce(sum(used) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(unused) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(ignored) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(failed) FILTER (WHERE is_evaluated), 0),
       coalesce(sum(failed_traits) FILTER (WHERE is_evaluated), 0),
       count(*) FILTER (WHERE is_evaluated AND failed_traits > 0)
FROM (SELECT *, class IN ('stored', 'no_trait_realized') AS is_evaluated FROM am_judged)
GROUP BY ALL
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
    """Says of every line in ``am_line`` what becomes of it (``am_judged``); counts them by file."""
    scratch = session.scratch
    scratch.keep("am_named", USERS)
    resolve(session, known, ASKED)
    is_cookie = file.kind == "cookie"
    if is_cookie:
        scratch.keep("am_cookie", COOKIES)
    session.run(COOKIE_USERS if is_cookie else KNOWN_USERS)
    scratch.keep("am_over", OVER, [file.user_cap, file.user_cap])
    scratch.keep("am_out", OPTED_OUT if session.value("SELECT count(*) FROM am_opt_out") else NOBODY_OUT)
    scratch.keep("am_judged", JUDGED, [file.kind in ("device", "cross_device"), file.kind == "device", is_cookie])
    found = session.rows(COUNTED)
    return {
        int(file_no): Counts(**{name: int(value) for name, value in zip(_NAMES, counts, strict=True)})
        for file_no, *counts in found
    }


def fold(session: Session, file: LogicalFile, at: datetime) -> Counts:
    """Applies the stored lines of ``am_judged`` to the traits of profiles; counts what was realised and removed.

    Of a profile without activity for too long nothing is left when it comes again. ``am_days`` is filled.
    """
    session.scratch.keep("am_touched", TOUCHED)
    session.scratch.keep("am_change", CHANGES)
    realised = int(session.value(REALISED))
    removed = 0
    if session.value("SELECT count(*) FROM am_touched WHERE seen_at IS NOT NULL"):
        session.scratch.keep("am_before", BEFORE, [DEVICE_DAYS, at])
        removed = _remove(session, file, at)
        session.run(SEEN_GO)
    session.run(HELD, [at])
    session.run(SEEN, [at, at])
    return Counts(total_realized_traits=realised, total_removed_traits=removed)


def _remove(session: Session, file: LogicalFile, at: datetime) -> int:
    """Takes away what the file ends or says anew; returns how many traits it ended."""
    if file.mode == "sync":
        removed = int(session.value(REMOVED_BY_SYNC, [at, at]))
        session.run(LEFT_BY_SYNC)
    else:
        removed = int(session.value(REMOVED_BY_OVERWRITE, [file.owner, at, at]))
        session.run(LEFT_BY_OVERWRITE, [file.owner])
    return removed
