"""One part of a data file, or one ID sync file, read into the tables that the folds work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest_core.audience_manager.evaluation import Effects, Evaluator
from ingest_core.audience_manager.id_sync import RowContext
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import CATEGORIES
from ingest_core.audience_manager.observing import PartWatch
from ingest_core.audience_manager.parsed_block import ParsedBlock
from ingest_core.audience_manager.reading import LongLine, TextBlock
from ingest_core.audience_manager.row_blocks import RowBlock, parse_rows
from ingest_core.audience_manager.shares import LINES, OPERATIONS, Shares
from ingest_core.audience_manager.trait_fold import LINE_BITS
from ingest_core.engine import RowFile, Session

_KEPT = [CATEGORIES.index(name) for name in ("ok", "invalid_aam_id", "invalid_device_id")]
_FORMAT, _LONG, _BLANK = (CATEGORIES.index(name) for name in ("format_error", "excluded_too_long", "blank"))
_SYNC_COUNTER = {
    "excluded_too_long": "lines_too_long",
    "format_error": "format_errors",
    "invalid_aam_id": "invalid_aam_id",
    "invalid_device_id": "invalid_device_id",
}

PAIRS = pa.schema({"line": pa.int64(), "place": pa.int32(), "dpid": pa.int64(), "id": pa.string()})


@dataclass
class Part:
    """What was counted while one file was read: lines that are no records and lines that are refused at once."""

    number: int
    file_no: int
    received: int = 0
    format_errors: int = 0
    too_long: int = 0

    @property
    def first_pos(self) -> int:
        """The place before the first line."""
        return self.file_no << LINE_BITS


def stage_part(
    shares: Shares,
    part: Part,
    dpid: int,
    blocks: Iterable[TextBlock | LongLine],
    parser: BlockParser,
    evaluator: Evaluator,
    watch: PartWatch | None = None,
) -> None:
    """Adds the well-formed lines of a part and what they do to ``shares``; ``dpid``: of its profiles."""
    for block in blocks:
        if isinstance(block, LongLine):
            part.received += 1
            part.too_long += 1
            if watch is not None:
                watch.take_long()
            continue
        parsed = parser.parse(block.data, block.first_line)
        counts = np.bincount(parsed.category, minlength=len(CATEGORIES))
        part.received += len(parsed) - int(counts[_BLANK])
        part.format_errors += int(counts[_FORMAT])
        part.too_long += int(counts[_LONG])
        effects = evaluator.evaluate(parsed)
        if watch is not None:
            watch.take(block, parsed, effects)
        shares.add(_lines(part, dpid, parsed, effects), _operations(part, parsed, effects))


def _lines(part: Part, dpid: int, parsed: ParsedBlock, effects: Effects) -> pa.Table:
    kept = np.flatnonzero(np.isin(parsed.category, _KEPT))
    count = len(kept)
    names = pa.array(CATEGORIES).take(pa.array(parsed.category[kept].astype(np.int32)))
    numbers = (effects.used, effects.unused, effects.ignored, effects.failed, effects.failed_traits)
    return pa.table(
        {
            "pos": part.first_pos + parsed.first_line + kept,
            "category": names,
            "dpid": np.full(count, dpid if parsed.id_dpid is None else parsed.id_dpid, np.int64),
            "user_id": parsed.user_id.take(pa.array(kept)).cast(pa.string()),
            **{
                name: column[kept].astype(np.int32)
                for name, column in zip(("used", "unused", "ignored", "failed", "failed_traits"), numbers, strict=True)
            },
            "has_effect": effects.has_effect[kept],
        },
        schema=LINES,
    )


def _operations(part: Part, parsed: ParsedBlock, effects: Effects) -> pa.Table:
    return pa.table(
        {
            "pos": part.first_pos + parsed.first_line + effects.op_line,
            "trait_id": effects.op_trait,
            "is_add": effects.op_is_add,
        },
        schema=OPERATIONS,
    )


@dataclass
class Rows:
    """What was counted in an ID sync file, by the names of its receipt."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, counter: str, more: int = 1) -> None:
        """So many more."""
        self.counts[counter] = self.counts.get(counter, 0) + more


def stage_rows(session: Session, context: RowContext, blocks: Iterable[TextBlock | LongLine]) -> Rows:
    """Fills ``am_pair`` with the ids of all good rows."""
    rows, pairs = Rows(), session.scratch.writer(PAIRS, rising="line")
    try:
        for block in blocks:
            _stage_rows(rows, pairs, context, block)
    except BaseException:
        pairs.close()
        session.scratch.remove([pairs.path])
        raise
    pairs.close()
    session.scratch.show("am_pair", [pairs.path])
    return rows


def _stage_rows(rows: Rows, pairs: RowFile, context: RowContext, block: TextBlock | LongLine) -> None:
    if isinstance(block, LongLine):
        rows.add("records_received")
        rows.add("lines_too_long")
        return
    parsed = parse_rows(block.data, context, block.first_line)
    counts = np.bincount(parsed.category, minlength=len(CATEGORIES))
    rows.add("records_received", len(parsed) - int(counts[_BLANK]))
    for category, counter in _SYNC_COUNTER.items():
        rows.add(counter, int(counts[CATEGORIES.index(category)]))
    for place, (dpid, ids) in enumerate(zip(parsed.dpids, parsed.ids, strict=True)):
        pairs.write(_pairs(parsed.first_line + parsed.lines, place, dpid, ids))
    pairs.write(_exact_pairs(parsed))


def _pairs(lines: NDArray[np.int64], place: int, dpid: int, ids: pa.Array) -> pa.Table:
    count = len(lines)
    columns = {"line": lines, "place": np.full(count, place, np.int32), "dpid": np.full(count, dpid, np.int64)}
    return pa.table({**columns, "id": ids.cast(pa.string())}, schema=PAIRS)


def _exact_pairs(parsed: RowBlock) -> pa.Table:
    """The ids of the rows that the exact parser found good."""
    found = [
        (parsed.first_line + index, place, dpid, identifier)
        for index, row in parsed.exact.items()
        if row.category == "ok"
        for place, (dpid, identifier) in enumerate(row.ids)
    ]
    columns = zip(*found, strict=True) if found else ((), (), (), ())
    return pa.table(dict(zip(PAIRS.names, columns, strict=True)), schema=PAIRS)
