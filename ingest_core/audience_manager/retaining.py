"""Lines of files leave the log for their age; what they did stays as the base of later folds (spec §16)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest_core.audience_manager.qualified import make_live
from ingest_core.audience_manager.refold import FOLDS, refold
from ingest_core.audience_manager.registered import DEVICE_DAYS, Registered
from ingest_core.audience_manager.trait_fold import LIVE
from ingest_core.engine import Session
from ingest_core.engine.steps import Runner, must_be

LAST = "SELECT max(batch_no) FROM am_batch WHERE cut_at IS NULL AND finished_at <= ?"
ROWS = """
SELECT (SELECT count(*) FROM am_op WHERE file_no IN (SELECT file_no FROM am_file WHERE batch_no <= ?))
     + (SELECT count(*) FROM am_row WHERE file_no IN (SELECT file_no FROM am_file WHERE batch_no <= ?))
"""
LINES_GO = tuple(
    f"DELETE FROM {table} WHERE file_no IN (SELECT file_no FROM am_file WHERE batch_no <= ?)"
    for table in ("am_op", "am_row")
)
CUT = "UPDATE am_batch SET cut_at = ? WHERE batch_no <= ? AND cut_at IS NULL"
# What had ended before any batch that is left, that batch cannot bring back; until then it may.
ENDED_BEFORE = """
SELECT least(?::TIMESTAMP, (SELECT min(counts_at) FROM am_batch WHERE cut_at IS NULL AND undone_at IS NULL))
"""
PROFILES_GO = """
DELETE FROM am_base_profile
WHERE seen_at + to_days(CASE WHEN list_contains(?::BIGINT[], dpid) THEN 1800 ELSE ? END) <= ?::TIMESTAMP
"""
HELD_GO = f"""
DELETE FROM am_base_held WHERE (dpid, id, trait_id) NOT IN (
    SELECT (held.dpid, held.id, held.trait_id) FROM am_base_held AS held JOIN am_base_profile USING (dpid, id)
    JOIN am_trait ON am_trait.trait_id = held.trait_id WHERE {LIVE.format(at="?::TIMESTAMP")})
"""
MAPS_GO = """
DELETE FROM am_base_map
WHERE device_dpid = 0 AND list_contains(?::BIGINT[], dpid) AND seen_at + to_days(?) <= ?::TIMESTAMP
"""
LIVING = "SELECT count(*), bit_xor(md5_number_lower(concat_ws('\x1f', dpid, id, trait_id, realised_at))) FROM am_live"


def rows_due(session: Session, before: datetime) -> int:
    """How many rows ``cut`` would remove."""
    last = session.value(LAST, [before])
    return 0 if last is None else int(session.value(ROWS, [last, last]))


def cut(runner: Runner, registered: Registered, before: datetime, moment: datetime) -> int:
    """Removes the lines of batches that ended before a time from the log, inside the caller's transaction.

    Returns how many rows. Who has which traits is the same afterwards, or ``counts_do_not_add_up``.
    """
    session = runner.session
    last = session.value(LAST, [before])
    if last is None:
        return 0
    living = _living(session, registered, moment)
    rows = int(session.value(ROWS, [last, last]))
    refold(runner, registered, int(last))
    for fold in FOLDS:
        base = f"am_base_{fold.removeprefix('am_')}"
        session.run(f"DELETE FROM {base}")
        session.run(f"INSERT INTO {base} SELECT * FROM {fold}")
    for statement in LINES_GO:
        session.run(statement, [last])
    session.run(CUT, [moment, last])
    _drop_ended(session, registered, moment)
    refold(runner, registered)
    for found, expected in zip(_living(session, registered, moment), living, strict=True):
        must_be(int(found or 0), int(expected or 0), "living qualifications after the log was cut")
    return rows


def _drop_ended(session: Session, registered: Registered, moment: datetime) -> None:
    """Takes from the base what has ended for good."""
    ended = session.value(ENDED_BEFORE, [moment])
    session.run(PROFILES_GO, [list(registered.people), DEVICE_DAYS, ended])
    session.run(MAPS_GO, [registered.cookies, DEVICE_DAYS, ended])
    session.run(HELD_GO, [ended, ended])


def _living(session: Session, registered: Registered, moment: datetime) -> tuple[Any, ...]:
    make_live(session, registered, moment)
    return session.row(LIVING) or (0, 0)
