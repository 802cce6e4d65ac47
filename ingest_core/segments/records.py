"""Segments as rows: made, changed, removed, hidden with an undone upload. Inside the caller's transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ingest_core.catalog.names import check_name, check_upper_snake
from ingest_core.clock import now
from ingest_core.engine import Session
from ingest_core.errors import InputError, StateError
from ingest_core.segments.known import Kept, Known, did_you_mean
from ingest_core.segments.rules import RuleError, as_json, check_size, parse_rule, stored_rule

HIGHEST_PRIORITY = 1_000
MOST_TAGS = 20
LONGEST_TAG = 50
LONGEST_DESCRIPTION = 2_000

_NEXT_ID = """
SELECT coalesce(max(segment_id), 0) + 1
FROM (SELECT segment_id FROM segment UNION ALL SELECT segment_id FROM segment_count)"""

_SELECT = """
SELECT segment_id, name, rule, description, tags, priority, created_at, created_by, updated_at, updated_by
FROM segment WHERE undone_with IS NULL ORDER BY name"""


def records(session: Session) -> list[dict[str, Any]]:
    """The rows of all segments that people see, by name. Their rules are in ``Known``."""
    return [
        {**row, "version": _version(row), "tags": json.loads(row["tags"] or "[]"), "priority": row["priority"] or 0}
        for row in session.records(_SELECT)
    ]


def _version(row: dict[str, Any]) -> str:
    """Another text whenever something of what people say about a segment is another; takes the rule out of the row."""
    said = [row["name"], row.pop("rule"), row["description"], row["tags"], row["priority"]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def refuse_other_version(session: Session, kept: Kept, version: str) -> None:
    """StateError ``segment_changed`` when the segment is not as it was when somebody looked at it."""
    (row,) = [row for row in records(session) if row["segment_id"] == kept.segment_id]
    if row["version"] != version:
        raise StateError(
            f"The segment {kept.name} was changed meanwhile. Nothing was saved.",
            code="segment_changed",
            hint="Look at it as it is now, then decide whose change is to stand.",
            facts={"version": row["version"], "updated_by": row["updated_by"]},
        )


def find(known: Known, name: str) -> Kept:
    """A segment by name, the exact one first. InputError ``no_such_segment``."""
    segment_id = known.segment(name)
    if segment_id is None:
        raise InputError(
            "There is no such segment. Nothing was changed.",
            code="no_such_segment",
            hint=did_you_mean(name, [kept.name for kept in known.visible], "See: segment list"),
        )
    return known.segments[segment_id]


def create(session: Session, name: str, rule: object, user: str, **said: Any) -> int:
    """Makes a segment of a rule as a person writes it; returns its id. ``said``: description, tags, priority."""
    check_upper_snake(name, "segment name")
    refuse_taken(session, name)
    known = Known.of(session)
    return insert(session, name, as_json(parse_rule(rule, known), is_stored=True), user, **check_said(said))


def insert(session: Session, name: str, stored: object, user: str, **said: Any) -> int:
    """Adds the row of a segment whose rule is in its stored form and whose name is free; returns its id."""
    # Never an id of which counts are left: retention takes a segment away without them.
    number = int(session.value(_NEXT_ID))
    columns = {
        "segment_id": number, "name": name, "rule": dumps(stored), "description": "", "created_at": now(),
        "created_by": user, **said,
    }  # fmt: skip
    places = ", ".join("?" for _ in columns)
    session.run(f"INSERT INTO segment ({', '.join(columns)}) VALUES ({places})", list(columns.values()))
    return number


def change(
    session: Session, kept: Kept, user: str, *, new_name: str | None = None, rule: object = ..., **said: Any
) -> bool:
    """Changes what is given, in ``said`` what is not None; returns whether the rule is another one now."""
    known = Known.of(session)
    columns = check_said({name: value for name, value in said.items() if value is not None})
    if new_name is not None and new_name != kept.name:
        check_upper_snake(new_name, "segment name")
        refuse_taken(session, new_name)
        columns["name"] = new_name
    if rule is not ...:
        columns["rule"] = dumps(as_json(parse_rule(rule, known, kept.segment_id), is_stored=True))
    columns |= {"updated_at": now(), "updated_by": user}
    places = ", ".join(f"{column} = ?" for column in columns)
    session.run(f"UPDATE segment SET {places} WHERE segment_id = ?", [*columns.values(), kept.segment_id])
    if "rule" in columns:
        _check_those_that_name_it(Known.of(session))
    return "rule" in columns and columns["rule"] != dumps(kept.rule)


def _check_those_that_name_it(known: Known) -> None:
    """A changed rule must not make another segment larger than the database can work out."""
    for kept in known.visible:
        try:
            check_size(stored_rule(kept.segment_id, known), known, f"segment {kept.name}")
        except RuleError as error:
            if error.code == "rule_too_large":
                raise


def remove(session: Session, kept: Kept) -> None:
    """Takes a segment away with its counts. StateError ``segment_in_use``."""
    users = Known.of(session).used_by(kept.segment_id)
    if users:
        raise StateError(
            f"Other segments are built on {kept.name}: {', '.join(users)}. Nothing was changed.",
            code="segment_in_use",
            hint="Take it out of their rules first.",
            facts={"segments": users},
        )
    for table in ("segment_count", "segment"):
        session.run(f"DELETE FROM {table} WHERE segment_id = ?", [kept.segment_id])


def hide_with(session: Session, request_id: str) -> None:
    """A segment that only this upload made is not there while the upload is undone, unless others are built on it."""
    known = Known.of(session)
    for kept in known.visible:
        if kept.rule == _of_upload(request_id) and not known.used_by(kept.segment_id):
            session.run("UPDATE segment SET undone_with = ? WHERE segment_id = ?", [request_id, kept.segment_id])


def show_with(session: Session, request_id: str) -> None:
    """Brings the segments back; where a name was taken meanwhile, that segment gets the people instead."""
    hidden = session.rows("SELECT segment_id, name FROM segment WHERE undone_with = ?", [request_id])
    for segment_id, name in hidden:
        if session.value("SELECT 1 FROM segment WHERE name = ? AND undone_with IS NULL", [name]) is None:
            session.run("UPDATE segment SET undone_with = NULL WHERE segment_id = ?", [segment_id])
        else:
            widen(session, name, request_id)
            session.run("DELETE FROM segment_count WHERE segment_id = ?", [segment_id])
            session.run("DELETE FROM segment WHERE segment_id = ?", [segment_id])


def create_for_upload(session: Session, name: str, request_id: str, user: str) -> None:
    """The segment "in this upload", inside the transaction of its load."""
    refuse_taken(session, name)
    insert(session, name, _of_upload(request_id), user)


def widen(session: Session, name: str, request_id: str) -> None:
    """Adds "or in this upload" to the rule of a segment."""
    kept = find(Known.of(session), name)
    rule, leaf = kept.rule, {"upload": request_id}
    wider = {"any": [*rule["any"], leaf]} if set(rule) == {"any"} else {"any": [rule, leaf]}
    session.run("UPDATE segment SET rule = ? WHERE segment_id = ?", [dumps(wider), kept.segment_id])


def refuse_taken(session: Session, name: str) -> None:
    """StateError ``segment_exists``."""
    if session.value("SELECT 1 FROM segment WHERE name = ? AND undone_with IS NULL", [name]) is not None:
        raise StateError(
            f"The segment {name} exists already. Nothing was changed.",
            code="segment_exists",
            hint=f"Use add:{name} or choose another name.",
        )


def check_said(said: Mapping[str, Any]) -> dict[str, Any]:
    """What people say beside the rule, as columns. InputError ``bad_tags``, ``bad_priority``, ``bad_description``."""
    columns = dict(said)
    if "description" in columns:
        columns["description"] = _description(columns["description"])
    if "tags" in columns:
        columns["tags"] = json.dumps(_tags(columns["tags"]), ensure_ascii=False)
    if not 0 <= columns.get("priority", 0) <= HIGHEST_PRIORITY:
        raise InputError(
            f"A priority is a number from 0 to {HIGHEST_PRIORITY:,}. Nothing was changed.",
            code="bad_priority",
            hint="A larger number is more important.",
        )
    return columns


def _description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise InputError(
            "This is not a usable description. Nothing was changed.",
            code="bad_description",
            hint=f"Use at most {LONGEST_DESCRIPTION:,} characters.",
        )
    return text.strip()


def _tags(tags: Sequence[str]) -> list[str]:
    """Each once, as it was written first, by name."""
    named: dict[str, str] = {}
    for tag in tags:
        name = check_name(tag, "a tag")
        named.setdefault(name.casefold(), name)
    if len(named) > MOST_TAGS or any(len(name) > LONGEST_TAG for name in named.values()):
        raise InputError(
            "These tags cannot be used. Nothing was changed.",
            code="bad_tags",
            hint=f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters are possible.",
        )
    return sorted(named.values(), key=str.casefold)


def dumps(rule: object) -> str:
    """The stored text of a rule."""
    return json.dumps(rule, ensure_ascii=False)


def _of_upload(request_id: str) -> dict[str, Any]:
    return {"any": [{"upload": request_id}]}
