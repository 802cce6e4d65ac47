"""Keeps rows visible where DuckDB 2.0.0 hides them.

With more than one thread, an INSERT … SELECT (or CREATE TABLE … AS) of no row, followed in the same transaction by one
of a whole row group (122,880 rows) or more into the same table, leaves rows that no scan finds, while ``count(*)``
counts them. A row in between, deleted at once, prevents it; so such a table gets one before it is filled again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingest_core.engine.names import quote

_FILLS = re.compile(r'\s*(?:INSERT\s+INTO|CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+)?TABLE)\s+"?(\w+)"?', re.IGNORECASE)
_COLUMNS = """
SELECT column_name, data_type, is_nullable FROM duckdb_columns()
WHERE table_name = ? AND database_name IN (current_database(), 'temp') ORDER BY column_index"""
_SOMETHING = {
    "UUID": "'00000000-0000-0000-0000-000000000000'",
    "VARCHAR": "''",
    "BLOB": "''",
    "BOOLEAN": "false",
    "DATE": "'2000-01-01'",
    "TIMESTAMP": "'2000-01-01'",
}

Rows = Callable[[str, Sequence[object]], list[tuple[object, ...]]]


class Hollow:
    """The tables of one session's transaction that a statement filled with no row."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._tables: set[str] = set()
        self._is_open = False

    def before(self, sql: str) -> str | None:
        """Prepares the table that ``sql`` fills, if it does; returns its name."""
        word = sql[:8].upper()
        if word.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            self._is_open = word.startswith("BEGIN")
            self._tables.clear()
            return None
        found = _FILLS.match(sql) if self._is_open else None
        if found is None:
            return None
        table = found.group(1)
        if table in self._tables and sql.lstrip()[:6].upper() != "CREATE":
            self._fill(table)
        return table

    def after(self, table: str | None, count: int | None) -> None:
        """Notes how many rows came."""
        if table is None:
            return
        if count == 0:
            self._tables.add(table)
        else:
            self._tables.discard(table)

    def _fill(self, table: str) -> None:
        values = [
            "NULL" if is_nullable else f"CAST({_something(str(kind))} AS {kind})"
            for _, kind, is_nullable in self._rows(_COLUMNS, [table])
        ]
        self._rows(f"INSERT INTO {quote(table)} VALUES ({', '.join(values)})", ())
        self._rows(f"DELETE FROM {quote(table)} WHERE rowid = (SELECT max(rowid) FROM {quote(table)})", ())
        self._tables.discard(table)


def _something(kind: str) -> str:
    """SQL: some value of a type."""
    return "[]" if kind.endswith("[]") else _SOMETHING.get(kind, "0")
