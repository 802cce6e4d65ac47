"""Mapping versions per source: never changed, only added; found again by header fingerprint."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError
from ingest_core.mapping.fingerprint import fingerprint
from ingest_core.models import ColumnMapping, Dialect, Mapping, Source


class Mappings:
    """The mappings of a workspace."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def all(self, source: Source) -> list[Mapping]:
        """Every version, newest first."""
        with self._engine.session() as session:
            rows = session.rows(
                "SELECT version, columns FROM mapping WHERE source_id = ? ORDER BY version DESC", [source.source_id]
            )
        return [_mapping(source.name, version, columns) for version, columns in rows]

    def current(self, source: Source) -> Mapping | None:
        """The newest version, or None."""
        versions = self.all(source)
        return versions[0] if versions else None

    def for_header(self, source: Source, columns: Sequence[str]) -> Mapping | None:
        """The newest version that was made for this header, or None."""
        with self._engine.session() as session:
            row = session.row(
                "SELECT version, columns FROM mapping WHERE source_id = ? AND fingerprint = ? "
                "ORDER BY version DESC LIMIT 1",
                [source.source_id, fingerprint(columns)],
            )
        return _mapping(source.name, *row) if row else None

    def for_table(self, source: Source, dialect: Dialect) -> Mapping | None:
        """The newest version for the columns of this file, or None.

        Where lines have a grammar of their own, no two files have the same columns: it is the newest one that maps the
        column they are found by.
        """
        if dialect.grammar is None:
            return self.for_header(source, dialect.columns)
        wanted = dialect.grammar.mapped_by
        fitting = (m for m in self.all(source) if any(c.column == wanted and c.attribute for c in m.columns))
        return next(fitting, None)

    def version(self, source: Source, version: int) -> Mapping:
        """One version. InputError ``no_such_mapping``."""
        for mapping in self.all(source):
            if mapping.version == version:
                return mapping
        raise InputError(
            "There is no such version of the mapping.", code="no_such_mapping", hint="See: mapping show --source NAME"
        )

    def save(self, source: Source, mapping: Mapping, columns: Sequence[str] | None = None) -> Mapping:
        """Adds a version, unless it says the same as the newest one for this header. ``columns``: the file's header."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            return save_mapping(session, source, mapping, columns, self._user)


def save_mapping(
    session: Session, source: Source, mapping: Mapping, columns: Sequence[str] | None, user: str
) -> Mapping:
    """As ``Mappings.save``, inside the caller's transaction: a load and its mapping are one."""
    mark = fingerprint(columns if columns is not None else list(dict.fromkeys(c.column for c in mapping.columns)))
    text = json.dumps([_stored(column) for column in mapping.columns], ensure_ascii=False)
    row = session.row(
        "SELECT version FROM mapping WHERE source_id = ? AND fingerprint = ? AND columns = ? AND version = "
        "(SELECT max(version) FROM mapping WHERE source_id = ?)",
        [source.source_id, mark, text, source.source_id],
    )
    if row:
        return _mapping(source.name, row[0], text)
    version = session.value("SELECT coalesce(max(version), 0) + 1 FROM mapping WHERE source_id = ?", [source.source_id])
    session.run("INSERT INTO mapping VALUES (?, ?, ?, ?, ?, ?)", [source.source_id, version, mark, text, now(), user])
    return _mapping(source.name, int(version), text)


def template(mapping: Mapping) -> str:
    """The header row of a tab-separated file that the mapping fits: the columns that it loads."""
    return "\t".join(column.column for column in mapping.columns if column.attribute) + "\n"


def changed_columns(before: Mapping, after: Mapping) -> dict[str, list[str]]:
    """How a version differs from a former one: {added, removed, changed}, the names of columns in file order."""
    old, new = ({column.column: column for column in mapping.columns} for mapping in (before, after))
    return {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and _stored(new[name]) != _stored(old[name])],
    }


def parse_mapping(text: str) -> Mapping:
    """A mapping file. InputError ``bad_mapping`` names the places that are wrong, never their contents."""
    from pydantic import ValidationError

    try:
        return Mapping.model_validate_json(text)
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in e["loc"]) or "the whole file" for e in error.errors()})
        raise InputError(
            f"The mapping file is not valid at: {', '.join(places[:5])}. Nothing was changed.",
            code="bad_mapping",
            hint="Start from what `mapping suggest` prints.",
            facts={"places": places},
        ) from None


def _stored(column: ColumnMapping) -> dict[str, object]:
    return column.model_dump(exclude={"confidence", "why"})


def _mapping(source: str, version: int, columns: str) -> Mapping:
    return Mapping(source=source, version=version, columns=tuple(ColumnMapping(**c) for c in json.loads(columns)))
