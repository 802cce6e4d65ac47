"""People as rows of a file: the columns that were chosen, each value written by its recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ingest_core.deliveries.columns import is_plain_pii
from ingest_core.deliveries.order import PROFILE_ID, Column
from ingest_core.deliveries.recipes import recipe
from ingest_core.engine import Session
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.people.texts import refuse_personal
from ingest_core.segments import masked
from ingest_core.segments.compiling import Condition
from ingest_core.vault import Keyset

HASH_SHOWN = 10
"""Characters of a hash that a preview shows."""


def rows(
    session: Session, keyset: Keyset, columns: Sequence[Column], known: Mapping[str, Attribute], condition: Condition,
    reason: str | None = None,
) -> Iterator[list[list[str]]]:  # fmt: skip
    """The rows of everybody for whom the condition is true, in batches, in the order of their profiles.

    ``reason``: why personal data goes out as it is. InputError ``personal_reason`` where it holds some of it.
    """
    used = _used(columns, known)
    plain = [one.attribute for one in columns if is_plain_pii(one, known)]
    for people in masked.batches(session, keyset, used, condition, is_plain=True):
        if reason and plain:
            refuse_personal(reason, [person["attributes"].get(name, "") for person in people for name in plain])
        yield [[cell(one, person) for one in columns] for person in people]


def cell(column: Column, person: Mapping[str, Any]) -> str:
    """One value as it is sent; what is not known is empty."""
    if column.attribute == PROFILE_ID:
        return str(person["profile_id"])
    text = person["attributes"].get(column.attribute)
    return recipe(column.recipe)(text) if text else ""


def preview(
    session: Session, keyset: Keyset, columns: Sequence[Column], known: Mapping[str, Attribute], condition: Condition,
    limit: int,
) -> list[list[str]]:  # fmt: skip
    """The first rows as they would be, personal data masked and hashes cut off."""
    pids = masked.pids(session, condition, limit)
    people = masked.profiles(session, keyset, _used(columns, known), pids, is_plain=True)
    shown = [_shown(one, known) for one in columns]
    return [[show(cell(one, person)) for one, show in zip(columns, shown, strict=True)] for person in people]


def _shown(column: Column, known: Mapping[str, Attribute]) -> Callable[[str], str]:
    if column.attribute == PROFILE_ID:
        return str
    if recipe(column.recipe).is_hashed:
        return lambda text: text[:HASH_SHOWN] + "…" if text else ""
    if is_plain_pii(column, known):
        mask = data_type(known[column.attribute].type).mask
        return lambda text: mask(text) if text else ""
    return str


def _used(columns: Sequence[Column], known: Mapping[str, Attribute]) -> list[Attribute]:
    names = dict.fromkeys(one.attribute for one in columns if one.attribute != PROFILE_ID)
    return [known[name] for name in names]
