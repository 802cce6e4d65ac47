"""Which profiles an upload changed: its people as the log says they were before it and after it.

People are those of today: rows that a later upload brought together are one person here. Costs one look at the
identifiers of the log, then as much as the page of people that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_core.engine import Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.stated import Stated, look_at, standing, stated

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True)
class Change:
    """What one upload did to one person. ``values``: attribute id → (before, after) where these differ."""

    pid: int
    is_new: bool
    is_new_member: bool
    values: dict[int, tuple[Stated | None, Stated | None]]

    @property
    def kind(self) -> str:
        if self.is_new:
            return CREATED
        return UPDATED if self.values or self.is_new_member else UNCHANGED


def changes(session: Session, fields: Fields, request_id: str, limit: int, offset: int) -> list[Change]:
    """The people of an upload in the order of its lines. An upload that stored nothing changed nobody.

    InputError ``no_such_upload``; StateError ``undone`` or ``replaced``, as such an upload counts for nothing.
    """
    upload = _upload(session, request_id)
    if not upload["is_live"]:
        return []
    first, end = upload["upload_no"] << 32, upload["upload_no"] + 1 << 32
    session.run(_TOUCHED, [first, end, limit, offset])
    rules = look_at(session, fields, "q.pid IN (SELECT pid FROM touched) AND q.rid < ?", [end])
    members = {pid for (pid,) in session.rows(_MEMBERS, [upload["source_id"], upload["upload_no"]])}
    found = {
        pid: Change(pid, is_new=pid >= first, is_new_member=pid not in members, values={})
        for (pid,) in session.rows("SELECT pid FROM touched ORDER BY rid")
    }
    for attribute in fields.attributes:
        for pid, statements in stated(session, attribute, rules).items():
            after = standing(statements)
            before = standing([one for one in statements if one.upload_no < upload["upload_no"]])
            if (before and before.value) != (after and after.value):
                found[pid].values[attribute.attribute_id] = (before, after)
    return list(found.values())


_TOUCHED = """
CREATE OR REPLACE TEMP TABLE touched AS
SELECT pid, min(rid) AS rid FROM resolution WHERE rid >= ? AND rid < ? GROUP BY pid ORDER BY rid LIMIT ? OFFSET ?"""

_MEMBERS = """
SELECT DISTINCT looked_at.pid FROM looked_at JOIN upload ON upload.upload_no = looked_at.rid >> 32
WHERE upload.source_id = $1 AND upload.is_live AND upload.upload_no < $2
  AND upload.upload_no >= coalesce((
    SELECT max(upload_no) FROM upload
    WHERE source_id = $1 AND is_live AND upload_no < $2 AND json_extract_string(options, '$.replace') IS NOT NULL
  ), 0)"""
"""Who belonged to the source just before the upload: by its uploads since the last replace."""


def _upload(session: Session, request_id: str) -> dict[str, Any]:
    found = session.records(
        "SELECT upload_no, source_id, is_live, undone_at, replaced_by FROM upload WHERE request_id = ?", [request_id]
    )
    if not found:
        raise InputError("There is no upload with this Request ID.", code="no_such_upload", hint="See: history")
    if found[0]["undone_at"] is not None:
        raise StateError(
            "This upload was undone: it changes nobody now.",
            code="undone",
            hint="Take the undo back to see what the upload changes.",
        )
    if found[0]["replaced_by"] is not None:
        raise StateError(
            "A later file replaced what this upload said: it changes nobody now.",
            code="replaced",
            hint="Look at the upload that replaced it.",
        )
    return found[0]
