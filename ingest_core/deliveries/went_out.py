"""Which files with somebody of an upload left the workspace: an undo cannot call them back."""

from __future__ import annotations

from ingest_core.engine import Session
from ingest_core.ledger.uploads import utc
from ingest_core.models import WentOut

MOST = 50

_WENT_OUT = """
SELECT delivery_id, kind, label, destination, coalesce(finished_at, tried_at) AS at
FROM delivery SEMI JOIN (SELECT delivery_no FROM delivery_upload WHERE upload_no = ?) USING (delivery_no)
WHERE tried_at IS NOT NULL ORDER BY delivery_no DESC LIMIT ?"""


def went_out(session: Session, upload_no: int) -> tuple[WentOut, ...]:
    """Newest first, at most fifty; also those of which nobody knows whether they arrived."""
    return tuple(WentOut(**{**row, "at": utc(row["at"])}) for row in session.records(_WENT_OUT, [upload_no, MOST]))
