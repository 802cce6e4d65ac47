"""Reads a plan's file into the stage: typed rows, sealed pages of PII, rejects. No transaction yet.

The stage is a temporary table filled in autocommit (rowids of an open transaction start at 2^55); it holds tokens
where the file held PII. Two slices are converted at a time while a third is being read.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import Runner
from ingest_core.files import read_slices
from ingest_core.ledger.profiles import stage_columns
from ingest_core.models import Attribute, ColumnMapping, Slice
from ingest_core.plan.plan import Plan
from ingest_core.plan.rows import Batch, RowPlan, RowReject, convert_slice
from ingest_core.vault.writing import PAGE_COLUMNS, Collector, PageWriter, append


@dataclass
class Staged:
    """What reading counted. ``accepted`` rows lie in table ``stage``, rejects in ``stage_reject``."""

    lines: int = 0
    physical_lines: int = 0
    blank: int = 0
    accepted: int = 0
    rejected: int = 0
    suppressed: int = 0
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    emptied: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)


_REJECTS = (
    """CREATE OR REPLACE TEMP TABLE stage_reject (
        upload_no INTEGER, line BIGINT, code VARCHAR, codes VARCHAR, column_name VARCHAR, page_id BIGINT, slot INTEGER,
        tokens UUID[])""",
    f"CREATE OR REPLACE TEMP TABLE stage_reject_page {PAGE_COLUMNS}",
)


def mapped(plan: Plan) -> list[tuple[Attribute, ColumnMapping]]:
    """(attribute, rules) of each mapped column of the file."""
    return [(attribute, column) for _, column, attribute in plan.resolved.columns]


def stage_file(
    runner: Runner, plan: Plan, rows: RowPlan, pages: PageWriter, upload_no: int, slice_bytes: int
) -> Staged:
    """Fills ``stage`` and ``stage_reject``; the account of every line is exact."""
    session = runner.session
    columns = "".join(f", {quote(name)} {kind}" for name, kind in stage_columns(mapped(plan)))
    session.run(f"CREATE OR REPLACE TEMP TABLE stage (rid BIGINT{columns})")
    for sql in _REJECTS:
        session.run(sql)
    staged = Staged()
    rows_held = Collector(session, "stage")
    converted, size = 0, plan.facts.text_bytes

    def tell(phase: str, done: int, total: int | None) -> None:
        """Says what is converted, not what is read; also while reading is silent, so that it can be stopped then."""
        runner.progress("read", min(converted, size), size)

    slices = read_slices(plan.file, plan.facts, plan.dialect, plan.limits, slice_bytes=slice_bytes, progress=tell)
    for batch in _converted(slices, rows):
        converted += batch.bytes_read
        tell("read", converted, size)
        _count(staged, batch)
        runner.live |= {"lines": staged.lines, "rejected": staged.rejected}
        if batch.table.num_rows:
            rows_held.add(_with_rid(batch.table, upload_no))
            for attribute_id, tokens, values in batch.values:
                pages.add(attribute_id, tokens, values)
        if batch.rejects:
            _keep_rejects(session, plan, pages, upload_no, batch.rejects)
    rows_held.flush()
    return staged


def _converted(slices: Iterator[Slice], rows: RowPlan, ahead: int = 2) -> Iterator[Batch]:
    """Batches in file order, converted by two threads (the work happens in libraries that release the GIL)."""
    with ThreadPoolExecutor(max_workers=ahead, thread_name_prefix="onramp-rows") as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for piece in slices:
                waiting.append(pool.submit(convert_slice, piece, rows))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _with_rid(table: pa.Table, upload_no: int) -> pa.Table:
    rid = np.bitwise_or(np.int64(upload_no << 32), table.column("line").to_numpy())
    return table.drop_columns(["line"]).add_column(0, "rid", pa.array(rid))


def _count(staged: Staged, batch: Batch) -> None:
    staged.lines += batch.lines
    staged.physical_lines += batch.physical_lines
    staged.blank += batch.blank
    staged.accepted += batch.table.num_rows
    staged.rejected += len(batch.rejects)
    staged.suppressed += batch.suppressed
    staged.left_out.update(batch.left_out)
    staged.emptied += batch.emptied
    staged.by_reason.update(reject.codes[0] for reject in batch.rejects)


def _keep_rejects(session: Session, plan: Plan, writer: PageWriter, upload_no: int, rejects: list[RowReject]) -> None:
    pages, page_ids, slots = writer.seal_texts([reject.text for reject in rejects])
    append(session, "stage_reject_page", pages)
    names = plan.columns
    append(
        session,
        "stage_reject",
        pa.table(
            {
                "upload_no": pa.array([upload_no] * len(rejects), pa.int32()),
                "line": pa.array([reject.line for reject in rejects], pa.int64()),
                "code": pa.array([reject.codes[0] for reject in rejects]),
                "codes": pa.array([",".join(reject.codes) for reject in rejects]),
                "column_name": pa.array(
                    [names[r.column] if r.column is not None and r.column < len(names) else None for r in rejects],
                    pa.string(),
                ),
                "page_id": pa.array(page_ids, pa.int64()),
                "slot": pa.array(slots, pa.int32()),
                "tokens": _uuid_lists([reject.tokens for reject in rejects]),
            }
        ),
    )


def _uuid_lists(lists: list[tuple[bytes, ...]]) -> pa.Array:
    flat = [token for tokens in lists for token in tokens]
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum([len(tokens) for tokens in lists], out=offsets[1:])
    storage = pa.array(flat, pa.binary(16))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.ExtensionArray.from_storage(pa.uuid(), storage))
