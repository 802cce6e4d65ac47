"""Batches that were processed, with everything their receipts say."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from ingest_core.audience_manager.receipts import BatchReceipt, SyncReceipt
from ingest_core.audience_manager.report import ReportFile, files_of_batch
from ingest_core.audience_manager.signal_loads import SignalLoad, signal_loads
from ingest_core.engine import Session
from ingest_core.errors import InputError
from ingest_core.models import StepReport

Outcome = Literal["Stored", "Nothing stored", "Undone"]

CHOSEN = """
FROM am_batch AS batch
WHERE (?::TIMESTAMP IS NULL OR started_at >= ?) AND (?::TIMESTAMP IS NULL OR started_at < ?)
  AND (?::VARCHAR IS NULL OR contains(lower(request_id), lower(?)) OR EXISTS (
      SELECT 1 FROM am_file AS file WHERE file.batch_no = batch.batch_no AND contains(lower(file.name), lower(?))))
  AND (?::BIGINT IS NULL OR EXISTS (
      SELECT 1 FROM am_receipt AS receipt
      WHERE receipt.batch_no = batch.batch_no AND (receipt.dpid = ? OR receipt.target = ?)))
  AND (NOT ? OR EXISTS (
      SELECT 1 FROM am_file AS file WHERE file.batch_no = batch.batch_no AND file.code IS NOT NULL))
"""
LIST = f"""
SELECT batch_no, request_id, uploaded_by, counts_at, started_at, finished_at, undone_at, undone_by
{CHOSEN} ORDER BY batch_no DESC LIMIT ? OFFSET ?
"""
COUNT = f"SELECT count(*) {CHOSEN}"
ONE = """
SELECT batch_no, request_id, uploaded_by, counts_at, started_at, finished_at, undone_at, undone_by, steps
FROM am_batch WHERE request_id = ?
"""
RECEIPTS = """
SELECT batch_no, counts FROM am_receipt WHERE batch_no IN (SELECT unnest(?::INTEGER[])) ORDER BY batch_no, dpid, target
"""
FILES = """
SELECT batch_no, file_no, name, kind, code, counts FROM am_file
WHERE batch_no IN (SELECT unnest(?::INTEGER[])) ORDER BY file_no
"""


class Asked(BaseModel):
    """Which batches: of files with these ids or for these traits, of some days, by name, with a refused file."""

    dpid: int | None = None
    since: date | None = None
    until: date | None = None
    search: str | None = None
    only_refused: bool = False


class RefusedFile(BaseModel):
    """A file that was not read, and the code of why."""

    file: str
    code: str


class BatchSummary(BaseModel):
    """One batch. Times are UTC. ``received`` and ``stored``: records of its data files and rows of its ID syncs."""

    request_id: str
    uploaded_by: str
    at: datetime
    started_at: datetime
    finished_at: datetime
    undone_at: datetime | None = None
    undone_by: str | None = None
    files: list[str] = []
    receipts: list[BatchReceipt] = []
    id_sync: list[SyncReceipt] = []
    refused: list[RefusedFile] = []

    @property
    def received(self) -> int:
        """Records and rows."""
        return sum(one.records_received for one in self.receipts) + self._rows("records_received")

    @property
    def stored(self) -> int:
        """Of them, those that were loaded."""
        return sum(one.stored_records for one in self.receipts) + self._rows("stored_records")

    @property
    def outcome(self) -> Outcome:
        """In a word."""
        if self.undone_at is not None:
            return "Undone"
        return "Stored" if self.stored else "Nothing stored"

    def _rows(self, name: str) -> int:
        return sum(sync.counts.get(name, 0) for sync in self.id_sync)


class BatchDetail(BatchSummary):
    """With each file's own counters and the steps that were run."""

    per_file: list[ReportFile] = []
    uploads: list[SignalLoad] = []
    steps: list[StepReport] = []


def list_batches(session: Session, asked: Asked, limit: int, offset: int) -> list[BatchSummary]:
    """The newest first."""
    rows = session.records(LIST, [*_parameters(asked), limit, offset])
    return [BatchSummary(**one) for one in _filled(session, rows)]


def count_batches(session: Session, asked: Asked) -> int:
    """How many there are."""
    return int(session.value(COUNT, _parameters(asked)))


def batch_detail(session: Session, request_id: str) -> BatchDetail:
    """InputError ``no_such_batch``."""
    rows = session.records(ONE, [request_id])
    if not rows:
        raise InputError(
            "There is no batch with this request id.", code="no_such_batch", hint="See the ids with: am receipts"
        )
    (filled,) = _filled(session, rows)
    files = files_of_batch(session, rows[0]["batch_no"])
    uploads = signal_loads(session, request_id)
    return BatchDetail(**filled | {"per_file": files, "steps": json.loads(rows[0]["steps"]), "uploads": uploads})


def _parameters(asked: Asked) -> list[Any]:
    begin = None if asked.since is None else datetime.combine(asked.since, time())
    end = None if asked.until is None else datetime.combine(asked.until, time()) + timedelta(days=1)
    search, dpid = asked.search or None, asked.dpid
    return [begin, begin, end, end, search, search, search, dpid, dpid, dpid, asked.only_refused]


def _filled(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    numbers = [row["batch_no"] for row in rows]
    receipts: dict[int, list[BatchReceipt]] = defaultdict(list)
    for number, counts in session.rows(RECEIPTS, [numbers]):
        receipts[number].append(BatchReceipt.model_validate_json(counts))
    files: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for file in session.records(FILES, [numbers]):
        files[file["batch_no"]].append(file)
    return [
        {
            **row,
            "at": row["counts_at"],
            "files": [file["name"] for file in files[row["batch_no"]]],
            "receipts": receipts[row["batch_no"]],
            "id_sync": [
                SyncReceipt(file=file["name"], counts=json.loads(file["counts"]))
                for file in files[row["batch_no"]]
                if file["kind"] == "id_sync" and file["code"] is None
            ],
            "refused": [
                RefusedFile(file=file["name"], code=file["code"]) for file in files[row["batch_no"]] if file["code"]
            ],
        }
        for row in rows
    ]
