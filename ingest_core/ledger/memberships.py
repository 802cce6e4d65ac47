"""Memberships: profile ∈ source, with the upload that brought it; a *replace* ends those of earlier uploads."""

from __future__ import annotations

from ingest_core.engine.steps import Step

LAST_REPLACE = """
SELECT source_id, max(upload_no) AS upload_no FROM upload
WHERE is_live AND status = 'Completed' AND json_extract_string(options, '$.replace') IS NOT NULL
GROUP BY source_id"""

PERSONS = Step(
    "persons",
    "List the distinct people of the file.",
    "CREATE OR REPLACE TEMP TABLE person AS SELECT pid, count(*) AS lines FROM landed GROUP BY pid",
)

COUNT_ENDED = "SELECT count(*) FROM membership ANTI JOIN person USING (pid) WHERE source_id = ?"

END_EARLIER = Step(
    "memberships: replace",
    "End the memberships that came from earlier uploads of this source.",
    "DELETE FROM membership WHERE source_id = ?",
)

NEW_MEMBERS = """CREATE OR REPLACE TEMP TABLE new_member AS
SELECT pid FROM person ANTI JOIN (SELECT pid FROM membership WHERE source_id = ?) AS member USING (pid)"""

ADD = Step(
    "memberships",
    "Add the people of the file to the source.",
    """INSERT INTO membership
SELECT pid, ?, ? FROM person ANTI JOIN (SELECT pid FROM membership WHERE source_id = ?) AS member USING (pid)""",
)

REFOLD = (
    "DELETE FROM membership WHERE pid IN (SELECT old_pid FROM refold_old)",
    f"""INSERT INTO membership
SELECT refold_row.pid, upload.source_id, min(upload.upload_no)
FROM refold_row
JOIN upload ON upload.upload_no = refold_row.rid >> 32
LEFT JOIN ({LAST_REPLACE}) AS replaced ON replaced.source_id = upload.source_id
WHERE upload.is_live AND upload.status = 'Completed' AND upload.upload_no >= coalesce(replaced.upload_no, 0)
GROUP BY refold_row.pid, upload.source_id""",
)
"""Recomputes the memberships of the pids in ``refold_row`` from finished uploads (the running one comes after)."""

OF_SOURCE = f"""INSERT INTO membership
SELECT resolution.pid, upload.source_id, min(upload.upload_no)
FROM resolution
JOIN upload ON upload.upload_no = resolution.rid >> 32
LEFT JOIN ({LAST_REPLACE}) AS replaced ON replaced.source_id = upload.source_id
WHERE upload.is_live AND upload.status = 'Completed' AND upload.upload_no >= coalesce(replaced.upload_no, 0)
  AND upload.source_id = ?
GROUP BY resolution.pid, upload.source_id"""
"""The memberships of one source, from all its rows."""
