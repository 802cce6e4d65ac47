"""Segments of a workspace: made at upload or by hand, counted when asked."""

from __future__ import annotations

import json
from typing import Any

from ingest_core.catalog.names import check_upper_snake
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.segments.rules import compile_rule


class Segments:
    """Named rules over profiles."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def list(self) -> list[dict[str, Any]]:
        """Name, rule, description and count of each segment, by name."""
        with self._engine.session() as session:
            rows = session.rows("SELECT name, rule, description FROM segment WHERE undone_with IS NULL ORDER BY name")
            return [
                {
                    "name": name,
                    "rule": json.loads(rule),
                    "description": text,
                    "count": _count(session, json.loads(rule)),
                }
                for name, rule, text in rows
            ]

    def add(self, name: str, rule: object, description: str = "") -> dict[str, Any]:
        """Creates a segment. StateError ``segment_exists``; InputError ``bad_upper_snake``, ``bad_rule``."""
        with self._engine.write, self._engine.session() as session, session.transaction():
            create(session, name, rule, self._user, description)
        return {"name": name, "count": self.count(name)}

    def count(self, name: str) -> int:
        """How many profiles are in it now."""
        with self._engine.session() as session:
            return _count(session, _rule(session, name))


def check_option(session: Session, option: str | None) -> None:
    """Whether ``create:NAME`` or ``add:NAME`` can be done. InputError or StateError before anything is read."""
    if option is None:
        return
    verb, _, name = option.partition(":")
    if verb == "create":
        check_upper_snake(name, "segment name")
        _refuse_taken(session, name)
    elif verb == "add":
        _rule(session, name)
    else:
        raise InputError(
            "The segment option is none, create:NAME or add:NAME. Nothing was loaded.",
            code="bad_segment_option",
            hint="Such as create:SPRING_BUYERS.",
        )


def apply_option(session: Session, option: str | None, request_id: str, user: str) -> str | None:
    """Creates or widens the segment by the rule "in upload X", inside the load's transaction; returns its name."""
    if option is None:
        return None
    verb, _, name = option.partition(":")
    leaf = {"upload": request_id}
    if verb == "create":
        create(session, name, {"any": [leaf]}, user, "")
        return name
    _widen(session, name, leaf)
    return name


def counts(session: Session) -> dict[str, int]:
    """Name → how many profiles are in it, of every segment."""
    rows = session.rows("SELECT name, rule FROM segment WHERE undone_with IS NULL ORDER BY name")
    return {name: _count(session, json.loads(rule)) for name, rule in rows}


def hide_with(session: Session, request_id: str) -> None:
    """A segment that only this upload made is not there while the upload is undone."""
    session.run(
        "UPDATE segment SET undone_with = ? WHERE undone_with IS NULL AND rule = ?",
        [request_id, _rule_of_upload(request_id)],
    )


def show_with(session: Session, request_id: str) -> None:
    """Brings the segment back; where its name was taken meanwhile, that segment gets the people instead."""
    hidden = session.row("SELECT segment_id, name FROM segment WHERE undone_with = ?", [request_id])
    if hidden is None:
        return
    segment_id, name = hidden
    if session.value("SELECT 1 FROM segment WHERE name = ? AND undone_with IS NULL", [name]) is None:
        session.run("UPDATE segment SET undone_with = NULL WHERE segment_id = ?", [segment_id])
        return
    _widen(session, name, {"upload": request_id})
    session.run("DELETE FROM segment WHERE segment_id = ?", [segment_id])


def _rule_of_upload(request_id: str) -> str:
    return json.dumps({"any": [{"upload": request_id}]})


def _widen(session: Session, name: str, leaf: dict[str, str]) -> None:
    rule = _rule(session, name)
    wider = {"any": [*rule["any"], leaf]} if set(rule) == {"any"} else {"any": [rule, leaf]}
    session.run("UPDATE segment SET rule = ? WHERE name = ? AND undone_with IS NULL", [json.dumps(wider), name])


def create(session: Session, name: str, rule: object, user: str, description: str) -> None:
    """Inside the caller's transaction."""
    check_upper_snake(name, "segment name")
    compile_rule(rule)
    _refuse_taken(session, name)
    number = session.value("SELECT coalesce(max(segment_id), 0) + 1 FROM segment")
    session.run(
        "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [number, name, json.dumps(rule, ensure_ascii=False), description, now(), user],
    )


def _refuse_taken(session: Session, name: str) -> None:
    if session.value("SELECT 1 FROM segment WHERE name = ? AND undone_with IS NULL", [name]) is not None:
        raise StateError(
            f"The segment {name} exists already. Nothing was changed.",
            code="segment_exists",
            hint=f"Use add:{name} or choose another name.",
        )


def _rule(session: Session, name: str) -> Any:
    text = session.value("SELECT rule FROM segment WHERE name = ? AND undone_with IS NULL", [name])
    if text is None:
        raise InputError(
            "There is no such segment. Nothing was changed.", code="no_such_segment", hint="See: segment list"
        )
    return json.loads(text)


def _count(session: Session, rule: object) -> int:
    sql, parameters = compile_rule(rule)
    return int(session.value(f"SELECT count(*) FROM profile p WHERE {sql}", parameters))
