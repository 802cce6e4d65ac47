"""The upload row: one per file going through, exactly one end state, written with its data."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ingest_core.clock import now, to_utc
from ingest_core.engine import Session
from ingest_core.ledger.outbox import Event, tell
from ingest_core.models import Drift, IdentityPreview, Options, Receipt, SourceSettings, StepReport, Told

COUNTS = (
    "physical_lines", "lines", "blank", "stored", "rejected", "duplicates", "suppressed", "withheld", "created",
    "updated", "unchanged", "merged", "came_apart", "removed", "conflicts", "shared", "memberships_ended",
    "profiles_before", "profiles_after", "members",
)  # fmt: skip

_SELECT = f"""
SELECT request_id, source.name AS source, file, sha256, uploaded_by, status, is_cancelled, is_live, mapping_version,
       {", ".join(COUNTS)}, segment, rejects_by_reason, notices, ignored_columns, steps, error, upload.created_at,
       scheduled_for, started_at, finished_at, undone_at, undone_by, held, drift, identity, approved_by,
       upload.replaced_by AS replacing_no,
       (SELECT later.request_id FROM upload AS later WHERE later.upload_no = upload.replaced_by) AS replaced_by,
       json_extract_string(options, '$.parent') AS parent, json_extract_string(options, '$.batch') AS batch
FROM upload JOIN source ON source.source_id = upload.source_id
WHERE upload.rowid IN (SELECT unnest(?::BIGINT[]))
ORDER BY upload.rowid DESC"""

_CHILDREN = """
SELECT json_extract_string(options, '$.parent') AS parent, list(request_id ORDER BY created_at) FROM upload
WHERE parent IN (SELECT unnest(?::VARCHAR[])) GROUP BY parent"""


def new_request_id() -> str:
    """A Request ID: date and eight random letters, easy to read out."""
    letters = base64.b32encode(secrets.token_bytes(5)).decode()
    return f"{now():%Y%m%d}-{letters}"


def insert(
    session: Session,
    *,
    request_id: str,
    upload_no: int | None,
    source_id: int,
    file: str,
    size: int,
    sha256: str,
    mapping_version: int,
    options: Options,
    overrides: dict[str, Any] | None,
    uploaded_by: str,
    status: str,
    landing: str | None = None,
    worker: str | None = None,
) -> None:
    """The first trace of an upload: Scheduled or In Progress. Inside a transaction: who is told is told with it."""
    session.run(
        """INSERT INTO upload BY NAME SELECT ?::INTEGER AS upload_no, ? AS request_id, ? AS source_id, ? AS file,
        ? AS size, ? AS sha256, ? AS mapping_version, ? AS options, ? AS dialect, ? AS uploaded_by,
        ? AS idempotency_key, ? AS status, false AS is_cancelled, false AS is_live, ?::TIMESTAMP AS created_at,
        ?::TIMESTAMP AS scheduled_for, ?::TIMESTAMP AS started_at, ? AS landing, ? AS worker""",
        [
            upload_no, request_id, source_id, file, size, sha256, mapping_version, options.model_dump_json(),
            json.dumps(overrides or {}), uploaded_by, options.idempotency_key, status, now(),
            to_utc(options.at) if options.at else None, now() if status == "In Progress" else None, landing, worker,
        ],
    )  # fmt: skip
    if status == "In Progress":
        tell_of(session, request_id, "upload_started")


def claim(session: Session, request_id: str, worker: str) -> None:
    """Scheduled → In Progress, inside a transaction; nothing happens where it waits no longer."""
    claimed = session.run(
        "UPDATE upload SET status = 'In Progress', started_at = ?, worker = ? WHERE request_id = ? "
        "AND status = 'Scheduled'",
        [now(), worker, request_id],
    )
    if claimed:
        tell_of(session, request_id, "upload_started")


def finish(session: Session, receipt: Receipt, *, mapping_version: int, upload_no: int | None) -> None:
    """Writes the end state: called inside the transaction of the data."""
    names = ", ".join(f"{name} = ?" for name in COUNTS)
    session.run(
        f"""UPDATE upload SET {names}, upload_no = ?, status = ?, is_live = ?, is_cancelled = ?, finished_at = ?,
        mapping_version = ?, segment = ?, rejects_by_reason = ?, notices = ?, ignored_columns = ?, steps = ?, error = ?,
        drift = ?, identity = ? WHERE request_id = ?""",
        [
            *(getattr(receipt, name) for name in COUNTS),
            upload_no,
            receipt.status,
            receipt.status == "Completed",
            "Cancelled" in receipt.badges,
            receipt.finished_at and to_utc(receipt.finished_at),
            mapping_version,
            receipt.segment,
            json.dumps(receipt.rejects_by_reason),
            json.dumps(receipt.notices, ensure_ascii=False),
            json.dumps(receipt.ignored_columns, ensure_ascii=False),
            json.dumps([step.model_dump() for step in receipt.steps]),
            json.dumps(receipt.error) if receipt.error else None,
            json.dumps([drift.model_dump() for drift in receipt.drift]),
            receipt.identity.model_dump_json() if receipt.identity else None,
            receipt.request_id,
        ],
    )
    tell_of(session, receipt.request_id or "", "upload_ended")


def fail(session: Session, request_id: str, error: dict[str, Any], *, is_cancelled: bool = False) -> None:
    """An upload that ended without counts: broken file, killed process, stopped before it began. In a transaction."""
    ended = session.run(
        "UPDATE upload SET status = 'Failed', is_live = false, is_cancelled = ?, finished_at = ?, error = ?, "
        "landing = NULL, held = NULL WHERE request_id = ? AND status IN ('Scheduled', 'In Progress')",
        [is_cancelled, now(), json.dumps(error), request_id],
    )
    if ended:
        tell_of(session, request_id, "upload_ended")


def hold(session: Session, request_id: str, error: dict[str, Any]) -> None:
    """Puts an upload that was under way back into the queue, where it waits until a person says yes. As ``fail``."""
    held = session.run(
        "UPDATE upload SET status = 'Scheduled', started_at = NULL, worker = NULL, held = ? WHERE request_id = ? "
        "AND status IN ('Scheduled', 'In Progress')",
        [json.dumps(error), request_id],
    )
    if held:
        tell_of(session, request_id, "upload_held")


def approve(session: Session, request_id: str, user: str) -> bool:
    """Lets a held upload load as it is; False when it is not held (any more)."""
    text = session.value("SELECT options FROM upload WHERE request_id = ? AND held IS NOT NULL", [request_id])
    if text is None:
        return False
    options = Options.model_validate_json(text).model_copy(update={"accept_drift": True})
    session.run(
        "UPDATE upload SET held = NULL, approved_by = ?, options = ? WHERE request_id = ? AND status = 'Scheduled'",
        [user, options.model_dump_json(), request_id],
    )
    return True


_TOLD_ON: dict[str, Told] = {"upload_started": "start", "upload_running": "processing"}

_IN_NOTICES = {
    "request_id", "source", "file", "uploaded_by", "status", "badges", *COUNTS, "segment", "rejects_by_reason",
    "created_at", "scheduled_for", "started_at", "finished_at", "undone_by", "approved_by", "parent",
}  # fmt: skip
"""What a notice says of an upload: nothing that could quote a file, such as the names of its columns."""


def tell_of(
    session: Session, request_id: str, kind: str, *, again: str = "", more: Mapping[str, object] | None = None
) -> str | None:
    """Puts a notice about an upload as it is now into the outbox, in the caller's transaction; returns its id or None.

    A kind is told once per upload; ``again`` tells apart what may happen several times, such as an undo. ``more`` goes
    into its data.
    """
    found = session.row(
        "SELECT source_id, options, settings FROM upload JOIN source USING (source_id) WHERE request_id = ?",
        [request_id],
    )
    if found is None:
        return None
    settings = SourceSettings.model_validate_json(found[2])
    is_wanted = _TOLD_ON.get(kind, "end") in settings.notify_on
    receipt = receipts(session, "request_id = ?", [request_id], limit=1)[0]
    data = receipt.model_dump(mode="json", include=_IN_NOTICES) | dict(more or {})
    for name, error in (("error", receipt.error), ("held", receipt.held)):
        data[name] = {part: error.get(part) for part in ("code", "message", "hint")} if error else None
    event = Event(
        key="/".join(filter(None, ("upload", request_id, kind, again))),
        kind=kind,
        data=data,
        recipients=Options.model_validate_json(found[1]).notify if is_wanted else (),
        request_id=request_id,
        source_id=found[0],
    )
    return tell(session, event)


def receipts(
    session: Session,
    where: str = "true",
    parameters: Sequence[object] = (),
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Receipt]:
    """Receipts, newest first; ``where`` is SQL of ours over upload and source, its values bound."""
    places = session.rows(  # first where they are: a receipt is wide, and only those of one page are read
        f"SELECT upload.rowid FROM upload JOIN source ON source.source_id = upload.source_id WHERE {where} "
        "ORDER BY upload.rowid DESC LIMIT ? OFFSET ?",
        [*parameters, limit if limit is not None else 1_000_000_000, offset],
    )
    if not places:
        return []
    rows = session.records(_SELECT, [[place for (place,) in places]])
    children: dict[str, list[str]] = dict(session.rows(_CHILDREN, [[row["request_id"] for row in rows]]))
    return [_receipt(row, children.get(row["request_id"], ())) for row in rows]


_AS_STORED = (
    "request_id", "source", "file", "sha256", "uploaded_by", "status", "segment", "mapping_version", "undone_by",
    "replaced_by", "approved_by", "parent", "batch",
)  # fmt: skip
_MOMENTS = ("created_at", "scheduled_for", "started_at", "finished_at", "undone_at")
_BADGES = (
    ("is_cancelled", "Cancelled"),
    ("undone_at", "Undone"),
    ("replacing_no", "Replaced"),
    ("held", "Waits for approval"),
)


def _receipt(row: dict[str, Any], children: Sequence[str]) -> Receipt:
    badges = [badge for name, badge in _BADGES if row[name]]
    if row["status"] == "Completed" and row["rejected"]:
        badges.insert(0, "Completed with rejects")
    return Receipt(
        **{name: row[name] for name in _AS_STORED},
        **{name: row[name] or 0 for name in COUNTS},
        **{name: utc(row[name]) for name in _MOMENTS},
        badges=tuple(badges),
        rejects_by_reason=json.loads(row["rejects_by_reason"] or "{}"),
        notices=tuple(json.loads(row["notices"] or "[]")),
        ignored_columns=tuple(json.loads(row["ignored_columns"] or "[]")),
        error=json.loads(row["error"]) if row["error"] else None,
        steps=tuple(StepReport(**step) for step in json.loads(row["steps"] or "[]")),
        children=tuple(children),
        held=json.loads(row["held"]) if row["held"] else None,
        drift=tuple(Drift(**drift) for drift in json.loads(row["drift"] or "[]")),
        identity=IdentityPreview.model_validate_json(row["identity"]) if row["identity"] else None,
    )


def utc(moment: datetime | None) -> datetime | None:
    """A stored moment with its zone."""
    return moment.replace(tzinfo=UTC) if moment else None
