"""What can be sent, found by what a person calls it: whom it means, and which attributes it has by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ingest_core.clock import now
from ingest_core.deliveries.order import Kind
from ingest_core.engine import Session
from ingest_core.errors import InputError, StateError
from ingest_core.models import Attribute
from ingest_core.segments import records
from ingest_core.segments.compiling import Condition, compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.member_files import filled
from ingest_core.segments.segments import condition_of
from ingest_core.segments.tree import InUpload


@dataclass(frozen=True, slots=True)
class Selection:
    """``object``: the id that lasts (of a segment its number). ``condition``: whom it means, None where nobody."""

    kind: Kind
    object: str
    label: str
    condition: Condition | None
    attributes: tuple[Attribute, ...] = ()


def find(session: Session, kind: Kind, given: str) -> Selection:
    """By the segment's name, the Request ID or the file's name.

    InputError ``no_such_segment``, ``no_such_upload``; StateError ``nothing_stored``, ``undone``, ``replaced``,
    ``no_rejects``, ``segment_unusable``.
    """
    if kind == "file":
        return Selection(kind, given, given, None)
    if kind == "segment":
        return _segment(session, records.find(Known.of(session), given).segment_id)
    return _upload(session, kind, given)


def find_again(session: Session, kind: Kind, object_: str) -> Selection:
    """By the id that ``find`` gave. Raises likewise, and StateError ``segment_gone``."""
    if kind != "segment":
        return find(session, kind, object_)
    kept = Known.of(session).segments.get(int(object_))
    if kept is None or kept.is_hidden:
        raise StateError(
            "The segment is not there any more. Nothing was sent.",
            code="segment_gone",
            hint="It was deleted, or the upload that made it was undone.",
        )
    return _segment(session, kept.segment_id)


def _segment(session: Session, segment_id: int) -> Selection:
    known = Known.of(session)
    name = known.segments[segment_id].name
    condition = condition_of(known, name)
    shown = filled(session, list(known.attributes.values()), condition)
    return Selection("segment", str(segment_id), name, condition, tuple(shown))


def _upload(session: Session, kind: Kind, request_id: str) -> Selection:
    found = session.records(
        "SELECT upload_no, file, status, is_live, undone_at, replaced_by, rejected, rejects_purged_at "
        "FROM upload WHERE request_id = ?",
        [request_id],
    )
    if not found:
        raise InputError("There is no upload with this Request ID.", code="no_such_upload", hint="See: history")
    upload = found[0]
    if kind == "rejects":
        _refuse_without_rejects(upload)
        return Selection(kind, request_id, str(upload["file"]), None)
    _refuse_dead(upload)
    condition = compile_rule(InUpload(request_id, upload["upload_no"]), now())
    shown = [one for one in _mapped(session, request_id) if one in filled(session, [one], condition)]
    return Selection(kind, request_id, str(upload["file"]), condition, tuple(shown))


def _mapped(session: Session, request_id: str) -> list[Attribute]:
    """The attributes that the mapping of an upload fills."""
    columns = session.value(
        "SELECT mapping.columns FROM upload JOIN mapping ON mapping.source_id = upload.source_id "
        "AND mapping.version = upload.mapping_version WHERE request_id = ?",
        [request_id],
    )
    names = {str(column["attribute"]).lower() for column in json.loads(columns or "[]") if column.get("attribute")}
    return [one for one in Known.of(session).attributes.values() if one.name.lower() in names]


def _refuse_dead(upload: dict[str, object]) -> None:
    if upload["status"] != "Completed":
        raise StateError(
            f"This upload is {upload['status']}: it stored nothing that could be sent.",
            code="nothing_stored",
            hint="Choose an upload that is Completed.",
        )
    if upload["undone_at"] is not None or not upload["is_live"]:
        was_undone = upload["undone_at"] is not None
        raise StateError(
            f"This upload was {'undone' if was_undone else 'replaced by a later one'}: its rows count for nothing now.",
            code="undone" if was_undone else "replaced",
            hint="Take the undo back first." if was_undone else "Send the upload that replaced it.",
        )


def _refuse_without_rejects(upload: dict[str, object]) -> None:
    if not upload["rejected"] or upload["rejects_purged_at"] is not None:
        raise StateError(
            "There are no rejected rows of this upload (any more).",
            code="no_rejects",
            hint="Send its stored rows instead.",
        )
