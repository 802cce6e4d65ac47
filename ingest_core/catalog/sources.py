"""Offline data sources: created, listed, changed, archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import phonenumbers

from ingest_core.catalog.addresses import check_addresses
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Source, SourceKind, SourceSettings

_SELECT = """
SELECT source_id, name, kind, description, dpid, id_type, inbound_id_type, owner, id_attribute, id_placement,
       settings, created_at, archived_at
FROM source
"""

FIELDS = ("kind", "dpid", "id_type", "inbound_id_type", "owner", "id_attribute", "id_placement")
"""What a source says of its files and ids beside name, description and settings."""

_FREE_TEXT = ("description", "id_placement", "recipients")
"""What people write as they like: the audit log says that it changed, not to what."""

Guard = Callable[[Session, Source, Source], None]
"""Before → after, in the transaction of the change: raises when it must not be."""


class Sources:
    """The sources of a workspace. Names are unique without regard to case."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def list(self, *, include_archived: bool = False) -> list[Source]:
        """All sources by name."""
        where = "" if include_archived else "WHERE archived_at IS NULL"
        with self._engine.session() as session:
            return [_source(row) for row in session.records(f"{_SELECT} {where} ORDER BY lower(name)")]

    def get(self, key: int | str) -> Source:
        """By id or name (exact case first). InputError ``no_such_source``."""
        field = "source_id = ?" if isinstance(key, int) else "lower(name) = lower(?)"
        with self._engine.session() as session:
            found = session.records(f"{_SELECT} WHERE {field} ORDER BY name = ? DESC", [key, str(key)])
        if not found:
            raise InputError(
                "There is no such source. Nothing was changed.",
                code="no_such_source",
                hint="See the names with: source list",
            )
        return _source(found[0])

    def add(
        self,
        name: str,
        *,
        kind: SourceKind = "customer",
        description: str = "",
        dpid: int | None = None,
        id_type: str | None = None,
        inbound_id_type: str | None = None,
        owner: str | None = None,
        id_attribute: str | None = None,
        id_placement: str | None = None,
        settings: SourceSettings | None = None,
    ) -> Source:
        """Creates a source. StateError ``source_exists``, ``dpid_taken``; InputError ``bad_name``, ``bad_dpid``."""
        name = check_name(name, "a source")
        check_dpid(dpid)
        settings = check_settings(settings or SourceSettings())
        with self._engine.write, self._engine.session() as session, session.transaction():
            self._refuse_taken(session, name, None)
            _refuse_taken_dpid(session, dpid, None)
            source_id = session.value("SELECT coalesce(max(source_id), 0) + 1 FROM source")
            session.run(
                "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [
                    source_id, name, kind, description.strip(), dpid, id_type, inbound_id_type, owner, id_attribute,
                    id_placement, settings.model_dump_json(), now(), self._user,
                ],
            )  # fmt: skip
        return self.get(int(source_id))

    def update(
        self,
        source_id: int,
        *,
        name: str | None = None,
        description: str | None = None,
        settings: SourceSettings | None = None,
        fields: Mapping[str, Any] | None = None,
        guard: Guard = lambda session, before, after: None,
    ) -> Source:
        """Changes what is given; the rest stays. Is on the audit log.

        ``fields``: of ``FIELDS``, None takes one away; whether their values fit together is the guard's. Raises as
        ``add`` and ``guard`` do.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            current = self.get(source_id)
            given: dict[str, Any] = {name: value for name, value in (fields or {}).items() if name in FIELDS}
            if name is not None:
                given["name"] = check_name(name, "a source")
            if description is not None:
                given["description"] = description.strip()
            if settings is not None:
                given["settings"] = check_settings(settings)
            changed = current.model_copy(update=given)
            check_dpid(changed.dpid)
            self._refuse_taken(session, changed.name, source_id)
            if changed.dpid != current.dpid:
                _refuse_taken_dpid(session, changed.dpid, source_id)
            guard(session, current, changed)
            detail = _changes(current, changed)
            if detail:
                self._write(session, changed)
                write_audit(session, self._user, "change source", changed.name, detail)
        return self.get(source_id)

    def _write(self, session: Session, source: Source) -> None:
        columns = ("name", "description", *FIELDS)
        session.run(
            f"UPDATE source SET {', '.join(f'{column} = ?' for column in columns)}, settings = ? WHERE source_id = ?",
            [*(getattr(source, column) for column in columns), source.settings.model_dump_json(), source.source_id],
        )

    def archive(self, source_id: int, *, is_archived: bool = True) -> None:
        """Hides a source from lists; its profiles and history stay. Archiving twice changes nothing."""
        with self._engine.write, self._engine.session() as session:
            session.run(
                "UPDATE source SET archived_at = ? WHERE source_id = ?", [now() if is_archived else None, source_id]
            )

    def _refuse_taken(self, session: Any, name: str, but: int | None) -> None:
        taken = session.value(
            "SELECT source_id FROM source WHERE lower(name) = lower(?) AND source_id IS DISTINCT FROM ?", [name, but]
        )
        if taken is not None:
            raise StateError(
                "A source of this name exists already. Nothing was created.",
                code="source_exists",
                hint="Use the existing source or choose another name.",
            )


def sources_now(session: Session) -> list[Source]:
    """All sources that are not archived, as this session sees them."""
    return [_source(row) for row in session.records(f"{_SELECT} WHERE archived_at IS NULL ORDER BY lower(name)")]


def check_dpid(dpid: int | None) -> None:
    """InputError ``bad_dpid``."""
    if dpid is not None and not 0 < dpid < 10**10:
        raise InputError(
            "A DPID is a positive number of at most ten digits. Nothing was changed.",
            code="bad_dpid",
            hint="Use the data provider id that Audience Manager shows.",
        )


def _refuse_taken_dpid(session: Session, dpid: int | None, but: int | None) -> None:
    """Archived sources keep theirs: they may come back."""
    sql = "SELECT name FROM source WHERE dpid = ? AND source_id IS DISTINCT FROM ?"
    taken = None if dpid is None else session.value(sql, [dpid, but])
    if taken is not None:
        raise StateError(
            f"The source {taken} has this DPID already. Nothing was changed.",
            code="dpid_taken",
            hint="Use that source, or choose another DPID.",
        )


def check_settings(settings: SourceSettings) -> SourceSettings:
    """Settings as they are kept. InputError ``bad_country`` (no ISO code that has phone numbers), ``bad_address``."""
    country = settings.phone_country
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        raise InputError(
            "The phone country is not a known country code. Nothing was changed.",
            code="bad_country",
            hint="Use two capital letters, such as IN or DE.",
        )
    if not settings.recipients:
        return settings
    return settings.model_copy(update={"recipients": check_addresses(settings.recipients)})


def _changes(before: Source, after: Source) -> dict[str, Any]:
    """Name → {before, after} of what differs, settings by their own names."""
    flat = [
        {
            **one.model_dump(mode="json", include={"name", "description", *FIELDS}),
            **one.settings.model_dump(mode="json"),
        }
        for one in (before, after)
    ]
    return {
        name: "changed" if name in _FREE_TEXT else {"before": flat[0][name], "after": value}
        for name, value in flat[1].items()
        if value != flat[0][name]
    }


def _source(record: dict[str, Any]) -> Source:
    settings = SourceSettings.model_validate_json(record.pop("settings"))
    return Source(settings=settings, **record)
