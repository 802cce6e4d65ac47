"""Where values come from: upload, file, line and time of each, and what was said about a person before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest_core.engine import Session
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.stated import Stated, effects, look_at, standing, stated
from ingest_core.ledger.uploads import utc
from ingest_core.models import Attribute

Reading = Callable[[Attribute, Stated], str | None]
"""How a stated value is shown: masked or plain, None when it is none."""

NOWHERE: dict[str, Any] = {"request_id": None, "file": None, "line": None, "lines": 1, "at": None}


def origins(session: Session, pid: int, fields: Fields) -> dict[int, dict[str, Any]]:
    """Attribute id → {request_id, file, line, lines, at} of what set the value that one person has."""
    rules = look_at(session, fields, "q.pid = ?", [pid])
    uploads = _uploads(session)
    found = {}
    for attribute in fields.attributes:
        held = standing(stated(session, attribute, rules).get(pid, []))
        if held is not None:
            found[attribute.attribute_id] = {name: _place(uploads, held)[name] for name in NOWHERE}
    return found


def history(session: Session, pid: int, fields: Fields, read: Callable[[list[Any]], Reading]) -> list[dict[str, Any]]:
    """What the uploads said about one person, newest first, one entry per upload and attribute.

    {attribute, value, request_id, source, file, line, lines, at, effect, is_current}; see ``People.value_history``.
    ``read`` gets all PII tokens at once and returns how to show a value.
    """
    rules = look_at(session, fields, "q.pid = ?", [pid])
    uploads = _uploads(session)
    said = {attribute: stated(session, attribute, rules).get(pid, []) for attribute in fields.attributes}
    shown = read([one.value for attribute, statements in said.items() if attribute.pii for one in statements])
    found = []
    for attribute, statements in said.items():
        held = standing(statements)
        for one, effect in zip(statements, effects(statements), strict=True):
            entry = {"attribute": attribute.name, "value": shown(attribute, one), **_place(uploads, one)}
            found.append((one.upload_no, {**entry, "effect": effect, "is_current": one is held}))
    return [entry for _, entry in sorted(found, key=lambda pair: -pair[0])]


def _uploads(session: Session) -> dict[int, dict[str, Any]]:
    """The uploads in table ``looked_at`` by number."""
    rows = session.records(
        "SELECT upload_no, request_id, source.name AS source, file, finished_at AS at "
        "FROM upload JOIN source USING (source_id) WHERE upload_no IN (SELECT rid >> 32 FROM looked_at)"
    )
    return {row.pop("upload_no"): {**row, "at": utc(row["at"])} for row in rows}


def _place(uploads: dict[int, dict[str, Any]], one: Stated) -> dict[str, Any]:
    return {**uploads[one.upload_no], "line": one.line, "lines": one.lines}
