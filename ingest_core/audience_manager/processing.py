"""One batch, from files to receipts, inside one transaction (Audience Manager spec §9, §10)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest_core.audience_manager import id_map, trait_fold
from ingest_core.audience_manager.batches import Inbound, fingerprint, logical_files, read_name, sync_files
from ingest_core.audience_manager.data_sources import UUID_DPID
from ingest_core.audience_manager.evaluation import Evaluator
from ingest_core.audience_manager.forgetting import leave_alone
from ingest_core.audience_manager.id_sync import RowContext
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import MAX_LINE_BYTES, LineContext
from ingest_core.audience_manager.messages import Messages
from ingest_core.audience_manager.name_types import DataName, IdSyncName, NameProblem
from ingest_core.audience_manager.observing import Observer
from ingest_core.audience_manager.originals import Keeper
from ingest_core.audience_manager.reading import read_blocks
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.audience_manager.receipts import (
    SYNC_COUNTERS,
    BatchReceipt,
    BatchReport,
    Counts,
    RejectedFile,
    SyncReceipt,
)
from ingest_core.audience_manager.registered import Kind, Registered
from ingest_core.audience_manager.resolving import resolve
from ingest_core.audience_manager.sampling import Readable
from ingest_core.audience_manager.shares import Shares
from ingest_core.audience_manager.signal_loads import Taken
from ingest_core.audience_manager.staging import Part, stage_part, stage_rows
from ingest_core.audience_manager.trait_fold import LogicalFile
from ingest_core.audience_manager.traits import realisable
from ingest_core.audience_manager.wire import WireLimits, plain_size, text_chunks
from ingest_core.engine import Session
from ingest_core.engine.steps import Runner
from ingest_core.errors import FileError
from ingest_core.models import ByteSource, StepReport

LOG_LINES = f"""
INSERT INTO am_op
SELECT {trait_fold.FILE_OF}, {trait_fold.LINE_OF}, judged.dpid, judged.user_id, trait_id, is_add
FROM am_judged AS judged JOIN am_line_op USING (pos)
WHERE class IN ('stored', 'no_matching_aam_id')
"""
ROWS = "SELECT count(*) FROM am_pair WHERE place = 0"
LOG_HASHES = "INSERT INTO am_row SELECT ?::BIGINT, line, list(id ORDER BY place) FROM am_part GROUP BY line"
NO_DEVICES = "SELECT '' AS receipt, 0::BIGINT AS dpid, '' AS id WHERE false"
DEVICES = "SELECT ?::VARCHAR AS receipt, dpid, id FROM am_touched"
COUNT_DEVICES = "SELECT receipt, count(DISTINCT (dpid, id)) FROM am_device GROUP BY receipt"
EARLIER = """
SELECT count(*) FILTER (WHERE sha256 = ?), count(*) FROM am_file LEFT JOIN am_batch USING (batch_no)
WHERE am_file.name = ? AND code IS NULL AND undone_at IS NULL
"""
NEW_BATCH = """
INSERT INTO am_batch (batch_no, request_id, counts_at, uploaded_by, started_at, finished_at, steps, known)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
SEEN = f"SELECT DISTINCT id AS device_id FROM am_device WHERE dpid = {UUID_DPID}"


@dataclass(frozen=True)
class BatchOptions:
    """``at``: UTC, naive: when its traits count as realised. ``is_beta``: names and contents only, nothing stored.

    ``keeps_files``: as they came, for a time. False of what came otherwise and was made a file here: then nobody is
    told of its receipt either.
    """

    at: datetime
    is_beta: bool = False
    keeps_files: bool = True
    user_cap: int = 200
    max_line_bytes: int = MAX_LINE_BYTES
    limits: WireLimits = field(default_factory=WireLimits)


class Batch:
    """Runs once, in a session with an open transaction of the caller."""

    def __init__(
        self,
        runner: Runner,
        registered: Registered,
        options: BatchOptions,
        observer: Observer,
        messages: Messages,
        keeper: Keeper,
    ) -> None:
        self._runner = runner
        self._session: Session = runner.session
        self._registered = registered
        self._options = options
        self._known = Known.of(registered, options.at)
        self._observer = observer
        self._messages = messages
        self._keeper = keeper
        self._next_file = int(self._session.value("SELECT coalesce(max(file_no), 0) + 1 FROM am_file"))
        self._batch_no = int(self._session.value("SELECT coalesce(max(batch_no), 0) + 1 FROM am_batch"))
        self._receipts: dict[str, BatchReceipt] = {}
        self._came: dict[str, set[str]] = {}  # name → SHA-256 of the files of this batch
        self.taken: list[Taken] = []
        self.report = BatchReport(
            request_id=None, environment="beta" if options.is_beta else "production", at=options.at
        )

    def run(self, sources: Sequence[ByteSource]) -> None:
        """All data files against the mappings as they stand, then the ID syncs (D-28, D-29)."""
        with self._runner.timed("read names", "Read and check the names; hash the bytes.") as done:
            files = [file for source in sources if (file := self._received(source)) is not None]
            done(len(files))
        self._session.scratch.keep("am_device", NO_DEVICES)
        self._known.list_days(self._session)
        for parts in logical_files(files):
            name = parts[0].name
            assert isinstance(name, DataName)
            purpose = f"Fold the traits of {name.owner} from a file of mode {name.mode}."
            with self._runner.timed("traits", purpose, trait_fold.CHANGES) as done:
                done(self._data(name, parts))
        for receipt, devices in self._session.rows(COUNT_DEVICES):
            self._receipts[receipt].total_devices = int(devices)
        if self._session.scratch.keep("am_seen", SEEN):
            id_map.restart_days(self._session, self._options.at)
        for file in sync_files(files):
            with self._runner.timed("ids", "Map ids to devices.", id_map.NEW_MAPS) as done:
                done(self._sync(file))
        self.report.receipts = list(self._receipts.values())

    def keep(self, request_id: str, user: str, started_at: datetime, finished_at: datetime) -> None:
        """Writes the batch and its receipts beside its data."""
        steps = json.dumps([report.model_dump() for report in self._runner.reports])
        self._session.run(
            NEW_BATCH,
            [
                self._batch_no, request_id, self._options.at, user, started_at, finished_at, steps,
                self._known.model_dump_json(),
            ],
        )  # fmt: skip
        for receipt in self._receipts.values():
            self._session.run(
                "INSERT INTO am_receipt VALUES (?, ?, ?, ?)",
                [self._batch_no, receipt.dpid, receipt.target, receipt.model_dump_json()],
            )
        self.report.request_id = request_id

    @property
    def number(self) -> int:
        """Of the batch."""
        return self._batch_no

    @property
    def steps(self) -> list[StepReport]:
        """What was done, in order."""
        return self._runner.reports

    # ── one file ────────────────────────────────────────────────────────────────────────────────────────────

    def _received(self, source: ByteSource) -> Inbound | None:
        name = read_name(source.name, self._registered)
        if isinstance(name, NameProblem):
            self._refuse(source, "", name.code, name.why)
            return None
        sha256 = fingerprint(source)
        same, earlier = self._before(source, sha256)
        here = self._came.setdefault(source.name, set())
        if same or sha256 in here:
            self._refuse(source, sha256, "duplicate_file", AM_REASONS["duplicate_file"].explanation)
            return None
        if earlier or here:
            self.report.warnings.append({"code": "same_name_other_bytes", "file": source.name})
        plain = source
        if name.tail.pgp:
            try:
                plain = self._messages.open(source, name.tail, self._options.limits)
            except FileError as error:
                self._refuse(source, sha256, error.code, error.message)
                return None
        here.add(sha256)
        return Inbound(plain, name, sha256, source if name.tail.pgp else None)

    def _before(self, source: ByteSource, sha256: str) -> tuple[int, int]:
        """How often the file came in earlier batches, and how often its name; of those beta knows nothing (§2)."""
        if self._options.is_beta:
            return 0, 0
        same, earlier = self._session.row(EARLIER, [sha256, source.name]) or (0, 0)
        return int(same), int(earlier)

    def _refuse(self, file: ByteSource, sha256: str, code: str, why: str) -> None:
        self.report.rejected.append(RejectedFile(file=file.name, error=code, message=why))
        self._keep_file(file, sha256, None, {}, code)

    def _keep_file(
        self, file: ByteSource, sha256: str, kind: str | None, counts: dict[str, Any], code: str | None
    ) -> int:
        number = self._next_file
        self._next_file += 1
        self._session.run(
            "INSERT INTO am_file VALUES (?, ?, ?, ?, ?, ?, ?)",
            [number, self._batch_no, file.name, sha256, kind, code, json.dumps(counts)],
        )
        # Bytes of a duplicate are those of the batch that took it; what is far too large is not worth its place.
        if code != "duplicate_file" and file.size <= self._options.limits.plain:
            self._keeper.keep(self._session, number, file)
        return number

    # ── data ────────────────────────────────────────────────────────────────────────────────────────────────

    def _data(self, name: DataName, files: Sequence[Inbound]) -> int:
        shares = Shares(self._session, sum(plain_size(file.source, file.tail) for file in files))
        staged = [
            part for number, file in enumerate(files) if (part := self._part(name, number, file, shares)) is not None
        ]
        if not staged:
            return 0
        receipt = self._receipt(name)
        file = LogicalFile(self._kind(name), name.owner, name.mode, self._options.user_cap)
        if file.kind == "cookie":
            shares.regroup(lambda: resolve(self._session, self._known, trait_fold.IDS))
        judged: dict[int, Counts] = {}
        counts = Counts()
        for _ in shares:
            for file_no, found in trait_fold.judge(self._session, file, self._known).items():
                judged[file_no] = judged.get(file_no, Counts()) + found
            if not self._options.is_beta:
                counts += self._fold(name, file, receipt)
        by_file = _with_read(judged, staged)
        self.report.per_file |= {files[part.number].source.name: by_file[part.file_no] for part in staged}
        counts += sum(by_file.values(), Counts())
        if self._options.is_beta:
            counts = _without_mapping(counts)
        else:
            self._observer.keep(name, by_file, [self._readable(part, files[part.number]) for part in staged])
        receipt.files += [files[part.number].source.name for part in staged]
        _add(receipt, counts)
        return counts.stored_records

    def _fold(self, name: DataName, file: LogicalFile, receipt: BatchReceipt) -> Counts:
        """What the judged lines of one share do."""
        counts = trait_fold.fold(self._session, file, self._options.at)
        self._session.run(LOG_LINES)
        self._observer.note(name)
        if file.kind != "cross_device":
            self._session.scratch.add("am_device", DEVICES, [receipt.key])
        return counts

    def _readable(self, part: Part, file: Inbound) -> Readable:
        return Readable(part.file_no, file, self._options.limits, self._options.max_line_bytes)

    def _part(self, name: DataName, number: int, file: Inbound, shares: Shares) -> Part | None:
        part = Part(number, self._next_file)
        rule = self._registered.id_rule(name.dpid)
        options = self._options
        context = LineContext(rule, name.mode, name.variant, max_line_bytes=options.max_line_bytes)
        blocks = read_blocks(text_chunks(file.source, file.tail, options.limits), options.max_line_bytes)
        evaluator = Evaluator(realisable(self._session, name.owner), name.mode)
        try:
            with shares.file():
                stage_part(
                    shares, part, self._registered.profile_dpid(name.dpid), blocks, BlockParser(context), evaluator,
                    self._observer.part(part.file_no, name.dpid, name.owner),
                )  # fmt: skip
                _refuse_empty(part.received, file)
        except FileError as error:
            self._observer.forget(part.file_no)
            self._refuse(file.came, file.sha256, error.code, error.message)
            return None
        counts = {"received": part.received, "format_errors": part.format_errors, "too_long": part.too_long}
        self.taken.append(Taken(self._keep_file(file.came, file.sha256, "data", counts, None), file))
        return part

    def _kind(self, name: DataName) -> Kind:
        return "device" if name.variant == "odc" else self._registered.kind(name.dpid)

    def _receipt(self, name: DataName) -> BatchReceipt:
        new = BatchReceipt(dpid=name.dpid, target=name.target)
        return self._receipts.setdefault(new.key, new)

    # ── ID syncs ────────────────────────────────────────────────────────────────────────────────────────────

    def _sync(self, file: Inbound) -> int:
        name = file.name
        assert isinstance(name, IdSyncName)
        context = RowContext(name, max_line_bytes=self._options.max_line_bytes)
        blocks = read_blocks(text_chunks(file.source, file.tail, self._options.limits), self._options.max_line_bytes)
        try:
            rows = stage_rows(self._session, context, blocks)
            _refuse_empty(rows.counts.get("records_received", 0), file)
        except FileError as error:
            self._refuse(file.came, file.sha256, error.code, error.message)
            return 0
        good = int(self._session.value(ROWS))
        stored = 0
        if not self._options.is_beta:
            leave_alone(self._session, is_c2c=context.is_c2c)
            if context.is_c2c:
                id_map.apply_hashes(self._session)
                stored = int(self._session.value(ROWS))
            else:
                stored = id_map.apply_ids(self._session, name.columns, self._known)
        counts = {**dict.fromkeys(SYNC_COUNTERS, 0), **rows.counts}
        counts |= {"stored_records": stored, "no_matching_aam_id": good - stored}
        number = self._keep_file(file.came, file.sha256, "id_sync", counts, None)
        for _ in id_map.parts(self._session):
            self._session.run(LOG_HASHES if context.is_c2c else log_rows(len(name.columns)), [number])
        self.report.id_sync.append(SyncReceipt(file=file.source.name, counts=counts))
        return stored


def log_rows(columns: int) -> str:
    """SQL: rows of one id per column into the log; far faster than lists that are put in order."""
    cells = ", ".join(f"max(id) FILTER (WHERE place = {place})" for place in range(columns))
    return f"INSERT INTO am_row SELECT ?::BIGINT, line, [{cells}] FROM am_part GROUP BY line"


def _refuse_empty(records: int, file: Inbound) -> None:
    if not records:
        reason = AM_REASONS["empty_file"]
        raise FileError(reason.explanation, code="empty_file", hint=reason.fix, facts={"file": file.source.name})


def _with_read(judged: dict[int, Counts], staged: Sequence[Part]) -> dict[int, Counts]:
    """Every counter of each file that one file can have: with the lines that were refused as they were read."""
    found = {}
    for part in staged:
        counts = judged.get(part.file_no, Counts()) + Counts(
            records_received=part.received, format_errors=part.format_errors, lines_too_long=part.too_long
        )
        _derive(counts)
        found[part.file_no] = counts
    return found


def _without_mapping(counts: Counts) -> Counts:
    """Beta knows no ids: every well-formed record with a valid one has no match, and nothing is evaluated."""
    unmatched = counts.no_matching_aam_id + counts.no_trait_realized + counts.stored_records
    return Counts(
        records_received=counts.records_received,
        format_errors=counts.format_errors,
        lines_too_long=counts.lines_too_long,
        invalid_aam_id=counts.invalid_aam_id,
        invalid_device_id=counts.invalid_device_id,
        no_matching_aam_id=unmatched,
        lines_over_user_cap=counts.lines_over_user_cap,
    )


def _add(receipt: BatchReceipt, counts: Counts) -> None:
    for name in Counts.model_fields:
        setattr(receipt, name, getattr(receipt, name) + getattr(counts, name))
    _derive(receipt)


def _derive(counts: Counts) -> None:
    """The counters that follow from others."""
    counts.records_processed = counts.records_received - counts.lines_too_long - counts.lines_over_user_cap
    counts.total_signals = (
        counts.used_signals + counts.total_unused_signals + counts.ignored_signals + counts.failed_signals
    )
