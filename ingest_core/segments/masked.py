"""Profiles of a segment as people see them: personal data masked, unless it may be plain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ingest_core.engine import Session, quote
from ingest_core.ledger.stated import plain
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.segments.compiling import Condition
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader

BATCH = 5_000
"""People whose sealed values are opened at once."""


def pids(session: Session, condition: Condition, limit: int, offset: int = 0, after: int = -1) -> list[int]:
    """The profiles that a condition is true for, in the order of their ids, those behind ``after``."""
    rows = session.rows(
        f"SELECT p.pid FROM profile AS p WHERE ({condition.sql}) AND p.pid > ? ORDER BY p.pid LIMIT ? OFFSET ?",
        [*condition.parameters, after, limit, offset],
    )
    return [pid for (pid,) in rows]


def profiles(
    session: Session,
    keyset: Keyset,
    attributes: Sequence[Attribute],
    wanted: Sequence[int],
    *,
    is_plain: bool = False,
) -> list[dict[str, Any]]:
    """{profile_id, attributes: {name: text}} of these pids, in their order; only attributes that have a value."""
    columns = "".join(f", {_text(attribute)} AS {quote(attribute.column)}" for attribute in attributes)
    found = session.records(
        f"SELECT pid{columns} FROM profile WHERE pid IN (SELECT unnest(?::BIGINT[]))", [list(wanted)]
    )
    sealed = [row[one.column] for row in found for one in attributes if one.pii and row[one.column] is not None]
    opened = VaultReader(session, keyset).values(sealed)

    def shown(attribute: Attribute, stored: Any) -> str:
        text = opened.get(stored, "") if attribute.pii else str(stored)
        return data_type(attribute.type).mask(text) if attribute.pii and not is_plain else text

    by_pid = {
        row["pid"]: {one.name: shown(one, row[one.column]) for one in attributes if row[one.column] is not None}
        for row in found
    }
    return [{"profile_id": profile_id(pid), "attributes": by_pid[pid]} for pid in wanted if pid in by_pid]


def batches(
    session: Session, keyset: Keyset, attributes: Sequence[Attribute], condition: Condition, *, is_plain: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """All profiles that a condition is true for, as ``profiles`` has them, in the order of their ids, in batches."""
    last = -1
    while found := pids(session, condition, BATCH, after=last):
        yield profiles(session, keyset, attributes, found, is_plain=is_plain)
        last = found[-1]


def _text(attribute: Attribute) -> str:
    """SQL: a profile's value as its text, of personal data its token."""
    column = quote(attribute.column)
    return column if attribute.pii else plain(attribute, f"CAST({column} AS VARCHAR)")


def profile_id(pid: int) -> str:
    """A profile's public id: the upload and line of its first record."""
    return f"{pid >> 32}-{pid & 0xFFFFFFFF}"
