"""How the rows of one person came together: which uploads made one person of what had been several.

Worked out from the rows that are the person's today: rows are connected by the identifiers they share. Two groups of
rows that earlier uploads had left apart, and that a later upload connects, were two profiles until then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from ingest_core.engine import Session, quote
from ingest_core.ledger.fields import token_of
from ingest_core.models import Attribute


@dataclass(frozen=True, slots=True)
class Named:
    """One or several lines of an upload with the same identifiers. ``tokens``: (attribute, token, stored value)."""

    rid: int
    tokens: tuple[tuple[Attribute, UUID, Any], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """An upload that connected groups of rows. ``groups``: the first record of each, the oldest first.

    ``line``: the first line that names two of them, else the first that names one. ``by``: (identifier, stored value)
    that the upload's lines share with the groups.
    """

    upload_no: int
    line: int
    groups: tuple[int, ...]
    by: tuple[tuple[Attribute, Any], ...]


def rows_of(session: Session, identifiers: Sequence[Attribute], pid: int) -> list[Named]:
    """The rows of a person by upload and identifiers, in the order of the log. What is shared identifies nobody."""
    columns = "".join(f", {token_of(a, 'record')}, record.{quote(a.column)}" for a in identifiers)
    rows = session.rows(
        f"SELECT record.rid >> 32, min(record.rid){columns} FROM record "
        "JOIN (SELECT rid FROM resolution WHERE pid = ?) AS q ON q.rid = record.rid GROUP BY ALL ORDER BY 2",
        [pid],
    )
    shared = {token for (token,) in session.rows(_SHARED, [sorted({str(t) for r in rows for t in r[2::2] if t})])}
    return [
        Named(
            row[1],
            tuple(
                (one, token, value)
                for one, token, value in zip(identifiers, row[2::2], row[3::2], strict=True)
                if token is not None and token not in shared
            ),
        )
        for row in rows
    ]


_SHARED = "SELECT token FROM identity WHERE is_shared AND token IN (SELECT unnest(?::UUID[]))"


@dataclass(eq=False)
class _Group:
    """Rows that are one person so far."""

    first: int
    tokens: set[UUID] = field(default_factory=set)


def joins(rows: Sequence[Named]) -> list[Joined]:
    """The uploads that made one person of several, the oldest first."""
    groups: list[_Group] = []
    found = []
    for upload_no, of_upload in groupby(rows, key=lambda row: row.rid >> 32):
        for together in _connected(list(of_upload), groups):
            said = {token for row in together for _, token, _ in row.tokens}
            met = [group for group in groups if group.tokens & said]
            if len(met) > 1:
                found.append(_joined(upload_no, together, met))
            merged = _Group(min(row.rid for row in together), said)
            for group in met:
                merged.first, merged.tokens = min(merged.first, group.first), merged.tokens | group.tokens
            groups = [group for group in groups if group not in met] + [merged]
    return found


def _connected(rows: list[Named], groups: Iterable[_Group]) -> list[list[Named]]:
    """The rows of one upload, together where they share an identifier or a group, in whatever order."""
    of_token: dict[object, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        for _, token, _ in row.tokens:
            of_token[token].append(at)
    for number, group in enumerate(groups):
        of_token[number] = [at for token in group.tokens & of_token.keys() for at in of_token[token]]
    parent = list(range(len(rows)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    for places in of_token.values():
        for at in places[1:]:
            parent[root(at)] = root(places[0])
    together: dict[int, list[Named]] = defaultdict(list)
    for at, row in enumerate(rows):
        together[root(at)].append(row)
    return list(together.values())


def _joined(upload_no: int, rows: Sequence[Named], met: Sequence[_Group]) -> Joined:
    old = set().union(*(group.tokens for group in met))
    naming = [(sum(bool({t for _, t, _ in row.tokens} & group.tokens) for group in met), row) for row in rows]
    most = max(many for many, _ in naming)
    by = {token: (one, value) for row in rows for one, token, value in row.tokens if token in old}
    return Joined(
        upload_no,
        min(row.rid for many, row in naming if many == most) & 0xFFFFFFFF,
        tuple(sorted(group.first for group in met)),
        tuple(by.values()),
    )
