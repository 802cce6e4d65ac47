"""Queries to start from, made of the tables and columns that are really there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.engine import quote
from ingest_core.explore.material import TableInfo
from ingest_core.explore.notebooks import Cell, Chart

SHOWN = 100
BARS = 20
_TIMES = ("DATE", "TIMESTAMP")
_NUMBERS = ("BIGINT", "DECIMAL", "DOUBLE", "INTEGER", "HUGEINT")


@dataclass(frozen=True, slots=True)
class Starter:
    """A query with the question it answers."""

    title: str
    cell: Cell


def starters(tables: Sequence[TableInfo]) -> list[Starter]:
    """Questions about the data as a whole."""
    by_name = {table.name: table for table in tables}
    if "typed" in by_name:
        return _of_file(by_name)
    return _of_profiles(by_name) if "profiles" in by_name else []


def main_table(tables: Sequence[TableInfo]) -> TableInfo | None:
    """The table whose columns a person asks about first: with types where there are any."""
    by_name = {table.name: table for table in tables}
    return by_name.get("typed") or by_name.get("profiles")


def column_starters(tables: Sequence[TableInfo], column: str) -> list[Starter]:
    """Questions about one column of the main table; none when it has no such column."""
    table = main_table(tables)
    kinds = dict(table.columns) if table else {}
    if table is None or column not in kinds:
        return []
    kind, name, own = kinds[column], quote(column), quote(table.name)
    if kind.endswith("[]"):
        each = f"SELECT unnest({name}) AS value\n    FROM {own}"
        return [_starter("Rows per value", f"SELECT value, count(*) AS rows\nFROM (\n    {each}\n)\n{_RANKED}")]
    found = [_starter("Rows per value", f"SELECT {name}, count(*) AS rows\nFROM {own}\n{_RANKED}")]
    if kind.startswith(_TIMES):
        found.append(_per_month(own, name))
    if kind.startswith(_NUMBERS):
        found += [_spread(own, name), _range(own, name)]
    found += [_repeated(table, own, name), _blank(own, name)]
    if table.name == "typed" and kind != "VARCHAR" and column != table.columns[-1][0]:
        found.append(_not_fitting(table, name))
    return found


_RANKED = f"GROUP BY 1\nORDER BY 2 DESC, 1\nLIMIT {SHOWN}"


def _of_file(tables: dict[str, TableInfo]) -> list[Starter]:
    line = quote(tables["file"].columns[-1][0])
    found = [
        _starter("First rows", f"SELECT *\nFROM typed\nLIMIT {SHOWN}", Chart()),
        _filled("Filled share of every column", "typed", line),
        _starter(
            "Rows that stand there twice",
            f"SELECT count(*) AS times, min({line}) AS first_line, max({line}) AS last_line, * EXCLUDE ({line})\n"
            f"FROM file\nGROUP BY ALL\nHAVING count(*) > 1\nORDER BY times DESC\nLIMIT {SHOWN}",
        ),
    ]
    if tables["rejects"].rows:
        found.append(
            _starter(
                "Lines that are no row, by reason",
                "SELECT title, count(*) AS lines\nFROM rejects\nGROUP BY 1\nORDER BY 2 DESC, 1",
            )
        )
    return found


def _of_profiles(tables: dict[str, TableInfo]) -> list[Starter]:
    *_, sources = tables["profiles"].columns
    identity = quote(tables["profiles"].columns[0][0])
    return [
        _starter("First profiles", f"SELECT *\nFROM profiles\nLIMIT {SHOWN}", Chart()),
        _filled("Filled share of every attribute", "profiles", f"{identity}, {quote(sources[0])}"),
        _starter(
            "Profiles per source",
            f"SELECT source, count(*) AS profiles\nFROM (\n    SELECT unnest({quote(sources[0])}) AS source\n"
            "    FROM profiles\n)\nGROUP BY 1\nORDER BY 2 DESC, 1",
        ),
        _starter(
            "Rejected share of each upload",
            "SELECT created_at, source, lines, rejected / nullif(lines - blank, 0) AS rejected_share\n"
            "FROM uploads\nWHERE status = 'Completed'\nORDER BY created_at",
            Chart(kind="line", x="created_at", y="rejected_share", colour="source"),
        ),
        _starter("Segments by size", "SELECT name, count\nFROM segments\nORDER BY count DESC"),
    ]


def _starter(title: str, sql: str, chart: Chart | None = None) -> Starter:
    return Starter(title, Cell(sql=sql, chart=chart))


def _filled(title: str, table: str, without: str) -> Starter:
    sql = (
        "FROM (\n    UNPIVOT (\n        SELECT count(COLUMNS(*)) / count(*)\n"
        f"        FROM (SELECT * EXCLUDE ({without}) FROM {table})\n"
        '    )\n    ON COLUMNS(*)\n    INTO NAME "column" VALUE filled_share\n)\nORDER BY filled_share DESC'
    )
    return _starter(title, sql, Chart(kind="bar", x="column", y="filled_share"))


def _per_month(table: str, column: str) -> Starter:
    sql = (
        f"SELECT date_trunc('month', {column}) AS month, count(*) AS rows\nFROM {table}\n"
        f"WHERE {column} IS NOT NULL\nGROUP BY 1\nORDER BY 1"
    )
    return _starter("Rows per month", sql)


def _spread(table: str, column: str) -> Starter:
    """Equally wide steps over the whole column: a chart of rows would show the first ones only."""
    sql = (
        f"WITH reach AS (\n    SELECT min({column}) AS low, (max({column}) - min({column})) / {BARS} AS step\n"
        f"    FROM {table}\n)\n"
        f"SELECT low + step * least(floor(({column} - low) / nullif(step, 0)), {BARS - 1}) AS from_value,\n"
        f"    count(*) AS rows\nFROM {table}, reach\nWHERE {column} IS NOT NULL\nGROUP BY 1\nORDER BY 1"
    )
    return _starter("Spread of the values", sql, Chart(kind="bar", x="from_value", y="rows"))


def _range(table: str, column: str) -> Starter:
    sql = (
        f"SELECT min({column}) AS smallest, median({column}) AS middle, avg({column}) AS mean,\n"
        f"    max({column}) AS largest, count({column}) AS filled\nFROM {table}"
    )
    return _starter("Smallest, middle, largest", sql)


def _repeated(table: TableInfo, own: str, column: str) -> Starter:
    line = quote(table.columns[-1][0])
    lines = f", min({line}) AS first_line, max({line}) AS last_line" if table.name == "typed" else ""
    sql = (
        f"SELECT {column}, count(*) AS rows{lines}\nFROM {own}\nWHERE {column} IS NOT NULL\n"
        f"GROUP BY 1\nHAVING count(*) > 1\nORDER BY 2 DESC, 1\nLIMIT {SHOWN}"
    )
    return _starter("Values that occur more than once", sql, Chart())


def _blank(table: str, column: str) -> Starter:
    return _starter("Rows without a value", f"SELECT *\nFROM {table}\nWHERE {column} IS NULL\nLIMIT {SHOWN}", Chart())


def _not_fitting(table: TableInfo, column: str) -> Starter:
    line = quote(table.columns[-1][0])
    sql = (
        f"SELECT file.{line}, file.{column}\nFROM file\nJOIN typed USING ({line})\n"
        f"WHERE typed.{column} IS NULL AND trim(file.{column}) <> ''\nORDER BY 1\nLIMIT {SHOWN}"
    )
    return _starter("Cells that do not fit the type", sql, Chart())
