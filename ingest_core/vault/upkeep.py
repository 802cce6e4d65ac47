"""Upkeep of stored pages: values that nobody holds are dropped, pages of an old key version are sealed again.

Pages never change in place: a batch of them is opened, sealed anew and exchanged in one transaction, so that a kill
between two batches leaves a whole vault. Both need the writers' lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import ignore_progress, must_be
from ingest_core.models import Progress
from ingest_core.vault.keys import Keyset
from ingest_core.vault.pages import SLOTS, unseal
from ingest_core.vault.writing import append, seal_pages, value_rows

Batch = list[int]
"""Ids of pages that are opened together."""

_BATCH_BYTES = 32 << 20

_NO_DEAD = "CREATE OR REPLACE TEMP TABLE dead_value (attribute_id INTEGER, page_id BIGINT, slot INTEGER)"

_DEAD = """INSERT INTO dead_value
SELECT value.attribute_id, value.page_id, value.slot FROM vault_value AS value
ANTI JOIN record ON record.{column} = value.token
ANTI JOIN profile ON profile.{column} = value.token
WHERE value.attribute_id = ?"""

_DEAD_PAGES = """CREATE OR REPLACE TEMP TABLE dead_page AS
SELECT page.page_id FROM vault_page AS page
JOIN (SELECT page_id, count(*) AS dead FROM dead_value GROUP BY page_id) AS counted USING (page_id)
WHERE counted.dead = page.slots"""

_TOUCHED = """SELECT page_id, octet_length(data) FROM vault_page
WHERE attribute_id = ? AND page_id IN (SELECT page_id FROM dead_value ANTI JOIN dead_page USING (page_id))
ORDER BY page_id"""

_LIVING = """SELECT token, page_id, slot FROM vault_value
ANTI JOIN dead_value USING (page_id, slot)
WHERE page_id IN (SELECT unnest(?::BIGINT[])) ORDER BY page_id, slot"""

_PAGES = """SELECT page_id, attribute_id, key_version, data FROM vault_page
WHERE page_id IN (SELECT unnest(?::BIGINT[])) ORDER BY page_id"""

_FORGET = "DELETE FROM {table} WHERE page_id IN (SELECT unnest(?::BIGINT[]))"


def find_dead(session: Session, columns: dict[int, str]) -> int:
    """Lists the values that no row of log or profile holds; returns how many. ``columns``: PII attribute → column."""
    session.run(_NO_DEAD)
    for attribute_id, column in columns.items():
        session.run(_DEAD.format(column=quote(column)), [attribute_id])
    session.run(_DEAD_PAGES)
    return int(session.value("SELECT count(*) FROM dead_value"))


def find_dead_among(session: Session, columns: dict[int, str], table: str) -> int:
    """As ``find_dead``, among the values of a table (token) only: a few of many."""
    session.run(_NO_DEAD)
    for attribute_id, column in columns.items():
        narrowed = f" AND value.token IN (SELECT token FROM {quote(table)})"
        session.run(_DEAD.format(column=quote(column)) + narrowed, [attribute_id])
    session.run(_DEAD_PAGES)
    return int(session.value("SELECT count(*) FROM dead_value"))


def drop_dead(session: Session, keyset: Keyset, columns: dict[int, str]) -> None:
    """Drops the values that were listed as dead, all inside the caller's transaction."""
    drop_dead_pages(session)
    for attribute_id, batch in touched_batches(session, columns):
        _exchange(session, keyset, attribute_id, batch)


def blank_texts(session: Session, keyset: Keyset, places: Sequence[tuple[int, int]]) -> None:
    """Exchanges pages of rejected rows for the same ones with these texts (page id, slot) empty, as ``drop_dead``."""
    slots: dict[int, set[int]] = {}
    for page_id, slot in places:
        slots.setdefault(page_id, set()).add(slot)
    for batch in _batches([(page_id, _BATCH_BYTES // 8) for page_id in sorted(slots)]):
        made = [
            (page_id, attribute_id, _without(values, slots[page_id]))
            for page_id, attribute_id, values in _opened(session, keyset, batch)
        ]
        must_be(session.run(_FORGET.format(table="vault_page"), [batch]) or 0, len(made), "vault pages")
        append(session, "vault_page", seal_pages(keyset, made))


def _without(values: pa.StringArray, slots: set[int]) -> pa.StringArray:
    return pa.array([("" if n in slots else text) for n, text in enumerate(values.to_pylist())], pa.string())


def drop_dead_pages(session: Session) -> int:
    """Drops pages without a living value, inside the caller's transaction; returns how many."""
    session.run("DELETE FROM vault_value WHERE page_id IN (SELECT page_id FROM dead_page)")
    return session.run("DELETE FROM vault_page WHERE page_id IN (SELECT page_id FROM dead_page)") or 0


def touched_batches(session: Session, columns: dict[int, str]) -> list[tuple[int, Batch]]:
    """(attribute id, pages that hold living and dead values)."""
    return [
        (attribute_id, batch) for attribute_id in columns for batch in _batches(session.rows(_TOUCHED, [attribute_id]))
    ]


def keep_living(session: Session, keyset: Keyset, attribute_id: int, batch: Batch) -> None:
    """Exchanges pages for new ones that hold their living values only, in a transaction of its own."""
    with session.transaction():
        _exchange(session, keyset, attribute_id, batch)


def _exchange(session: Session, keyset: Keyset, attribute_id: int, batch: Batch) -> None:
    living = session.arrow(_LIVING, [batch])
    pages = living.column("page_id").to_numpy()
    parts = []
    for page_id, _, values in _opened(session, keyset, batch):
        begin, end = np.searchsorted(pages, [page_id, page_id + 1])
        parts.append(values.take(living.column("slot").slice(begin, end - begin).combine_chunks()))
    values = pa.concat_arrays(parts)
    must_be(len(values), living.num_rows, "living vault values")
    first = int(session.value("SELECT max(page_id) + 1 FROM vault_page"))
    starts = range(0, len(values), SLOTS)
    made = seal_pages(keyset, [(first + n, attribute_id, values.slice(start, SLOTS)) for n, start in enumerate(starts)])
    for table in ("vault_value", "vault_page"):
        session.run(_FORGET.format(table=table), [batch])
    append(session, "vault_page", made)
    append(session, "vault_value", value_rows(attribute_id, living.column("token").combine_chunks(), first))


def stale_batches(session: Session, version: int) -> list[Batch]:
    """Pages that another key version than this one sealed."""
    sql = "SELECT page_id, octet_length(data) FROM vault_page WHERE key_version <> ? ORDER BY page_id"
    return list(_batches(session.rows(sql, [version])))


def reseal(session: Session, keyset: Keyset, batch: Batch) -> None:
    """Exchanges pages for the same ones, sealed by the primary key version."""
    opened = [(page_id, attribute_id, values) for page_id, attribute_id, values in _opened(session, keyset, batch)]
    made = seal_pages(keyset, opened)
    with session.transaction():
        must_be(session.run(_FORGET.format(table="vault_page"), [batch]) or 0, len(opened), "vault pages")
        append(session, "vault_page", made)


def check_pages(session: Session, keyset: Keyset, progress: Progress = ignore_progress) -> int:
    """Opens every page; returns how many there are. StateError ``vault_damaged`` at the first that does not open."""
    count = 0
    pages = session.rows("SELECT page_id, octet_length(data) FROM vault_page ORDER BY page_id")
    for batch in _batches(pages):
        count += sum(1 for _ in _opened(session, keyset, batch))
        progress("check", count, len(pages))
    return count


def _opened(session: Session, keyset: Keyset, batch: Batch) -> Iterator[tuple[int, int, pa.StringArray]]:
    for page_id, attribute_id, version, data in session.rows(_PAGES, [batch]):
        key = keyset.page_key(version)
        yield page_id, attribute_id, unseal(key, data, page_id=page_id, attribute_id=attribute_id, key_version=version)


def _batches(pages: Sequence[tuple[int, int]]) -> Iterator[Batch]:
    """(page id, bytes) → pages that fit into memory together."""
    batch: Batch = []
    held = 0
    for page_id, size in pages:
        if batch and held + size > _BATCH_BYTES:
            yield batch
            batch, held = [], 0
        batch.append(page_id)
        held += size
    if batch:
        yield batch
