"""What is not kept for ever: how long is a setting, and what is removed is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_core.engine import Session
from ingest_core.settings import Settings
from ingest_core.vault.writing import REJECTS


@dataclass(frozen=True)
class Keep:
    """For how many days: drafts and explored files nobody touched, rejected rows, log rows of undone uploads.

    None = for ever.
    """

    drafts: int | None
    rejects: int | None
    undone: int | None

    @classmethod
    def of(cls, settings: Settings, keep_days: int | None) -> Keep:
        """As the settings say, or one number for all of them."""
        if keep_days is not None:
            return cls(keep_days, keep_days, keep_days)
        return cls(settings.draft_keep_days, settings.reject_keep_days, settings.undone_keep_days)


_PURGED = """CREATE OR REPLACE TEMP TABLE purged AS
SELECT upload_no, request_id FROM upload WHERE undone_at <= ? AND purged_at IS NULL AND NOT is_live"""

_FILES_LET_GO = "UPDATE notebook SET landing = NULL WHERE landing IS NOT NULL AND updated_at <= ?"

_REJECTS_GONE = """CREATE OR REPLACE TEMP TABLE rejects_gone AS
SELECT upload_no FROM purged
UNION
SELECT upload_no FROM upload WHERE finished_at <= ?"""


_DUE = {
    "drafts": "SELECT count(*) FROM draft WHERE updated_at <= ?",
    "uploads": "SELECT count(*) FROM purged",
    "log_rows": "SELECT count(*) FROM record WHERE rid >> 32 IN (SELECT upload_no FROM purged)",
    "rejected_rows": "SELECT count(*) FROM reject WHERE upload_no IN (SELECT upload_no FROM rejects_gone)",
}


def due(session: Session, keep: Keep, moment: datetime) -> dict[str, int]:
    """What ``retain`` would remove at this moment; same keys."""
    session.run(_PURGED, [_since(keep.undone, moment)])
    session.run(_REJECTS_GONE, [_since(keep.rejects, moment)])
    counts = {"drafts": int(session.value(_DUE["drafts"], [_since(keep.drafts, moment)]))}
    return counts | {name: int(session.value(_DUE[name])) for name in ("uploads", "log_rows", "rejected_rows")}


def _since(days: int | None, moment: datetime) -> datetime | None:
    return None if days is None else moment - timedelta(days=days)


def retain(session: Session, keep: Keep, moment: datetime) -> dict[str, int]:
    """Removes what is older, inside the caller's transaction; returns {drafts, uploads, log_rows, rejected_rows}."""

    def removed(sql: str, *parameters: object) -> int:
        return session.run(sql, parameters) or 0

    counts = {"drafts": removed("DELETE FROM draft WHERE updated_at <= ?", _since(keep.drafts, moment))}
    removed(_FILES_LET_GO, _since(keep.drafts, moment))
    removed(_PURGED, _since(keep.undone, moment))
    counts["uploads"] = removed(
        "UPDATE upload SET purged_at = ? WHERE upload_no IN (SELECT upload_no FROM purged)", moment
    )
    counts["log_rows"] = removed("DELETE FROM record WHERE rid >> 32 IN (SELECT upload_no FROM purged)")
    removed("DELETE FROM segment WHERE undone_with IN (SELECT request_id FROM purged)")
    removed(_REJECTS_GONE, _since(keep.rejects, moment))
    counts["rejected_rows"] = removed("DELETE FROM reject WHERE upload_no IN (SELECT upload_no FROM rejects_gone)")
    removed(
        "UPDATE upload SET rejects_purged_at = ? WHERE upload_no IN (SELECT upload_no FROM rejects_gone) "
        "AND rejected > 0 AND rejects_purged_at IS NULL",
        moment,
    )
    removed(f"DELETE FROM vault_page WHERE attribute_id = {REJECTS} AND page_id NOT IN (SELECT page_id FROM reject)")
    removed("UPDATE upload SET landing = NULL WHERE landing IS NOT NULL AND status IN ('Completed', 'Failed')")
    return counts
