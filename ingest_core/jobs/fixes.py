"""Rejected rows, corrected by a person and loaded as a child of the upload that rejected them.

The child is an ordinary upload of a small CSV file with the same columns, mapping version and segment; it never
replaces anybody, and is compared with no former file. What is corrected and not loaded yet is kept as a draft of the
person: encrypted, because rows are personal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from ingest_core.catalog import Drafts, Mappings, Sources
from ingest_core.engine import Engine
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.jobs.corrected_file import corrected_rows
from ingest_core.jobs.corrections import BrokenRow, Cells, MemoryFile, as_file, broken, with_cells
from ingest_core.jobs.jobs import Jobs
from ingest_core.jobs.loads import Loads
from ingest_core.ledger.corrected import Correction, children_taken_back, corrected
from ingest_core.ledger.history import History
from ingest_core.models import Options, Progress, Receipt
from ingest_core.plan.plan import Plan
from ingest_core.segments.segments import check_option
from ingest_core.vault import LandingZone

__all__ = ["BrokenRow", "Checked", "Correction", "Fixes", "StillWrong"]

LAYOUT = {"encoding": "utf-8", "delimiter": ",", "has_header": True}


@dataclass(frozen=True, slots=True)
class StillWrong:
    """Why a corrected row would be rejected again."""

    codes: tuple[str, ...]
    column: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What loading corrected rows would do now. ``wrong``: line → why it would be rejected again."""

    receipt: Receipt
    wrong: dict[int, StillWrong]


@dataclass(frozen=True)
class Fixes:
    """Shows rejected rows cell by cell, keeps what is corrected, checks it, and loads it."""

    engine: Engine
    history: History
    sources: Sources
    mappings: Mappings
    drafts: Drafts
    landing: LandingZone
    loads: Loads
    jobs: Jobs
    user: str

    def columns(self, request_id: str) -> tuple[str, ...]:
        """The columns of the upload's file."""
        return tuple(self.history.layout(request_id).get("columns", ()))

    def corrected(self, request_id: str) -> dict[int, Correction]:
        """Line → the child upload that it is loaded with, or about to be."""
        return corrected(self.engine, request_id)

    def lines(self, request_id: str, *, code: str | None = None) -> Sequence[int]:
        """The lines that are left to correct, in file order."""
        return self.history.reject_lines(request_id, code=code, without=self.corrected(request_id))

    def rows(
        self, request_id: str, *, code: str | None = None, limit: int | None = 200, offset: int = 0
    ) -> list[BrokenRow]:
        """Rows that are left to correct, as they came, in file order (PII: show them to those who may see it)."""
        layout = self.history.layout(request_id)
        rejects = self.history.each_reject(
            request_id, code=code, limit=limit, offset=offset, without=self.corrected(request_id)
        )
        return [broken(row, len(layout.get("columns", ())), layout.get("delimiter", "\t")) for row in rejects]

    def edited(self, request_id: str, rows: Sequence[BrokenRow]) -> list[BrokenRow]:
        """The rows with what this person made of them so far."""
        edits = self.edits(request_id)
        return [with_cells(row, edits.get(row.line)) for row in rows]

    def of_file(self, request_id: str, text: str) -> dict[int, Cells]:
        """Line → cells of the rows that were corrected in a reject file of this upload, of either kind.

        InputError ``no_such_upload``, ``not_a_reject_file``.
        """
        self.history.get(request_id)
        delimiter = self.history.layout(request_id).get("delimiter", "\t")
        return corrected_rows(text, self.rows(request_id, limit=None), self.columns(request_id), delimiter)

    # ── what is corrected and not loaded yet ─────────────────────────────────────────────────────────────

    def edits(self, request_id: str) -> dict[int, Cells]:
        """Line → cells that this person chose to load and has not yet. StateError ``draft_damaged``."""
        kept = (self.drafts.load(self._draft(request_id)) or {}).get("rows", {})
        if not kept:
            return {}
        done = self.corrected(request_id)
        return {int(line): tuple(cells) for line, cells in kept.items() if int(line) not in done}

    def keep(self, request_id: str, changes: Mapping[int, Cells | None]) -> dict[int, Cells]:
        """Changes what is chosen (None = not any more), beside what other pages keep; returns all of it."""
        with self.engine.queue:
            kept = {**self.edits(request_id), **changes}
            left = {line: cells for line, cells in sorted(kept.items()) if cells is not None}
            if left:
                self.drafts.keep(self._draft(request_id), {"rows": left})
            else:
                self.drafts.delete(self._draft(request_id))
        return left

    def _draft(self, request_id: str) -> str:
        """One draft for each person and upload: a reload finds it, and two people do not disturb each other."""
        return f"fixes-{request_id}-{hashlib.sha256(self.user.encode()).hexdigest()[:12]}"

    # ── checking and loading ─────────────────────────────────────────────────────────────────────────────

    def check(
        self, request_id: str, fixed: Mapping[int, Sequence[str]], progress: Progress = ignore_progress
    ) -> Checked:
        """What loading these rows would do, by doing it and rolling back. Raises as ``load``."""
        parent = self._parent(request_id, fixed)
        file, options = self._prepared(parent, fixed)
        receipt, rejects = self.loads.check(self._plan(parent, file, options, progress), progress)
        wrong = {
            options.fixed_lines[line]: StillWrong(tuple(codes.split(",")), column) for line, codes, column in rejects
        }
        return Checked(receipt, wrong)

    def load(self, request_id: str, fixed: Mapping[int, Sequence[str]], *, user: str | None = None) -> str:
        """Queues corrected rows (line → cells) as a child upload; returns its Request ID. The same rows twice are one.

        They stay in the draft, unseen, until they are loaded: should the child be stopped or undone, nothing that was
        typed is lost. InputError ``nothing_fixed``, ``unknown_line``, ``bad_row``; StateError ``nothing_to_fix``,
        ``undone``, ``already_fixed``.
        """
        if known := self._known(request_id, fixed):
            return known
        parent = self._parent(request_id, fixed)
        file, options = self._prepared(parent, fixed)
        writer = self.landing.create(file.name, file.size)
        writer.write(file.data)
        source = self.sources.get(parent.source)
        return self.jobs.submit(
            writer.finish(),
            source,
            self.mappings.version(source, parent.mapping_version or 0),
            options,
            overrides=LAYOUT,
            idempotency_key=str(options.idempotency_key),
            user=user,
        )

    def load_now(
        self, request_id: str, fixed: Mapping[int, Sequence[str]], progress: Progress = ignore_progress
    ) -> Receipt:
        """As ``load``, at once in this thread; returns the child's receipt."""
        if known := self._known(request_id, fixed):
            return self.history.get(known)
        parent = self._parent(request_id, fixed)
        file, options = self._prepared(parent, fixed)
        return self.loads.load(self._plan(parent, file, options, progress), progress)

    def _known(self, request_id: str, fixed: Mapping[int, Sequence[str]]) -> str | None:
        """The upload that a former click has made of these very rows."""
        parent = self.history.get(request_id)
        found = self.loads.find_key(self._prepared(parent, fixed)[1]) if fixed else None
        return None if found is None else found.request_id

    def _plan(self, parent: Receipt, file: MemoryFile, options: Options, progress: Progress) -> Plan:
        source = self.sources.get(parent.source)
        mapping = self.mappings.version(source, parent.mapping_version or 0)
        return self.loads.planner.plan(file, source, mapping, options, overrides=LAYOUT, progress=progress)

    def _prepared(self, parent: Receipt, fixed: Mapping[int, Sequence[str]]) -> tuple[MemoryFile, Options]:
        """The child's file and options. ``again``: what makes it one upload is its key, not its bytes."""
        assert parent.request_id is not None
        name = f"{PurePath(parent.file).stem}-fixed.csv"
        file, came_from = as_file(name, self.columns(parent.request_id), fixed)
        lines = ",".join(str(line) for line in came_from.values())
        mark = hashlib.sha256(lines.encode() + b"\n" + file.data).hexdigest()[:32]
        turn = children_taken_back(self.engine, parent.request_id)
        return file, Options(
            segment=self._segment(parent),
            again=True,
            accept_drift=True,
            parent=parent.request_id,
            fixed_lines=came_from,
            idempotency_key=f"fix-{parent.request_id}-{mark}" + (f"-{turn}" if turn else ""),
        )

    def _segment(self, parent: Receipt) -> str | None:
        """Into the segment of the parent, if that is there still."""
        if parent.segment is None:
            return None
        option = f"add:{parent.segment}"
        try:
            with self.engine.session() as session:
                check_option(session, option)
        except OnrampError:
            return None
        return option

    def _parent(self, request_id: str, fixed: Mapping[int, Sequence[str]]) -> Receipt:
        """The upload whose rows these are, when they can be loaded."""
        parent = self.history.get(request_id)
        if not parent.rejected:
            raise StateError(
                "This upload rejected no row. Nothing was loaded.", code="nothing_to_fix", hint="See: rejects ID"
            )
        if parent.undone_at is not None:
            raise StateError(
                "This upload was undone. Nothing was loaded.",
                code="undone",
                hint="Undo the undo first, or load the whole file again.",
            )
        if not fixed:
            raise InputError(
                "No row was chosen. Nothing was loaded.",
                code="nothing_fixed",
                hint="Correct at least one rejected row.",
            )
        self._check_lines(request_id, fixed)
        return parent

    def _check_lines(self, request_id: str, fixed: Mapping[int, Sequence[str]]) -> None:
        width = len(self.columns(request_id))
        lines = set(self.history.reject_lines(request_id))
        done = self.corrected(request_id)
        for line, cells in fixed.items():
            if line not in lines:
                raise InputError(
                    f"Line {line} is not a rejected row of this upload. Nothing was loaded.",
                    code="unknown_line",
                    hint="See: rejects ID",
                )
            if line in done:
                raise StateError(
                    f"Line {line} was corrected before, in upload {done[line].request_id}. Nothing was loaded.",
                    code="already_fixed",
                    hint="Leave it out, or undo that upload first.",
                    facts={"request_id": done[line].request_id},
                )
            if len(cells) != width:
                raise InputError(
                    f"Line {line} has {len(cells)} cells, the file has {width} columns. Nothing was loaded.",
                    code="bad_row",
                    hint="Give every column a cell, an empty one where there is nothing.",
                )
