"""Profiles, uploads and segments as tables: a masked copy of what the workspace held at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from ingest_core.engine import Engine, Session, quote
from ingest_core.explore.material import TableInfo
from ingest_core.explore.result import told_apart
from ingest_core.explore.sandbox import Sandbox
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, Progress
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader

PIECE = 50_000
"""Profiles that are copied at a time."""

_CHOSEN = "SELECT pid FROM profile ORDER BY hash(pid) LIMIT ?"  # evenly drawn, and the same ones each time

_PROFILES = """
SELECT pid, {columns}
FROM profile SEMI JOIN explored USING (pid)
ORDER BY pid"""

_SOURCES = """
SELECT explored.pid, list(source.name ORDER BY source.name) AS sources
FROM explored JOIN membership USING (pid) JOIN source USING (source_id)
GROUP BY explored.pid"""

_PLACES = """
SELECT profile.pid, vault_value.page_id, vault_value.slot
FROM profile SEMI JOIN explored USING (pid)
JOIN vault_value ON vault_value.token = profile.{column}
ORDER BY page_id, slot"""

_UPLOAD_COLUMNS = (
    ("request_id", "VARCHAR"), ("source", "VARCHAR"), ("file", "VARCHAR"), ("status", "VARCHAR"),
    ("uploaded_by", "VARCHAR"), ("created_at", "TIMESTAMP"), ("started_at", "TIMESTAMP"), ("finished_at", "TIMESTAMP"),
    ("undone_at", "TIMESTAMP"), ("lines", "BIGINT"), ("blank", "BIGINT"), ("stored", "BIGINT"), ("rejected", "BIGINT"),
    ("duplicates", "BIGINT"), ("suppressed", "BIGINT"), ("withheld", "BIGINT"), ("created", "BIGINT"),
    ("updated", "BIGINT"), ("unchanged", "BIGINT"), ("merged", "BIGINT"), ("memberships_ended", "BIGINT"),
    ("profiles_before", "BIGINT"), ("profiles_after", "BIGINT"), ("members", "BIGINT"),
)  # fmt: skip

_UPLOADS = """
SELECT request_id, source.name AS source, file, status, uploaded_by, upload.created_at, started_at, finished_at,
    undone_at, lines, blank, stored, rejected, duplicates, suppressed, withheld, created, updated, unchanged, merged,
    memberships_ended, profiles_before, profiles_after, members
FROM upload JOIN source USING (source_id)
ORDER BY upload.created_at, request_id"""

_SEGMENT_COLUMNS = (("name", "VARCHAR"), ("description", "VARCHAR"), ("count", "BIGINT"))


@dataclass(frozen=True, slots=True)
class ProfileMaterial:
    """At most ``most_profiles`` profiles, and the whole history of uploads."""

    engine: Engine
    keyset: Keyset
    attributes: Callable[[], list[Attribute]]
    segments: Callable[[], list[dict[str, Any]]]
    most_profiles: int

    def fill(self, sandbox: Sandbox, progress: Progress) -> list[TableInfo]:
        """Tables ``profiles``, ``uploads`` and ``segments``, all of them as of one commit but for the segments."""
        columns = _Columns.of(self.attributes())
        sandbox.create("profiles", columns.defined())
        sandbox.create("uploads", _UPLOAD_COLUMNS)
        sandbox.create("segments", _SEGMENT_COLUMNS)
        with self.engine.session() as session, session.transaction():
            total = int(session.value("SELECT count(*) FROM profile"))
            chosen = np.sort(session.arrow(_CHOSEN, [self.most_profiles]).column("pid").to_numpy())
            reader = VaultReader(session, self.keyset)
            for begin in range(0, len(chosen), PIECE):
                sandbox.append("profiles", columns.piece(session, reader, chosen[begin : begin + PIECE]))
                progress("profiles", min(begin + PIECE, len(chosen)), len(chosen))
            uploads = session.arrow(_UPLOADS)
        sandbox.append("uploads", uploads)
        segments = self.segments()
        sandbox.append("segments", _segment_table(segments))
        return [
            columns.told(len(chosen), total),
            TableInfo("uploads", _UPLOAD_COLUMNS, uploads.num_rows, "every upload with its counts"),
            TableInfo("segments", _SEGMENT_COLUMNS, len(segments), "every segment with its count"),
        ]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of ``profiles``: the profile's id, each attribute by name, its sources."""

    attributes: tuple[Attribute, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, attributes: Sequence[Attribute]) -> _Columns:
        """Attributes keep their names; the other two columns give way."""
        own = [attribute.name for attribute in attributes]
        *_, identity, sources = told_apart([*own, "profile_id", "sources"])
        return cls(tuple(attributes), (identity, *own, sources))

    def defined(self) -> tuple[tuple[str, str], ...]:
        """(column, SQL type); what is masked is text."""
        types = ["VARCHAR" if a.pii else data_type(a.type).sql_type for a in self.attributes]
        return tuple(zip(self.names, ["VARCHAR", *types, "VARCHAR[]"], strict=True))

    def told(self, rows: int, total: int) -> TableInfo:
        """What the table holds."""
        part = f"{rows:,} of {total:,} profiles, evenly drawn" if rows < total else f"all {rows:,} profiles"
        return TableInfo("profiles", self.defined(), rows, f"{part}; personal data is masked", is_cut=rows < total)

    def piece(self, session: Session, reader: VaultReader, pids: np.ndarray) -> pa.Table:
        """Some profiles, by ascending pid."""
        session.register("explored", pa.table({"pid": pids}))
        try:
            plain = [a for a in self.attributes if not a.pii]
            columns = ", ".join(["pid", *(quote(a.column) for a in plain)])
            found = session.arrow(_PROFILES.format(columns=columns))
            arrays: dict[str, Any] = {a.name: found.column(a.column) for a in plain}
            for attribute in self.attributes:
                if attribute.pii:
                    arrays[attribute.name] = _masked(session, reader, attribute, pids)
            sources: dict[int, list[str]] = dict(session.rows(_SOURCES))
        finally:
            session.unregister("explored")
        shown = [f"{pid >> 32}-{pid & 0xFFFFFFFF}" for pid in pids.tolist()]
        lists = pa.array([sources.get(pid, []) for pid in pids.tolist()], pa.list_(pa.string()))
        attributes = [arrays[attribute.name] for attribute in self.attributes]
        return pa.table([pa.array(shown, pa.string()), *attributes, lists], names=list(self.names))


def _masked(session: Session, reader: VaultReader, attribute: Attribute, pids: np.ndarray) -> pa.Array:
    """The values of a PII attribute as people without the right to reveal see them; plain ones live for an instant."""
    places = session.arrow(_PLACES.format(column=quote(attribute.column)))
    found: list[str | None] = [None] * len(pids)
    at = np.searchsorted(pids, places.column("pid").to_numpy())
    mask = data_type(attribute.type).mask
    for begin, end, page in _runs(places.column("page_id").to_numpy()):
        texts = reader.page(page).take(places.column("slot").slice(begin, end - begin).combine_chunks())
        for position, text in zip(at[begin:end].tolist(), texts.to_pylist(), strict=True):
            found[position] = None if text is None else mask(text)
    return pa.array(found, pa.string())


def _runs(pages: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(begin, end, page) of each run of equal page ids."""
    edges = np.flatnonzero(np.diff(pages)) + 1
    bounds = [0, *edges.tolist(), len(pages)]
    for begin, end in pairwise(bounds):
        if end > begin:
            yield begin, end, int(pages[begin])


def _segment_table(segments: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {
            "name": pa.array([segment["name"] for segment in segments], pa.string()),
            "description": pa.array([segment.get("description") for segment in segments], pa.string()),
            "count": pa.array([segment["count"] for segment in segments], pa.int64()),
        }
    )
