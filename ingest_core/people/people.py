"""Looking at people: one profile by identifier, where its values come from, whom an upload changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pyarrow as pa

from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.changes import Change, changes
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.stated import plain
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, TypeContext
from ingest_core.people import lineage
from ingest_core.segments.counting import segments_of
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
        """{profile_id, attributes: {name: {value, request_id, file, line, lines, at}}, sources, segments, traits}

        ``request_id`` and ``line`` name the line that holds the value, ``at`` when its upload was finished; of a sum or
        count it is the last of the ``lines`` that made it. InputError ``not_an_identifier``, ``bad_value``,
        ``no_such_profile``.
        """
        by = self._attributes.get(attribute)
        return self._look(lambda session: self._find(session, by, value), attribute, reveal=reveal)

    def person(self, profile_id: str, *, reveal: bool = False) -> dict[str, Any]:
        """As ``show``, of the one to whom this profile's first record belongs today. InputError ``no_such_profile``."""
        return self._look(lambda session: _owner(session, profile_id), "profile_id", reveal=reveal)

    def value_history(
        self, by_attribute: str, value: str, attribute: str | None = None, *, reveal: bool = False
    ) -> list[dict[str, Any]]:
        """What live uploads said about one person, newest first: one entry per upload and attribute that it stated.

        {attribute, value, request_id, source, file, line, lines, at, effect, is_current}. ``effect``: *set*;
        *combined* (a sum or count of several lines); *kept out* (by the rule *keep* the older value stayed); *cleared*
        (value None); *does not fit* (the attribute has another type now, or cannot hold the sum). ``is_current``: the
        value of today is this one.
        ``attribute``: only this one. Raises as ``show``, and InputError ``unknown_attribute``.
        """
        by = self._attributes.get(by_attribute)
        return self._history(lambda session: self._find(session, by, value), by_attribute, attribute, reveal=reveal)

    def history_of(
        self, profile_id: str, attribute: str | None = None, *, reveal: bool = False
    ) -> list[dict[str, Any]]:
        """As ``value_history``, of the one to whom this profile's first record belongs today."""
        return self._history(lambda session: _owner(session, profile_id), "profile_id", attribute, reveal=reveal)

    def changed_by(
        self, request_id: str, limit: int = 100, offset: int = 0, *, reveal: bool = False
    ) -> list[dict[str, Any]]:
        """The people that an upload touched, in the order of its lines.

        {profile_id, kind: created | updated | unchanged, is_new_member, attributes: {name: {before, after}}}, the
        attributes whose value differs; somebody may be *updated* only because they are new in the source. People and
        former values are those of today's log: without uploads that were undone or replaced.
        InputError ``no_such_upload``; StateError ``undone``, ``replaced``.
        """
        attributes = {a.attribute_id: a for a in self._attributes.list()}
        with self._engine.session() as session, session.transaction():
            found = changes(session, Fields.of(list(attributes.values())), request_id, limit, offset)
            pairs = [(attributes[number], pair) for change in found for number, pair in change.values.items()]
            texts = _Texts(session, self._keyset, is_plain=reveal)
            texts.of([one.value for a, pair in pairs if a.pii for one in pair if one is not None])
            shown = [_changed(change, attributes, texts) for change in found]
        if reveal:
            self._reveal(request_id, {"by": "upload", "people": len(shown)})
        return shown

    def _look(self, whom: Callable[[Session], int], by: str, *, reveal: bool) -> dict[str, Any]:
        with self._engine.session() as session, session.transaction():
            pid = whom(session)
            shown = self._show(session, pid, reveal=reveal)
        if reveal:
            self._reveal(profile_id(pid), {"by": by})
        return shown

    def _history(
        self, whom: Callable[[Session], int], by: str, attribute: str | None, *, reveal: bool
    ) -> list[dict[str, Any]]:
        attributes = self._attributes.list() if attribute is None else [self._attributes.get(attribute)]
        with self._engine.session() as session, session.transaction():
            pid = whom(session)
            texts = _Texts(session, self._keyset, is_plain=reveal)
            found = lineage.history(session, pid, Fields.of(attributes), texts.of)
        if reveal:
            self._reveal(profile_id(pid), {"by": by, "history": attribute or "all"})
        return found

    def _reveal(self, what: str, detail: dict[str, Any]) -> None:
        with self._engine.write, self._engine.session() as session, session.transaction():
            write_audit(session, self._user, "reveal", what, detail)

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
        columns = ", ".join(f"{_shown(a)} AS {quote(a.column)}" for a in attributes)
        record = session.records(f"SELECT {columns} FROM profile WHERE pid = ?", [pid])[0]
        texts = _Texts(session, self._keyset, is_plain=reveal)
        texts.of([record[a.column] for a in attributes if a.pii])
        origins = lineage.origins(session, pid, Fields.of(attributes))
        shown = {
            a.name: {"value": texts.text(a, record[a.column]), **origins.get(a.attribute_id, lineage.NOWHERE)}
            for a in attributes
            if record[a.column] is not None
        }
        sources = session.rows(
            "SELECT name FROM membership JOIN source USING (source_id) WHERE pid = ? ORDER BY name", [pid]
        )
        return {
            "profile_id": profile_id(pid),
            "attributes": shown,
            "sources": [name for (name,) in sources],
            "segments": segments_of(session, pid),
            "traits": [],
        }


class _Texts:
    """Values as people see them: PII opened, and masked unless it may be plain."""

    def __init__(self, session: Session, keyset: Keyset, *, is_plain: bool) -> None:
        self._reader = VaultReader(session, keyset)
        self._is_plain = is_plain
        self._found: dict[UUID, str] = {}

    def of(self, tokens: list[Any]) -> lineage.Reading:
        """Opens these tokens (None is no token); returns how a statement is shown."""
        self._found |= self._reader.values(token for token in tokens if token is not None)
        return lambda attribute, one: self.text(attribute, None if one.is_cleared else one.text)

    def text(self, attribute: Attribute, stored: Any) -> str | None:
        """A stored text or token as it is shown; None stays None."""
        if stored is None or not attribute.pii:
            return None if stored is None else str(stored)
        text = self._found.get(stored, "")
        return text if self._is_plain else data_type(attribute.type).mask(text)


def _changed(change: Change, attributes: dict[int, Attribute], texts: _Texts) -> dict[str, Any]:
    return {
        "profile_id": profile_id(change.pid),
        "kind": change.kind,
        "is_new_member": change.is_new_member,
        "attributes": {
            attributes[number].name: {
                "before": before and texts.text(attributes[number], before.value),
                "after": after and texts.text(attributes[number], after.value),
            }
            for number, (before, after) in change.values.items()
        },
    }


def _shown(attribute: Attribute) -> str:
    """SQL: a profile's value as its text, of PII its token."""
    column = quote(attribute.column)
    return column if attribute.pii else plain(attribute, f"CAST({column} AS VARCHAR)")


def profile_id(pid: int) -> str:
    """A profile's public id: the upload and line of its first record."""
    return f"{pid >> 32}-{pid & 0xFFFFFFFF}"


def _owner(session: Session, public_id: str) -> int:
    """Whom the record that a public id names belongs to today."""
    upload, _, line = public_id.partition("-")
    is_id = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (upload, line))
    rid = (int(upload) << 32) + int(line) if is_id else -1
    found = session.value("SELECT pid FROM resolution WHERE rid = ?", [rid])
    if found is None:
        raise InputError(
            "There is no such profile (any more).",
            code="no_such_profile",
            hint="Its upload may have been undone. Look the person up by an identifier.",
        )
    return int(found)


def normal(attribute: Attribute, value: str, context: TypeContext) -> str:
    """A value as tokens are made of it; ValueError when it is none."""

    made = data_type(attribute.type).convert(pa.array([value.strip() or None], pa.string()), None, context)
    text = made.text[0].as_py()
    if text is None:
        raise ValueError
    return str(text)
