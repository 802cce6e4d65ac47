"""Which rejected rows of an upload were corrected since: what its child uploads stored of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ingest_core.engine import Engine

_CHILDREN = """
SELECT request_id, upload_no, status, json_extract(options, '$.fixed_lines') AS fixed_lines FROM upload
WHERE json_extract_string(options, '$.parent') = ? AND (is_live OR status IN ('Scheduled', 'In Progress'))
ORDER BY upload.rowid"""

_ENDED = """
SELECT count(*) FROM upload
WHERE json_extract_string(options, '$.parent') = ? AND (is_cancelled OR undone_at IS NOT NULL)"""


@dataclass(frozen=True, slots=True)
class Correction:
    """The child upload that a corrected row is in; not ``is_loaded``: it waits or is under way."""

    request_id: str
    is_loaded: bool


def corrected(engine: Engine, request_id: str) -> dict[int, Correction]:
    """Line → its correction, without rows that a child rejected again, and children that were undone or replaced."""
    found: dict[int, Correction] = {}
    with engine.session() as session:
        for child, upload_no, status, text in session.rows(_CHILDREN, [request_id]):
            rejected = {line for (line,) in session.rows("SELECT line FROM reject WHERE upload_no = ?", [upload_no])}
            lines = {int(line): parent for line, parent in json.loads(text or "{}").items()}
            correction = Correction(child, status == "Completed")
            found |= {parent: correction for line, parent in lines.items() if line not in rejected}
    return found


def children_taken_back(engine: Engine, request_id: str) -> int:
    """How many children were stopped or undone: what they held may be loaded once more."""
    with engine.session() as session:
        return int(session.value(_ENDED, [request_id]))
