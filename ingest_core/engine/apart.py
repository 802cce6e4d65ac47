"""A database of its own for SQL that a person types: in memory, locked down like the workspace's, read-only for them.

It knows neither the workspace nor any file and spills nothing to disk. Beside it stands an empty twin with the same
tables: every statement is planned there first, so that what the engine says about a mistake can be shown. Its words
cannot hold a value, for there are none. What it says over the real rows is never shown (facts.md F8).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from ingest_core.engine.duck import _lock_down
from ingest_core.engine.names import quote
from ingest_core.engine.statement import Statement, check_statement, refused, said, wrong
from ingest_core.errors import InputError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_BATCH = 2_048  # rows; what the engine works on at a time
_IN_LISTS = {
    "boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint",
    "float", "double", "decimal", "varchar",
}  # fmt: skip
_TIMES = {"date", "time", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"}
_PLAIN = _IN_LISTS | _TIMES
"""Types that come as they are, as lists some of them do; all others come as their text.

Sums of whole numbers (HUGEINT) are among these: with 39 digits they are no valid number of Arrow.
"""


class Interrupted(Exception):
    """The statement was interrupted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of a result. Columns are r0, r1, …; ``names`` and ``types`` as the engine says them."""

    table: pa.Table
    names: tuple[str, ...]
    types: tuple[str, ...]
    is_cut: bool


class ApartDatabase:
    """One database and its empty twin. For one thread, but for ``interrupt``."""

    def __init__(self, memory_bytes: int, threads: int) -> None:
        self._full = _connect(f"{memory_bytes}B", threads)
        self._twin = _connect("128MB", 1)
        self._targets: dict[str, str] = {}
        self._names: list[str] = []

    def create(self, name: str, columns: Sequence[tuple[str, str]], *, is_open: bool = True) -> None:
        """A table of (column, SQL type); ``is_open``: people may name it. Types come from our own code."""
        defined = ", ".join(f"{quote(column)} {kind}" for column, kind in columns)
        for connection in (self._full, self._twin):
            connection.execute(f"CREATE TABLE {quote(name)} ({defined})")
        self._targets[name] = ", ".join(f"TRY_CAST({quote(column)} AS {kind})" for column, kind in columns)
        self._names += [name] * is_open

    def view(self, name: str, query: str) -> None:
        """A view that people may name; the query comes from our own code."""
        for connection in (self._full, self._twin):
            connection.execute(f"CREATE VIEW {quote(name)} AS {query}")
        self._names.append(name)

    def append(self, name: str, rows: pa.Table) -> None:
        """Rows for a table, with its column names; a value that does not fit its type becomes NULL.

        InputError ``sql_too_much_memory`` when the database is full.
        """
        with _boundary():
            self._full.register("incoming", rows)
            try:
                self._full.execute(f"INSERT INTO {quote(name)} SELECT {self._targets[name]} FROM incoming")
            finally:
                self._full.unregister("incoming")

    def ask(self, sql: str, most_rows: int, most_bytes: int) -> Answer:
        """The first rows of what a person asks.

        InputError ``sql_empty``, ``sql_wrong``, ``sql_no_table``, ``sql_not_allowed`` before anything ran;
        ``sql_failed``, ``sql_too_much_memory``, ``sql_too_large`` after. Raises ``Interrupted``.
        """
        statement = check_statement(self._twin, sql, self._names)
        self._plan(statement)
        with _boundary(), self._only_looking():
            relation = self._full.sql(statement.sql)
            names, types = tuple(relation.columns), tuple(str(kind) for kind in relation.types)
            batches, is_cut = _first(_as_shown(relation), most_rows, most_bytes)
        columns = [f"r{number}" for number in range(len(names))]
        return Answer(pa.Table.from_batches(batches).rename_columns(columns), names, types, is_cut)

    def whole(self, name: str) -> Iterator[pa.RecordBatch]:
        """All rows of one table, an empty batch first; finish it before the next statement."""
        with _boundary():
            reader = self._full.sql(f"FROM {quote(name)}").to_arrow_reader(_BATCH * 16)
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            yield from reader

    def interrupt(self) -> None:
        """Interrupts the statement that runs at this moment; from another thread. One about to begin is not hit."""
        for connection in (self._full, self._twin):
            connection.interrupt()

    def close(self) -> None:
        """Frees everything."""
        for connection in (self._full, self._twin):
            connection.close()

    def _plan(self, statement: Statement) -> None:
        """What the engine says about the statement where there is not one row."""
        try:
            self._twin.sql(statement.query)
        except duckdb.InterruptException:
            raise Interrupted from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise too_much_memory() from None
        except duckdb.Error as error:
            raise wrong(said(error)) from None

    @contextlib.contextmanager
    def _only_looking(self) -> Iterator[None]:
        self._full.execute("BEGIN TRANSACTION READ ONLY")
        try:
            yield
        finally:
            with contextlib.suppress(duckdb.Error):  # a failure has ended it
                self._full.execute("ROLLBACK")


def _connect(memory: str, threads: int) -> DuckDBPyConnection:
    """The lock-down of the workspace's own database, and beyond it no folder at all: nothing is ever spilled."""
    settings = dict(_lock_down(Path(), memory, threads, "0KB"))
    settings |= {"allowed_directories": "[]", "temp_directory": "''", "arrow_lossless_conversion": "false"}
    connection = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    for name, value in settings.items():  # their order is that of the list: the lock comes last
        connection.execute(f"SET {name} = {value}")
    return connection


def _as_shown(relation: DuckDBPyRelation) -> DuckDBPyRelation:
    """Columns of types that few programs know as text."""
    is_plain = [_is_plain(kind) for kind in relation.types]
    if all(is_plain):
        return relation
    shown = (f"#{at}" if plain else f"CAST(#{at} AS VARCHAR)" for at, plain in enumerate(is_plain, start=1))
    return relation.project(", ".join(shown))


def _is_plain(kind: Any) -> bool:
    return kind.id in _PLAIN or (kind.id == "list" and kind.children[0][1].id in _IN_LISTS)


def _first(relation: DuckDBPyRelation, most_rows: int, most_bytes: int) -> tuple[list[pa.RecordBatch], bool]:
    """(batches, whether there is more); the rest is never computed where the query allows it."""
    reader = relation.to_arrow_reader(_BATCH)
    batches = [pa.RecordBatch.from_pylist([], schema=reader.schema)]
    rows = size = 0
    try:
        for batch in reader:
            fitting = min(batch.num_rows, most_rows - rows, _fitting(batch, most_bytes - size))
            batches.append(batch.slice(0, fitting))
            rows, size = rows + fitting, size + batches[-1].nbytes
            if fitting < batch.num_rows:
                if rows == 0 and most_rows:
                    raise _too_large(most_bytes)
                return batches, True
    finally:
        reader.close()
    return batches, False


def _fitting(batch: pa.RecordBatch, size: int) -> int:
    """How many of the first rows have at most so many bytes."""
    low, high = 0, batch.num_rows
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if batch.slice(0, middle).nbytes <= size else (low, middle - 1)
    return low


@contextlib.contextmanager
def _boundary() -> Iterator[None]:
    """Failures over the rows, in our own words: the engine's may quote a value."""
    try:
        yield
    except duckdb.InterruptException:
        raise Interrupted from None
    except (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError):
        raise too_much_memory() from None
    except (duckdb.TransactionException, duckdb.PermissionException):
        raise refused("It does more than look") from None
    except (duckdb.FatalException, duckdb.InternalException):
        raise  # the database is lost: whoever holds it makes a new one
    except duckdb.ConversionException:
        raise _failed("a value does not fit the type it is turned into", "TRY_CAST makes it NULL instead.") from None
    except duckdb.OutOfRangeException:
        raise _failed("a number left the range of its type", "Turn it into a DOUBLE first.") from None
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        if str(error).startswith("INTERRUPT"):  # what Arrow makes of it
            raise Interrupted from None
        if str(error).startswith("Out of Memory"):
            raise too_much_memory() from None
        raise _failed("the engine refused a step of it over the rows", "Try it in smaller parts.") from None


def _failed(why: str, hint: str) -> InputError:
    return InputError(f"The query failed: {why}.", code="sql_failed", hint=hint)


def too_much_memory() -> InputError:
    """What is told where the memory of Explore ends."""
    return InputError(
        "The query needs more memory than Explore may use. Nothing was changed.",
        code="sql_too_much_memory",
        hint="Ask for fewer rows or columns, or raise explore_memory_bytes in the settings.",
    )


def _too_large(size: int) -> InputError:
    return InputError(
        f"One row of the result has more than {size:,} bytes.",
        code="sql_too_large",
        hint="Ask for fewer columns, or for parts of the texts with left(…).",
    )
