"""Traits of profiles computed from the whole log at once, by other SQL than file by file (spec §9.4, §9.5, §14).

A trait is held when the last thing said about it was an addition, when no later overwrite of its owner passed it over,
and when the profile was not gone in between. That asks for the lines of one profile only, so profiles are folded in
shares that fit into memory.
"""

from __future__ import annotations

from ingest_core.audience_manager.registered import DEVICE_DAYS
from ingest_core.engine import Session
from ingest_core.engine.steps import Runner

SHARE_ROWS = 10_000_000
"""Of the log, for a share."""

MOST_SHARES = 100

SIZE = "SELECT (SELECT count(*) FROM am_op) + (SELECT count(*) FROM am_base_held)"
LOGGED = """
SELECT *, hash(id) % {count} AS share FROM (
    SELECT am_op.dpid, user_id AS id, trait_id, is_add, file_no, line, batch_no, logical_no, owner, is_overwrite,
           counts_at
    FROM am_op JOIN am_now_file USING (file_no) WHERE NOT is_cookie
    UNION ALL
    SELECT stood.dpid, stood.id, trait_id, is_add, file_no, line, file.batch_no, logical_no, owner, is_overwrite,
           counts_at
    FROM am_op JOIN am_now_file AS file USING (file_no)
    JOIN am_now_as AS stood
      ON stood.batch_no = file.batch_no AND stood.from_dpid = am_op.dpid AND stood.from_id = am_op.user_id
    WHERE is_cookie
)
"""
"""The log with cookie ids replaced by their devices."""

HELD_BEFORE = "SELECT *, hash(id) % {count} AS share FROM am_base_held"
SEEN_BEFORE = "SELECT *, hash(id) % {count} AS share FROM am_base_profile"

SAID = """
SELECT dpid, id, trait_id, batch_no, logical_no, any_value(owner) AS owner, bool_and(is_overwrite) AS is_overwrite,
       arg_max(is_add, (file_no, line)) AS is_add, max(counts_at) AS realised_at,
       arg_max(file_no, (file_no, line)) AS file_no, arg_max(line, (file_no, line)) AS line
FROM am_logged
GROUP BY dpid, id, trait_id, batch_no, logical_no
UNION ALL
SELECT held.dpid, id, trait_id, 0, 0, am_trait.dpid, false, true, realised_at, file_no, line
FROM am_held_before AS held JOIN am_trait USING (trait_id)
"""
"""The last word of every file about each trait of a profile, after what was held when the log begins."""

PRESENT = f"""
SELECT dpid, id, max(batch_no) FILTER (WHERE is_new) AS first_batch, max(seen_at) AS seen_at
FROM (
    SELECT dpid, id, batch_no, seen_at,
           max(seen_at) OVER (PARTITION BY dpid, id ORDER BY batch_no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
           + to_days(coalesce(days, {DEVICE_DAYS})) <= seen_at AS is_new
    FROM (
        SELECT dpid, id, batch_no, max(realised_at) AS seen_at FROM am_said WHERE logical_no > 0
        GROUP BY dpid, id, batch_no
        UNION ALL
        SELECT dpid, id, 0, seen_at FROM am_seen_before
    ) LEFT JOIN am_now_days USING (batch_no, dpid)
)
GROUP BY dpid, id
"""
"""Where a profile came back after it was gone, and when it was seen last."""

HELD = """
INSERT INTO am_held
SELECT last.dpid, last.id, last.trait_id, last.realised_at, last.file_no, last.line
FROM (SELECT dpid, id, trait_id, max(logical_no) AS logical_no, arg_max(batch_no, logical_no) AS batch_no,
             arg_max(is_add, logical_no) AS is_add, arg_max(realised_at, logical_no) AS realised_at,
             arg_max(file_no, logical_no) AS file_no, arg_max(line, logical_no) AS line
      FROM am_said GROUP BY dpid, id, trait_id) AS last
JOIN am_trait ON am_trait.trait_id = last.trait_id
JOIN am_present AS present ON present.dpid = last.dpid AND present.id = last.id
LEFT JOIN (SELECT dpid, id, owner, max(logical_no) AS logical_no FROM am_said WHERE is_overwrite
           GROUP BY dpid, id, owner) AS passed
  ON passed.dpid = last.dpid AND passed.id = last.id AND passed.owner = am_trait.dpid
WHERE is_add AND last.logical_no >= coalesce(passed.logical_no, 0) AND last.batch_no >= coalesce(first_batch, 0)
"""
"""What was added last, after the last overwrite of its owner and since the profile is there."""

PROFILES = "INSERT INTO am_profile SELECT dpid, id, seen_at FROM am_present"

_TABLES = {"am_logged": LOGGED, "am_held_before": HELD_BEFORE, "am_seen_before": SEEN_BEFORE}


def refold_traits(runner: Runner) -> None:
    """Fills ``am_held`` and ``am_profile`` from ``am_base_*``, ``am_op``, ``am_now_file``, ``am_now_as``."""
    session, scratch = runner.session, runner.session.scratch
    count = min(1 + int(session.value(SIZE)) // SHARE_ROWS, MOST_SHARES)
    purpose = "Put the log apart by profiles; cookie ids stand for their devices."
    with runner.timed("log", purpose, LOGGED.format(count=count)):
        files = {table: scratch.apart(query.format(count=count), "share") for table, query in _TABLES.items()}
    purpose = "Keep what was added last, after the last overwrite of its owner and since the profile is there."
    with runner.timed("traits", purpose, HELD) as done:
        held = 0
        for share in sorted(set().union(*files.values())):
            for table, query in _TABLES.items():
                if share in files[table]:
                    scratch.show(table, files[table][share])
                else:
                    scratch.keep(table, f"SELECT * EXCLUDE (share) FROM ({query.format(count=1)}) WHERE false")
            held += _fold(session)
        scratch.drop(*_TABLES, "am_said", "am_present")
        done(held)


def _fold(session: Session) -> int:
    """One share of the profiles; returns how many traits they hold."""
    session.scratch.keep("am_said", SAID)
    session.scratch.keep("am_present", PRESENT)
    held = session.run(HELD) or 0
    session.run(PROFILES)
    return held
