"""Rejected rows, corrected by a person and loaded as a child of the upload that rejected them.

The child is an ordinary upload of a small CSV file with the same columns, mapping version and segment; it never
replaces anybody, and is compared with no former file.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from ingest_core.catalog import Mappings, Sources
from ingest_core.errors import InputError, StateError
from ingest_core.jobs.jobs import Jobs
from ingest_core.ledger.history import History
from ingest_core.ledger.reject_files import split_line
from ingest_core.models import Options, Receipt, RejectedRow
from ingest_core.vault import LandingZone

LAYOUT = {"encoding": "utf-8", "delimiter": ",", "has_header": True}


@dataclass(frozen=True)
class BrokenRow:
    """A rejected row as cells to correct. ``cells`` are as many as the file has columns; ``surplus`` did not fit."""

    line: int
    codes: tuple[str, ...]
    column: str | None
    title: str
    fix: str
    cells: tuple[str, ...]
    surplus: tuple[str, ...]


class Fixes:
    """Shows rejected rows cell by cell and loads the corrected ones."""

    def __init__(
        self, history: History, sources: Sources, mappings: Mappings, landing: LandingZone, jobs: Jobs
    ) -> None:
        self._history = history
        self._sources = sources
        self._mappings = mappings
        self._landing = landing
        self._jobs = jobs

    def columns(self, request_id: str) -> tuple[str, ...]:
        """The columns of the upload's file."""
        return tuple(self._history.layout(request_id).get("columns", ()))

    def rows(
        self, request_id: str, *, code: str | None = None, limit: int | None = 200, offset: int = 0
    ) -> list[BrokenRow]:
        """Rejected rows in file order (PII: show them to those who may see it)."""
        layout = self._history.layout(request_id)
        rejects = self._history.each_reject(request_id, code=code, limit=limit, offset=offset)
        return [_broken(row, len(layout.get("columns", ())), layout.get("delimiter", "\t")) for row in rejects]

    def load(self, request_id: str, fixed: Mapping[int, Sequence[str]], *, user: str | None = None) -> str:
        """Queues corrected rows (line → cells) as a child upload; returns its Request ID. The same rows twice are one.

        InputError ``nothing_fixed``, ``unknown_line``, ``bad_row``; StateError ``nothing_to_fix``.
        """
        parent = self._history.get(request_id)
        self._check(parent, fixed)
        data = _csv(self.columns(request_id), [fixed[line] for line in sorted(fixed)])
        source = self._sources.get(parent.source)
        options = Options(
            segment=f"add:{parent.segment}" if parent.segment else None, parent=request_id, accept_drift=True
        )
        writer = self._landing.create(f"{PurePath(parent.file).stem}-fixed.csv", len(data))
        writer.write(data)
        return self._jobs.submit(
            writer.finish(),
            source,
            self._mappings.version(source, parent.mapping_version or 0),
            options,
            overrides=LAYOUT,
            idempotency_key=f"fix-{request_id}-{hashlib.sha256(data).hexdigest()[:32]}",
            user=user,
        )

    def _check(self, parent: Receipt, fixed: Mapping[int, Sequence[str]]) -> None:
        if not parent.rejected:
            raise StateError(
                "This upload rejected no row. Nothing was loaded.", code="nothing_to_fix", hint="See: rejects ID"
            )
        if not fixed:
            raise InputError(
                "No row was chosen. Nothing was loaded.",
                code="nothing_fixed",
                hint="Correct at least one rejected row.",
            )
        assert parent.request_id is not None
        width = len(self.columns(parent.request_id))
        lines = {row.line for row in self._history.each_reject(parent.request_id)}
        for line, cells in fixed.items():
            if line not in lines:
                raise InputError(
                    f"Line {line} is not a rejected row of this upload. Nothing was loaded.",
                    code="unknown_line",
                    hint="See: rejects ID",
                )
            if len(cells) != width:
                raise InputError(
                    f"Line {line} has {len(cells)} cells, the file has {width} columns. Nothing was loaded.",
                    code="bad_row",
                    hint="Give every column a cell, an empty one where there is nothing.",
                )


def _broken(row: RejectedRow, width: int, delimiter: str) -> BrokenRow:
    cells = split_line(row.text, delimiter)
    padded = (*cells[:width], *[""] * (width - len(cells)))
    return BrokenRow(row.line, row.codes, row.column, row.title, row.fix, padded, tuple(cells[width:]))


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([cell.replace("\0", "") for cell in row] for row in rows)
    return text.getvalue().encode()
