"""Looking at people: one profile by identifier, with the lineage of each value; how many there are."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import pyarrow as pa

from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.fields import Fields, is_cleared
from ingest_core.ledger.rules_of import rules_of
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, ColumnMapping, TypeContext
from ingest_core.segments.rules import compile_rule
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, token
from ingest_core.vault.reading import VaultReader


class People:
    """Reads profiles. Plain PII is returned only when ``reveal`` is asked for, which is written to the audit log."""

    def __init__(self, engine: Engine, keyset: Keyset, settings: Settings, attributes: Any, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._settings = settings
        self._attributes = attributes
        self._user = user

    def count(self) -> int:
        """How many profiles there are."""
        with self._engine.session() as session:
            return int(session.value("SELECT count(*) FROM profile"))

    def show(self, attribute: str, value: str, *, reveal: bool = False) -> dict[str, Any]:
        """{profile_id, attributes: {name: {value, request_id, line}}, sources, segments, traits}

        InputError ``not_an_identifier``, ``bad_value``, ``no_such_profile``.
        """
        with self._engine.session() as session:
            pid = self._find(session, self._attributes.get(attribute), value)
            shown = self._show(session, pid, reveal=reveal)
        if reveal:
            with self._engine.write, self._engine.session() as session, session.transaction():
                write_audit(session, self._user, "reveal", shown["profile_id"], {"by": attribute})
        return shown

    def _find(self, session: Session, attribute: Attribute, value: str) -> int:
        if attribute.identifier is None:
            raise InputError(
                f"{attribute.name} does not identify people.",
                code="not_an_identifier",
                hint="Look people up by an identifier such as crmid, email or phone.",
            )
        context = TypeContext(self._settings.phone_country, self._settings.lower_email_local)
        try:
            text = normal(attribute, value, context)
        except ValueError:
            raise InputError(
                f"This is not a value of {attribute.name}.", code="bad_value", hint="Check the spelling."
            ) from None
        found = session.value(
            "SELECT pid FROM identity WHERE token = ?", [token(self._keyset.token_key(attribute.attribute_id), text)]
        )
        if found is None:
            raise InputError(
                f"Nobody is known by this {attribute.name}.",
                code="no_such_profile",
                hint="A value that is contested or shared by many names nobody.",
            )
        return int(found)

    def _show(self, session: Session, pid: int, *, reveal: bool) -> dict[str, Any]:
        attributes = self._attributes.list()
        columns = ", ".join(
            quote(a.column) if a.pii else f"CAST({quote(a.column)} AS VARCHAR) AS {quote(a.column)}" for a in attributes
        )
        record = session.records(f"SELECT {columns} FROM profile WHERE pid = ?", [pid])[0]
        reader = VaultReader(session, self._keyset)
        texts = reader.values(record[a.column] for a in attributes if a.pii and record[a.column] is not None)
        origins = _origins(session, pid, Fields.of(attributes))
        shown = {}
        for a in attributes:
            stored = record[a.column]
            if stored is None:
                continue
            text = texts.get(stored, "") if a.pii else _plain(a, stored)
            request_id, line = origins.get(a.attribute_id, (None, None))
            shown[a.name] = {
                "value": data_type(a.type).mask(text) if a.pii and not reveal else text,
                "request_id": request_id,
                "line": line,
            }
        sources = session.rows(
            "SELECT name FROM membership JOIN source USING (source_id) WHERE pid = ? ORDER BY name", [pid]
        )
        return {
            "profile_id": profile_id(pid),
            "attributes": shown,
            "sources": [name for (name,) in sources],
            "segments": _segments(session, pid),
            "traits": [],
        }


def profile_id(pid: int) -> str:
    """A profile's public id: the upload and line of its first record."""
    return f"{pid >> 32}-{pid & 0xFFFFFFFF}"


def normal(attribute: Attribute, value: str, context: TypeContext) -> str:
    """A value as tokens are made of it; ValueError when it is none."""

    made = data_type(attribute.type).convert(pa.array([value.strip() or None], pa.string()), None, context)
    text = made.text[0].as_py()
    if text is None:
        raise ValueError
    return str(text)


def _plain(attribute: Attribute, text: str) -> str:
    """A typed value as its canonical text: decimals without trailing zeros."""
    if attribute.type == "number" and "." in text:
        return text.rstrip("0").rstrip(".")
    return text


def _segments(session: Session, pid: int) -> list[str]:

    found = []
    for name, rule in session.rows("SELECT name, rule FROM segment ORDER BY name"):
        sql, parameters = compile_rule(json.loads(rule))
        if session.value(f"SELECT 1 FROM profile p WHERE p.pid = ? AND ({sql})", [pid, *parameters]) is not None:
            found.append(name)
    return found


def _origins(session: Session, pid: int, fields: Fields) -> dict[int, tuple[str, int]]:
    """Attribute id → (Request ID, line) of the record that set the value: lineage is a query on the log."""

    rules = rules_of(session, fields).by_upload
    ids: dict[int, str] = dict(session.rows("SELECT upload_no, request_id FROM upload WHERE is_live"))
    columns = ", ".join(f"r.{quote(a.column)} AS {quote(a.column)}" for a in fields.attributes)
    cleared = ", ".join(f"{is_cleared(a, 'r.' + quote(a.column))} AS c{a.attribute_id}" for a in fields.attributes)
    records = session.records(
        f"SELECT r.rid, {columns}, {cleared} FROM resolution q JOIN record r ON r.rid = q.rid WHERE q.pid = ? "
        "ORDER BY r.rid",
        [pid],
    )
    uploads = [(number, list(rows)) for number, rows in groupby(records, key=lambda record: record["rid"] >> 32)]
    origins: dict[int, tuple[str, int]] = {}
    for a in fields.attributes:
        held: tuple[int, int] | None = None  # upload, line
        for upload, rows in uploads:
            said = [
                (row["rid"] & 0xFFFFFFFF, bool(row[f"c{a.attribute_id}"])) for row in rows if row[a.column] is not None
            ]
            if not said:
                continue
            rule = rules.get(upload, {}).get(a.attribute_id, _PLAIN)
            line, is_clearing = _stated(said, rule.combine)
            if is_clearing:
                held = None
            elif held is None or rule.conflict == "newest":
                held = (upload, line)
        if held is not None:
            origins[a.attribute_id] = (ids.get(held[0], ""), held[1])
    return origins


_PLAIN = ColumnMapping(column="")


def _stated(said: list[tuple[int, bool]], combine: str) -> tuple[int, bool]:
    """The (line, whether it clears) that counts of one upload's lines about one person."""
    if combine == "first":
        return said[0]
    if combine == "last":
        return said[-1]
    return next((entry for entry in reversed(said) if not entry[1]), said[-1])
