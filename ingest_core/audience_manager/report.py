"""The Onboarding Status Report: what became of the records of each file, per day and in all (spec §11)."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel

from ingest_core.audience_manager.receipts import Counts, RejectedFile
from ingest_core.engine import Session

SUCCESSFUL_AND_FAILED = (
    "stored_records", "format_errors", "invalid_aam_id", "invalid_device_id", "no_trait_realized", "no_matching_aam_id",
)  # fmt: skip
"""The columns of the first table, in the order of the original."""

_FILES = """
SELECT report.file_no, file.name, report.dpid, report.target, report.counts_at AS "at", request_id,
       report.is_sampled, report.counts, report.codes
FROM am_file_report AS report JOIN am_file AS file USING (file_no) JOIN am_batch USING (batch_no)
"""
OF_DAYS = f"""{_FILES}
WHERE report.counts_at >= ? AND report.counts_at < ? AND (?::BIGINT IS NULL OR report.dpid = ? OR report.target = ?)
  AND undone_at IS NULL
ORDER BY report.file_no
"""
OF_BATCH = f"{_FILES} WHERE batch_no = ? ORDER BY report.file_no"
REFUSED = """
SELECT file.name, code, request_id FROM am_file AS file JOIN am_batch USING (batch_no)
WHERE code IS NOT NULL AND counts_at >= ? AND counts_at < ?
ORDER BY file_no DESC LIMIT 1000
"""


class ReportDay(BaseModel):
    """One bar: records stored, and received but not stored."""

    day: date
    successful: int = 0
    failed: int = 0


class ReportFile(Counts):
    """One row: a file with its own counters. ``percent_success``: whole percent, None where nothing was received.

    ``codes``: code of a refused line → how many, the most frequent first.
    """

    file_no: int
    file: str
    dpid: int
    target: int | None = None
    at: datetime
    request_id: str
    error_sampling_active: bool = False
    percent_success: int | None = None
    codes: dict[str, int] = {}


class Aggregate(Counts):
    """The row under the files."""

    files: int = 0
    percent_success: int | None = None
    codes: dict[str, int] = {}


class StatusReport(BaseModel):
    """Files of the days from ``since`` to ``until`` (both included, UTC), in the order in which they took effect."""

    since: date
    until: date
    dpid: int | None = None
    days: list[ReportDay] = []
    files: list[ReportFile] = []
    total: Aggregate = Aggregate()
    refused: list[RejectedFile] = []


def status_report(session: Session, since: date, until: date, dpid: int | None = None) -> StatusReport:
    """The report of a data source, or of all."""
    begin, end = datetime.combine(since, time()), datetime.combine(until, time()) + timedelta(days=1)
    files = [_file(row) for row in session.records(OF_DAYS, [begin, end, dpid, dpid, dpid])]
    refused = [
        RejectedFile(file=row["name"], error=row["code"]) for row in session.records(REFUSED, [begin, end])
    ] if dpid is None else []  # fmt: skip
    return StatusReport(
        since=since, until=until, dpid=dpid, days=_days(files), files=files, total=aggregate(files), refused=refused
    )


def files_of_batch(session: Session, batch_no: int) -> list[ReportFile]:
    """The rows of one batch's data files."""
    return [_file(row) for row in session.records(OF_BATCH, [batch_no])]


def percent_success(counts: Counts) -> int | None:
    """Stored of received as whole percent, a half rounded up; None ("n/a") where nothing was received (D-45)."""
    if not counts.records_received:
        return None
    return (200 * counts.stored_records + counts.records_received) // (2 * counts.records_received)


def aggregate(files: list[ReportFile]) -> Aggregate:
    """The sums of all files, and the share of all records together."""
    codes: dict[str, int] = defaultdict(int)
    for file in files:
        for code, count in file.codes.items():
            codes[code] += count
    total = Aggregate(
        files=len(files), codes=_ranked(codes), **{name: _sum(files, name) for name in Counts.model_fields}
    )
    total.percent_success = percent_success(total)
    return total


def _file(row: dict[str, Any]) -> ReportFile:
    counts = json.loads(row["counts"])
    file = ReportFile(
        file_no=row["file_no"], file=row["name"], dpid=row["dpid"], target=row["target"], at=row["at"],
        request_id=row["request_id"], error_sampling_active=row["is_sampled"], codes=_ranked(json.loads(row["codes"])),
        **counts,
    )  # fmt: skip
    file.percent_success = percent_success(file)
    return file


def _days(files: list[ReportFile]) -> list[ReportDay]:
    days: dict[date, ReportDay] = {}
    for file in files:
        day = days.setdefault(file.at.date(), ReportDay(day=file.at.date()))
        day.successful += file.stored_records
        day.failed += file.records_received - file.stored_records
    return [days[day] for day in sorted(days)]


def _sum(files: list[ReportFile], name: str) -> int:
    return sum(getattr(file, name) for file in files)


def _ranked(codes: dict[str, int]) -> dict[str, int]:
    return dict(sorted(codes.items(), key=lambda item: (-item[1], item[0])))
