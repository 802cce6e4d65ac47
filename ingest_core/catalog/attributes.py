"""Attributes: the fields of a profile. Built-in ones are a closed list; custom ones are added as real columns."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

from ingest_core.catalog.names import check_attribute_name, check_name, check_upper_snake
from ingest_core.clock import now
from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError, StateError
from ingest_core.faults import abort_point
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.retype import TypeChange, change_type, check_target, fold_as
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, Rank

# name, display name, type, identifier, pii (domain.md §4)
BUILT_IN: tuple[tuple[str, str, str, Rank | None, bool], ...] = (
    ("crmid", "Customer ID", "string", "primary", False),
    ("email", "E-mail", "email", "secondary", True),
    ("phone", "Phone", "phone", "secondary", True),
    ("first_name", "First name", "string", None, True),
    ("last_name", "Last name", "string", None, True),
    ("birth_date", "Birth date", "date", None, True),
    ("gender", "Gender", "string", None, False),
    ("city", "City", "string", None, False),
    ("region", "Region", "string", None, False),
    ("postal_code", "Postal code", "string", None, False),
    ("country", "Country", "country", None, False),
    ("language", "Language", "string", None, False),
)

_SELECT = """
SELECT attribute_id, name, display_name, type, identifier, priority, pii, segment, macro, is_builtin
FROM attribute
"""


class Attributes:
    """The attributes of a workspace. Names, segment names and macro names are unique without regard to case."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def list(self) -> list[Attribute]:
        """All attributes, built-in ones first."""
        with self._engine.session() as session:
            return attributes_now(session)

    def get(self, name: str) -> Attribute:
        """By name. InputError ``unknown_attribute``."""
        with self._engine.session() as session:
            found = session.records(f"{_SELECT} WHERE lower(name) = lower(?)", [name])
        if not found:
            raise InputError(
                "There is no such attribute. Nothing was changed.",
                code="unknown_attribute",
                hint="See the names with: attribute list",
            )
        return Attribute(**found[0])

    def add(
        self,
        name: str,
        type: str,
        *,
        display_name: str | None = None,
        identifier: Rank | None = None,
        pii: bool = False,
        segment: str | None = None,
        macro: str | None = None,
    ) -> Attribute:
        """Creates a custom attribute. StateError ``attribute_exists``; InputError ``unknown_type``, ``bad_name``, …"""
        name = check_attribute_name(name)
        shown = check_name(display_name or name.replace("_", " ").capitalize(), "an attribute")
        check_upper_snake(segment, "segment name")
        check_upper_snake(macro, "macro name")
        data_type(type)
        with self._engine.write, self._engine.session() as session, session.transaction():
            _refuse_taken(session, name, segment, macro)
            _insert(session, self._user, name, shown, type, identifier, pii, segment, macro, is_builtin=False)
        return self.get(name)

    def preview_type(self, name: str, type: str) -> TypeChange:
        """What a change of type would do, worked out by the fold itself; changes nothing. Raises as ``change``."""
        attribute = self.get(name)
        with self._engine.session() as session, session.transaction():
            check_target(session, attribute, type)
            return fold_as(session, attribute, type)

    def change(
        self,
        name: str,
        *,
        type: str | None = None,
        display_name: str | None = None,
        segment: str | EllipsisType | None = ...,
        macro: str | EllipsisType | None = ...,
    ) -> Attribute:
        """Changes what is given; ``segment=None`` and ``macro=None`` take these names away. Is on the audit log.

        With another type the profiles' values are folded again from the log, in one transaction; no value is lost by
        it (``preview_type`` says which ones are not shown). InputError ``unknown_attribute``, ``unknown_type``,
        ``type_not_changeable``, ``bad_name``, ``bad_upper_snake``; StateError ``attribute_exists``, ``type_in_use``.
        """
        asked: dict[str, Any] = {
            "display_name": ... if display_name is None else check_name(display_name, "an attribute"),
            "segment": segment,
            "macro": macro,
        }
        with self._engine.write, self._engine.session() as session, session.transaction():
            attribute = self.get(name)
            new = {what: text for what, text in asked.items() if text not in (..., getattr(attribute, what))}
            check_upper_snake(new.get("segment"), "segment name")
            check_upper_snake(new.get("macro"), "macro name")
            _refuse_taken(session, None, new.get("segment"), new.get("macro"))
            for what, text in new.items():
                session.run(f"UPDATE attribute SET {what} = ? WHERE attribute_id = ?", [text, attribute.attribute_id])
            detail: dict[str, Any] = {what: {"before": getattr(attribute, what), "after": new[what]} for what in new}
            if type is not None and type != attribute.type:
                check_target(session, attribute, type)
                made = change_type(session, attribute, type)
                detail["type"] = made.model_dump(exclude={"attribute", "samples", "rewritten_samples"})
            if detail:
                write_audit(session, self._user, "change attribute", attribute.name, detail)
            abort_point("commit", "before")
        abort_point("commit", "after")
        return self.get(name)

    def mark_pii(self, name: str) -> Attribute:
        """Marks an attribute as PII before any value was stored. StateError ``attribute_in_use`` afterwards."""
        attribute = self.get(name)
        if attribute.pii:
            return attribute
        with self._engine.write, self._engine.session() as session, session.transaction():
            column = quote(attribute.column)
            if session.value(f"SELECT 1 FROM record WHERE {column} IS NOT NULL LIMIT 1") is not None:
                raise StateError(
                    f"The attribute {attribute.name} already holds values that are stored as plain text. "
                    "Nothing was changed.",
                    code="attribute_in_use",
                    hint="Create a new attribute marked as PII and load the file into that one.",
                )
            for table in ("record", "profile"):
                session.run(f"ALTER TABLE {table} DROP COLUMN {column}")
                session.run(f"ALTER TABLE {table} ADD COLUMN {column} UUID")
            session.run("UPDATE attribute SET pii = true WHERE attribute_id = ?", [attribute.attribute_id])
            detail = {"pii": {"before": False, "after": True}}
            write_audit(session, self._user, "change attribute", attribute.name, detail)
        return self.get(name)

    def create_built_in(self) -> None:
        """Fills a new workspace; does nothing when they are there."""
        with self._engine.write, self._engine.session() as session, session.transaction():
            if session.value("SELECT count(*) FROM attribute"):
                return
            for name, shown, type_, identifier, pii in BUILT_IN:
                _insert(session, self._user, name, shown, type_, identifier, pii, None, name.upper(), is_builtin=True)


def attributes_now(session: Session) -> list[Attribute]:
    """All attributes as this session sees them, built-in ones first."""
    return [Attribute(**row) for row in session.records(f"{_SELECT} ORDER BY attribute_id")]


def _refuse_taken(session: Session, name: str | None, segment: str | None, macro: str | None) -> None:
    taken = session.row(
        "SELECT lower(name) = lower(?), segment = ?, macro = ? FROM attribute "
        "WHERE lower(name) = lower(?) OR segment = ? OR macro = ?",
        [name, segment, macro, name, segment, macro],
    )
    if taken is not None:
        what = "name" if taken[0] else "segment name" if taken[1] else "macro name"
        raise StateError(
            f"An attribute with this {what} exists already. Nothing was changed.",
            code="attribute_exists",
            hint="Use the existing attribute or choose another name.",
        )


def _insert(
    session: Session,
    user: str,
    name: str,
    shown: str,
    type_: str,
    identifier: Rank | None,
    pii: bool,
    segment: str | None,
    macro: str | None,
    *,
    is_builtin: bool,
) -> None:
    next_id: Any = session.value("SELECT coalesce(max(attribute_id), 0) + 1 FROM attribute")
    session.run(
        "INSERT INTO attribute VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [next_id, name, shown, type_, identifier, int(next_id), pii, segment, macro, is_builtin, now(), user],
    )
    column = quote(f"a{next_id}")
    session.run(f"ALTER TABLE record ADD COLUMN {column} {'UUID' if pii else 'VARCHAR'}")
    session.run(f"ALTER TABLE profile ADD COLUMN {column} {'UUID' if pii else data_type(type_).sql_type}")
    if identifier and not pii:
        session.run(f"ALTER TABLE record ADD COLUMN {quote(f'i{next_id}')} UUID")
