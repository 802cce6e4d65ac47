"""What a person may ask the engine: one statement that only looks at the tables it was given.

Statement types do not tell: the engine takes ``WITH x AS (COPY … TO …) SELECT 1`` for a SELECT. So its own parser says
what the statement is made of, and every part must be known here; what is not known is refused. This is the first of
three walls. The connection behind it is locked down, and the process around it can open nothing.
"""

from __future__ import annotations

import json
import string
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from ingest_core.errors import InputError

LONGEST = 100_000  # characters

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLES = {"SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT"}  # beside those that are looked at more closely
_MODIFIERS = {"ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"}
_ORDERS = {"ORDER_DEFAULT", "ASCENDING", "DESCENDING"}
_KNOWN = _QUERIES | _TABLES | _MODIFIERS | _ORDERS
_EXPRESSIONS = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "DEFAULT", "FUNCTION",
    "LAMBDA", "LAMBDA_REF", "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
}  # fmt: skip

TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "json_each", "json_tree"}
"""All that may stand in FROM: no function that reads files, runs text as SQL, or tells of the engine or the machine."""

_REFUSED_FUNCTIONS = {
    "current_setting", "getenv", "getvariable", "write_log", "parse_duckdb_log_message",  # of the engine
    "json_serialize_plan", "json_deserialize_sql", "nextval", "currval", "setval",
    "to_aggregate_state", "finalize", "combine", "combine_aggr", "index_key",  # take bytes for their own inner state
    "variant_bytes_to_variant",
}  # fmt: skip
_INNER = "__internal"

_INFORMATION = {("information_schema", "tables"), ("information_schema", "columns")}
_SHOWN = {'"tables"'}  # SHOW TABLES
_IN_PATHS = set("./\\:*?[~")
_UPPER_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # as the engine compares names


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may run. ``explain`` is how it asks for its plan instead of its rows: "", EXPLAIN, …"""

    query: str
    explain: str = ""

    @property
    def sql(self) -> str:
        return f"{self.explain} {self.query}" if self.explain else self.query


def check_statement(connection: duckdb.DuckDBPyConnection, sql: str, tables: Collection[str]) -> Statement:
    """The one statement of this text. InputError ``sql_empty``, ``sql_wrong``, ``sql_not_allowed``, ``sql_no_table``.

    ``connection`` parses and needs no tables; ``tables`` are those that may be named.
    """
    if len(sql) > LONGEST:
        raise refused(f"It is longer than {LONGEST:,} characters")
    statement = _single(connection, sql)
    parsed = _parse(connection, statement.query)
    _Walk(connection, tables).check(parsed)
    return statement


def refused(why: str) -> InputError:
    """The error for a statement that does more than look."""
    return InputError(
        f"This statement is not run here: {why}.",
        code="sql_not_allowed",
        hint="Explore answers one SELECT, DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN over its own tables.",
    )


def wrong(text: str) -> InputError:
    """The error for a text that is no SQL, or names what is not there. ``text`` must hold no value of a table."""
    shown = " ".join(text.split())
    shown = "".join(sign for sign in shown if sign.isprintable())
    shown = shown if len(shown) <= 400 else shown[:399] + "…"
    return InputError(
        f"The query is not understood: {shown.rstrip('.')}.", code="sql_wrong", hint="Correct it and run it again."
    )


def said(error: duckdb.Error) -> str:
    """The engine's sentence without its kind and without the line it points at."""
    text = str(error).partition("\n\nLINE ")[0]
    kind, _, rest = text.partition("Error: ")
    return rest if rest and len(kind) < 40 else text


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    try:
        sql.encode()
        found = connection.extract_statements(sql)
    except UnicodeError:
        raise wrong("it holds characters that are no text") from None
    except duckdb.Error as error:
        raise wrong(said(error)) from None
    if not found:
        raise InputError("There is no query to run.", code="sql_empty", hint="Such as SELECT * FROM file LIMIT 10")
    if len(found) > 1:
        raise refused("There is more than one statement")
    kind = found[0].type
    if kind == duckdb.StatementType.SELECT:
        return Statement(found[0].query)
    if kind == duckdb.StatementType.EXPLAIN:
        return _explained(found[0].query)
    if kind == duckdb.StatementType.MULTI:
        raise refused("PIVOT has to name its values, as in PIVOT t ON a IN (1, 2)")
    raise refused(f"{kind.name} does more than look")


def _explained(query: str) -> Statement:
    """EXPLAIN or EXPLAIN ANALYZE and the query after it, told apart by the engine's own words and places."""
    data = query.encode()
    places = [place for place, kind in duckdb.tokenize(query) if kind != duckdb.token_type.comment]
    words = [data[begin:end].split(None, 1)[0].upper() for begin, end in zip(places, [*places[1:], None], strict=True)]
    if words[:2] == [b"EXPLAIN", b"ANALYZE"]:
        return Statement(data[places[2] :].decode(), "EXPLAIN ANALYZE")
    if words[:1] == [b"EXPLAIN"] and words[1:2] != [b"("]:
        return Statement(data[places[1] :].decode(), "EXPLAIN")
    raise refused("EXPLAIN is run here without options")


def _parse(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    try:
        row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
        parsed = json.loads(row[0] if row else "{}")
    except (duckdb.Error, RecursionError):
        raise refused("It is nested too deeply") from None
    if parsed.get("error") is not False:
        raise refused("It does more than look") from None
    if len(parsed["statements"]) != 1:
        raise refused("There is more than one statement")
    root: dict[str, Any] = parsed["statements"][0]
    return root


class _Walk:
    """Looks at every part of a parsed query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
        self._connection = connection
        self._tables = {_folded(name): name for name in tables}
        self._named: set[str] = set()  # by WITH

    def check(self, root: dict[str, Any]) -> None:
        """InputError ``sql_not_allowed`` unless every part is allowed."""
        self._named = {_folded(entry["key"]) for part in _parts(root) for entry in _entries(part)}
        taken = {name for name in self._named if name in self._system_tables() or set(name) & _IN_PATHS}
        if taken:  # outside the reach of its WITH the name would mean something else
            raise refused(f"WITH gives a name that it may not give, {min(taken)[:100]!r}")
        for part in _parts(root):
            self._part(part)

    def _part(self, part: dict[str, Any]) -> None:
        kind = part.get("class")
        if kind is not None:
            self._expression(str(kind), part)
            return
        kind = part.get("type")
        if not isinstance(kind, str) or kind in _KNOWN:
            return
        if kind == "BASE_TABLE":
            self._table(part)
        elif kind == "TABLE_FUNCTION":
            self._table_function(part)
        elif kind == "SHOW_REF":
            self._show(part)
        else:
            raise refused(f"{kind.removesuffix('_QUERY_NODE').replace('_', ' ')} does more than look")

    def _expression(self, kind: str, part: dict[str, Any]) -> None:
        if kind not in _EXPRESSIONS:
            raise refused(f"Explore does not know {kind.replace('_', ' ')}")
        name = _folded(str(part.get("function_name", "")))
        if name in _REFUSED_FUNCTIONS or name.startswith(_INNER):
            raise refused(f"The function {name} tells of more than the tables")

    def _table(self, part: dict[str, Any]) -> None:
        path = [_folded(name) for name in part["qualified_name"]["path"]]
        if part.get("at_clause") is not None:
            raise refused("AT asks for another version of a table")
        is_own = path[-1] in self._tables and path[:-1] in ([], ["main"])
        is_named = len(path) == 1 and path[0] in self._named
        if not is_own and not is_named and tuple(path) not in _INFORMATION:
            raise _no_table(path[-1], self._tables.values())

    def _table_function(self, part: dict[str, Any]) -> None:
        path = [_folded(name) for name in part["function"]["qualified_name"]["path"]]
        if len(path) != 1 or path[0] not in TABLE_FUNCTIONS:
            raise refused(f"FROM {path[-1]}(…) reads something else than the tables")

    def _show(self, part: dict[str, Any]) -> None:
        name = _folded(part["table_name"])
        if part["query"] is None and name not in _SHOWN and name not in self._tables:
            raise refused("SHOW tells the tables here, and nothing else")

    def _system_tables(self) -> set[str]:
        rows = self._connection.execute("SELECT view_name FROM duckdb_views() WHERE internal").fetchall()
        return {_folded(name) for (name,) in rows}


def _no_table(name: str, tables: Collection[str]) -> InputError:
    return InputError(
        f"There is no table {name[:100]!r} here.",
        code="sql_no_table",
        hint=f"There are: {', '.join(sorted(tables))}." if tables else "There are no tables.",
    )


def _parts(root: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document; without recursion, for a query may be nested deeply."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _entries(part: dict[str, Any]) -> list[dict[str, Any]]:
    """What WITH names here."""
    named = part.get("cte_map")
    return named["map"] if isinstance(named, dict) else []


def _folded(name: str) -> str:
    return name.translate(_UPPER_TO_LOWER)
