"""Writes the new values of one upload into the vault: staged as sealed pages while reading, kept once at the end.

A page whose values are all new is kept as it is; of the others only the new values are sealed again. A value that is
known already is not written. What is staged is ciphertext, so that a spilling step puts no PII on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from uuid import UUID

import numpy as np
import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.engine.steps import must_be
from ingest_core.vault.keys import Keyset
from ingest_core.vault.pages import SLOTS, seal, unseal

REJECTS = 0
"""The attribute id of pages that hold the text of rejected rows."""

PAGE_COLUMNS = "(page_id BIGINT, attribute_id INTEGER, key_version INTEGER, slots INTEGER, data BLOB)"
VALUE_COLUMNS = "(token UUID, attribute_id INTEGER, page_id BIGINT, slot INTEGER)"
_TABLES = tuple(
    f"CREATE OR REPLACE TEMP TABLE {prefix}_{name} {columns}"
    for prefix in ("stage", "repacked")
    for name, columns in (("page", PAGE_COLUMNS), ("value", VALUE_COLUMNS))
)

NO_FRESH = "CREATE OR REPLACE TEMP TABLE fresh_value (token UUID, attribute_id INTEGER, place BIGINT)"

FRESH = """INSERT INTO fresh_value
SELECT token, any_value(attribute_id) AS attribute_id, min(page_id << 16 | slot) AS place
FROM (SELECT * FROM stage_value WHERE token BETWEEN ?::UUID AND ?::UUID)
ANTI JOIN (SELECT token FROM vault_value WHERE token BETWEEN ?::UUID AND ?::UUID) AS known USING (token)
GROUP BY token"""
"""Values that are new, each once: run per range of tokens, so that memory stays bounded for any file."""

WHOLE_PAGES = """CREATE OR REPLACE TEMP TABLE fresh_page AS
SELECT place >> 16 AS page_id, count(*) AS fresh FROM fresh_value GROUP BY 1"""

KEEP_PAGES = """INSERT INTO vault_page
SELECT page.* FROM stage_page AS page JOIN fresh_page ON fresh_page.page_id = page.page_id
WHERE fresh_page.fresh = page.slots
UNION ALL
SELECT * FROM repacked_page"""

KEEP_VALUES = """INSERT INTO vault_value
SELECT fresh_value.token, fresh_value.attribute_id, place >> 16, place & 65535
FROM fresh_value
JOIN fresh_page ON fresh_page.page_id = place >> 16
JOIN stage_page ON stage_page.page_id = fresh_page.page_id AND stage_page.slots = fresh_page.fresh
UNION ALL
SELECT * FROM repacked_value"""

PARTIAL_VALUES = """CREATE OR REPLACE TEMP TABLE partial_value AS
SELECT fresh_value.token, page.attribute_id, fresh_value.place
FROM fresh_value
JOIN fresh_page ON fresh_page.page_id = fresh_value.place >> 16
JOIN stage_page AS page ON page.page_id = fresh_page.page_id
WHERE fresh_page.fresh < page.slots
ORDER BY page.attribute_id, fresh_value.place"""
"""In order, so that looking up a few pages reads a few rows, however many there are."""

PARTIAL_PAGES = "SELECT DISTINCT attribute_id, place >> 16 AS page_id FROM partial_value ORDER BY ALL"

SOME_PAGES = """SELECT page_id, key_version, data FROM stage_page
WHERE attribute_id = ? AND page_id BETWEEN ? AND ? AND page_id IN (SELECT unnest(?::BIGINT[])) ORDER BY page_id"""

SOME_VALUES = """SELECT token, place FROM partial_value
WHERE attribute_id = ? AND place BETWEEN ? AND ? ORDER BY place"""

_RANGE_VALUES = 4_000_000
_TOGETHER = 128
"""Partial pages opened at a time, and how many full pages of new values are sealed at a time."""


class PageWriter:
    """Seals values into staged pages of one session. Page ids are unique in the workspace: one writer at a time."""

    def __init__(self, session: Session, keyset: Keyset) -> None:
        self._session = session
        self._keyset = keyset
        self._next = int(session.value("SELECT coalesce(max(page_id), 0) + 1 FROM vault_page"))
        for sql in _TABLES:
            session.run(sql)
        self._pages = Collector(session, "stage_page")
        self._values = Collector(session, "stage_value")

    def add(self, attribute_id: int, tokens: pa.Array, values: pa.StringArray) -> None:
        """Stages distinct values and their tokens."""
        pages, first = self._seal(attribute_id, values)
        if not pages.num_rows:
            return
        self._pages.add(pages)
        self._values.add(value_rows(attribute_id, tokens, first))

    def seal_texts(self, texts: list[str]) -> tuple[pa.Table, np.ndarray, np.ndarray]:
        """Text of rejected rows → (pages as a table like ``vault_page``, page id and slot of each text)."""
        pages, first = self._seal(REJECTS, pa.array(texts, pa.string()))
        numbers = np.arange(len(texts))
        return pages, first + numbers // SLOTS, numbers % SLOTS

    def prepare(self) -> None:
        """Finds what is new and seals it apart where a page holds known values too; before the transaction begins.

        Not inside it: the engine keeps every Arrow table it was given alive until the transaction ends.
        """
        session = self._session
        self._pages.flush()
        self._values.flush()
        session.run(NO_FRESH)
        count = int(session.value("SELECT count(*) FROM stage_value"))
        for low, high in _ranges(count // _RANGE_VALUES + 1):
            session.run(FRESH, [low, high, low, high])
        session.run(WHOLE_PAGES)
        self._repack()
        self._pages.flush()
        self._values.flush()

    def keep(self) -> int:
        """Moves what is new into the vault, inside the upload's transaction; returns the number of values."""
        session = self._session
        session.run(KEEP_PAGES)
        kept = session.run(KEEP_VALUES) or 0
        must_be(kept, int(session.value("SELECT count(*) FROM fresh_value")), "vault values")
        return kept

    def _repack(self) -> None:
        self._session.run(PARTIAL_VALUES)
        self._pages = Collector(self._session, "repacked_page")
        self._values = Collector(self._session, "repacked_value")
        for attribute_id, pages in groupby(self._session.rows(PARTIAL_PAGES), key=itemgetter(0)):
            held: list[tuple[pa.Array, pa.Array]] = []
            ids = [page_id for _, page_id in pages]
            for start in range(0, len(ids), _TOGETHER):
                held += self._fresh_of(attribute_id, ids[start : start + _TOGETHER])
                if sum(len(values) for _, values in held) >= SLOTS * _TOGETHER:
                    self._reseal(attribute_id, held)
                    held = []
            if held:
                self._reseal(attribute_id, held)

    def _fresh_of(self, attribute_id: int, ids: list[int]) -> Iterator[tuple[pa.Array, pa.Array]]:
        """(tokens, values) of what is new on each of these staged pages."""
        first, last = ids[0], ids[-1]
        fresh = self._session.arrow(SOME_VALUES, [attribute_id, first << 16, last << 16 | 65535])
        tokens = fresh.column("token").combine_chunks()
        places = fresh.column("place").to_numpy()
        for page_id, version, data in self._session.rows(SOME_PAGES, [attribute_id, first, last, ids]):
            key = self._keyset.page_key(version)
            values = unseal(key, data, page_id=page_id, attribute_id=attribute_id, key_version=version)
            begin, end = np.searchsorted(places, [page_id << 16, (page_id + 1) << 16])
            yield tokens.slice(begin, end - begin), values.take(pa.array(places[begin:end] & 65535))

    def _reseal(self, attribute_id: int, held: list[tuple[pa.Array, pa.Array]]) -> None:
        values = pa.concat_arrays([values for _, values in held])
        tokens = pa.concat_arrays([_storage(token) for token, _ in held])
        pages, first = self._seal(attribute_id, values)
        self._pages.add(pages)
        self._values.add(value_rows(attribute_id, pa.ExtensionArray.from_storage(pa.uuid(), tokens), first))

    def _seal(self, attribute_id: int, values: pa.StringArray) -> tuple[pa.Table, int]:
        first = self._next
        parts = [values.slice(start, SLOTS) for start in range(0, len(values), SLOTS)]
        self._next += len(parts)
        return seal_pages(self._keyset, [(first + n, attribute_id, part) for n, part in enumerate(parts)]), first


def seal_pages(keyset: Keyset, pages: Sequence[tuple[int, int, pa.StringArray]]) -> pa.Table:
    """(page id, attribute id, values) of each page → rows of ``vault_page``, sealed by the primary key version."""
    key, version = keyset.page_key(keyset.primary), keyset.primary
    sealed = [
        seal(key, values, page_id=page_id, attribute_id=attribute_id, key_version=version)
        for page_id, attribute_id, values in pages
    ]
    return pa.table(
        {
            "page_id": pa.array([page_id for page_id, _, _ in pages], pa.int64()),
            "attribute_id": pa.array([attribute_id for _, attribute_id, _ in pages], pa.int32()),
            "key_version": pa.array([version] * len(pages), pa.int32()),
            "slots": pa.array([len(values) for _, _, values in pages], pa.int32()),
            "data": pa.array(sealed, pa.binary()),
        }
    )


def value_rows(attribute_id: int, tokens: pa.Array, first: int) -> pa.Table:
    """Where each token's value lies: pages are filled one after the other from page ``first``."""
    numbers = np.arange(len(tokens))
    return pa.table(
        {
            "token": tokens,
            "attribute_id": pa.array(np.full(len(tokens), attribute_id, np.int32)),
            "page_id": pa.array(first + numbers // SLOTS),
            "slot": pa.array((numbers % SLOTS).astype(np.int32)),
        }
    )


def _ranges(parts: int) -> list[tuple[str, str]]:
    """The token space cut into equal ranges, as texts of UUIDs (inclusive)."""
    cuts = [(1 << 128) * part // parts for part in range(parts + 1)]
    return [(str(UUID(int=low)), str(UUID(int=high - 1))) for low, high in pairwise(cuts)]


class Collector:
    """Gathers Arrow tables for one table of ours and writes them in few large pieces: half the cost of many small."""

    def __init__(self, session: Session, table: str, limit: int = 32 << 20) -> None:
        self._session = session
        self._table = table
        self._limit = limit
        self._held: list[pa.Table] = []
        self._bytes = 0

    def add(self, rows: pa.Table) -> None:
        """Holds ``rows``; writes when ``limit`` bytes are held."""
        if rows.num_rows == 0:
            return
        self._held.append(rows)
        self._bytes += rows.nbytes
        if self._bytes >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Writes what is held."""
        if self._held:
            append(self._session, self._table, pa.concat_tables(self._held))
        self._held, self._bytes = [], 0


def append(session: Session, table: str, rows: pa.Table) -> None:
    """Adds Arrow rows to a table of ours, column by name; a column that is not given is NULL."""
    names = [str(name) for name, *_ in session.rows(f"DESCRIBE {table}")]
    given = set(rows.column_names)
    empty = pa.nulls(rows.num_rows)
    session.insert(table, pa.table([rows[name] if name in given else empty for name in names], names=names))


def _storage(tokens: pa.Array) -> pa.Array:
    return tokens.storage if isinstance(tokens, pa.ExtensionArray) else tokens
