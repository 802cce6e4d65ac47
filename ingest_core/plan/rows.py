"""The row function: a slice of text rows → typed text, tokens and rejects. Arrow in, Arrow out, no engine.

Pure apart from the keys it is given, so a cluster's workers can call the same code. Plain PII lives only in here:
what leaves are tokens, and (token, value) pairs that go straight into encrypted pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, ColumnMapping, Dialect, LineReject, Slice, TypeContext
from ingest_core.plan.blocked import is_blocked, is_short, reasons
from ingest_core.plan.original import join_cells
from ingest_core.reasons import REASONS
from ingest_core.settings import BlockedPattern
from ingest_core.vault import tokens

_ORDER = {code: position for position, code in enumerate(REASONS)}


@dataclass(frozen=True)
class ColumnPlan:
    """One mapped column: where it stands in the file, what it becomes, its keys."""

    index: int
    mapping: ColumnMapping
    attribute: Attribute
    token_key: str | None  # of PII and identifiers
    suppression_key: str | None = None  # of identifiers, when people were erased

    @property
    def is_identifier(self) -> bool:
        return self.attribute.identifier is not None


@dataclass(frozen=True)
class RowPlan:
    """Everything the row function needs to know."""

    columns: tuple[ColumnPlan, ...]
    dialect: Dialect
    context: TypeContext
    blocked: tuple[BlockedPattern, ...]
    minimum_secondary_length: int
    suppressed: dict[int, pa.Array] = field(default_factory=dict)  # attribute → tokens (binary 16)


@dataclass(frozen=True)
class RowReject:
    """A row that is not stored. ``text`` is its original line; ``tokens`` its identifiers (16 bytes each)."""

    line: int
    codes: tuple[str, ...]
    column: int | None
    text: str
    tokens: tuple[bytes, ...] = ()


@dataclass
class Batch:
    """One slice after the row function. ``table``: ``line`` and one column per stored field, accepted rows only."""

    table: pa.Table
    values: list[tuple[int, pa.Array, pa.StringArray]]  # attribute, distinct tokens, their values
    rejects: list[RowReject]
    lines: int
    physical_lines: int
    blank: int
    suppressed: int
    left_out: Counter[tuple[str, str]]  # identifier cells that identify nobody, by attribute and reason
    emptied: int  # bad cells left empty by the column's rule
    bytes_read: int


@dataclass
class _Cells:
    """A mapped column on its way."""

    plan: ColumnPlan
    text: pa.StringArray
    code: pa.StringArray | None
    cleared: pa.BooleanArray | None
    is_blank: pa.BooleanArray
    blocked: pa.BooleanArray | None = None


def convert_slice(piece: Slice, plan: RowPlan) -> Batch:
    """Types, validates and protects one slice. Every line comes out as stored row, reject, blank or suppressed."""
    left_out: Counter[tuple[str, str]] = Counter()
    emptied = 0
    cells = []
    for column in plan.columns:
        made, useless, n_emptied = _convert(piece.table.column(column.index), column, plan)
        left_out.update({(column.attribute.name, reason): count for reason, count in useless.items()})
        emptied += n_emptied
        cells.append(made)
    rows = piece.table.num_rows
    is_bad, no_identifier, all_blocked = _judge(cells, rows)
    rejects = [_line_reject(reject) for reject in piece.rejects]
    if is_bad.any():
        rejects += _row_rejects(piece, cells, plan, is_bad, no_identifier, all_blocked)
    is_suppressed = _suppressed(cells, plan, rows) & ~is_bad
    keep = ~(is_bad | is_suppressed)
    mask = None if keep.all() else pa.array(keep)
    table, values = _protect(piece.lines, cells, mask)
    rejects.sort(key=lambda reject: reject.line)
    return Batch(
        table=table,
        values=values,
        rejects=rejects,
        lines=piece.lines_seen,
        physical_lines=piece.physical_lines,
        blank=piece.blank,
        suppressed=int(is_suppressed.sum()),
        left_out=left_out,
        emptied=emptied,
        bytes_read=piece.bytes_read,
    )


def _convert(raw: pa.ChunkedArray, column: ColumnPlan, plan: RowPlan) -> tuple[_Cells, Counter[str], int]:
    values = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    if isinstance(values, pa.ChunkedArray):  # an empty or very large column
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], pa.string())
    values = pc.utf8_trim_whitespace(values)
    is_blank = pc.equal(pc.binary_length(values), 0)
    mapping, rank = column.mapping, column.attribute.identifier
    cleared = None
    if mapping.blank == "clear":
        cleared = is_blank
    elif mapping.blank != "keep":
        cleared = pc.equal(values, mapping.blank)
    absent = is_blank if cleared is None else pc.or_(is_blank, cleared)
    blocked = None
    left_out: Counter[str] = Counter()
    if rank is not None:
        blocked = pc.and_not(is_blocked(values, plan.blocked, rank), absent)
        left_out += reasons(values.filter(blocked), plan.blocked, rank, 0, is_typed=False)
        absent = pc.or_(absent, blocked)
    values = pc.if_else(absent, pa.scalar(None, pa.string()), values)
    text, code, emptied = _typed(values, column, plan)
    if rank is not None:
        shortest = plan.minimum_secondary_length
        useless = is_short(text, rank, shortest)
        if column.attribute.type == "phone":
            useless = pc.or_(useless, is_blocked(text, plan.blocked, rank))
        if pc.any(useless).as_py():
            left_out += reasons(text.filter(useless), plan.blocked, rank, shortest, is_typed=True)
            text = pc.if_else(useless, pa.scalar(None, pa.string()), text)
            blocked = pc.or_(blocked, useless)
    return _Cells(column, text, code, cleared, is_blank, blocked), left_out, emptied


def _typed(
    values: pa.StringArray, column: ColumnPlan, plan: RowPlan
) -> tuple[pa.StringArray, pa.StringArray | None, int]:
    """(canonical text, reason codes or None, bad cells left empty by the column's rule)"""
    mapping = column.mapping
    if mapping.combine == "count":
        return pc.if_else(pc.is_valid(values), "1", pa.scalar(None, pa.string())), None, 0
    made = data_type(column.attribute.type).convert(values, mapping.format, plan.context)
    text, code = made.text, made.code
    if mapping.combine == "sum":
        text, code = _summable(text, code)
    if code is None or code.null_count == len(code):
        return text, None, 0
    if mapping.bad_cell == "empty":
        return text, None, len(code) - code.null_count
    return text, code, 0


def _summable(text: pa.StringArray, code: pa.StringArray | None) -> tuple[pa.StringArray, pa.StringArray]:
    """Refuses numbers with more than 18 digits before the decimal sign: their sums would leave the range of numbers."""
    is_large = pc.fill_null(pc.match_substring_regex(text, r"^-?\d{19}"), False)
    none = pa.scalar(None, pa.string())
    return pc.if_else(is_large, none, text), pc.if_else(is_large, "number_out_of_range", none if code is None else code)


def _judge(cells: Sequence[_Cells], rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks over the rows: bad, bad for want of any identifier, bad because all identifiers are placeholders."""
    is_bad = np.zeros(rows, dtype=bool)
    usable = np.zeros(rows, dtype=bool)
    blocked = np.zeros(rows, dtype=bool)
    bad_identifier = np.zeros(rows, dtype=bool)
    for cell in cells:
        wrong = None
        if cell.code is not None:
            wrong = _mask(pc.is_valid(cell.code))
            is_bad |= wrong
        if cell.plan.is_identifier:
            usable |= _mask(pc.is_valid(cell.text))
            if cell.blocked is not None:
                blocked |= _mask(cell.blocked)
            if wrong is not None:
                bad_identifier |= wrong
    nobody = ~usable & ~bad_identifier
    return is_bad | nobody, nobody & ~blocked, nobody & blocked


def _mask(array: pa.BooleanArray) -> np.ndarray:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)


def _line_reject(reject: LineReject) -> RowReject:
    return RowReject(reject.line, (reject.code,), reject.column, reject.text)


def _row_rejects(
    piece: Slice,
    cells: Sequence[_Cells],
    plan: RowPlan,
    is_bad: np.ndarray,
    no_identifier: np.ndarray,
    all_blocked: np.ndarray,
) -> list[RowReject]:
    """One reject per bad row, with all its codes, its original text and the tokens of its identifiers."""
    positions = np.flatnonzero(is_bad)
    take = pa.array(positions)
    lines = piece.lines.take(take).to_pylist()
    texts = join_cells(piece.table.take(take), plan.dialect)
    codes: list[list[tuple[str, int | None]]] = [[] for _ in lines]
    for name, mask in (("no_identifier", no_identifier), ("blocked_identifier", all_blocked)):
        first = next((c.plan.index for c in cells if c.plan.is_identifier), None)
        for at in np.flatnonzero(mask[positions]).tolist():
            codes[at].append((name, first))
    for cell in cells:
        if cell.code is not None:
            for at, code in enumerate(cell.code.take(take).to_pylist()):
                if code is not None:
                    codes[at].append((code, cell.plan.index))
    found: list[list[bytes]] = [[] for _ in lines]
    for cell in cells:
        if cell.plan.is_identifier and cell.plan.token_key:
            made = tokens(cell.plan.token_key, cell.text.take(take)).storage.to_pylist()
            for at, value in enumerate(made):
                if value is not None:
                    found[at].append(value)
    rejects = []
    for at, line in enumerate(lines):
        ordered = sorted(codes[at], key=lambda entry: _ORDER[entry[0]])
        names = tuple(dict.fromkeys(code for code, _ in ordered))
        rejects.append(RowReject(line, names, ordered[0][1], texts[at], tuple(found[at])))
    return rejects


def _suppressed(cells: Sequence[_Cells], plan: RowPlan, rows: int) -> np.ndarray:
    """Rows that name an erased person."""
    found = np.zeros(rows, dtype=bool)
    for cell in cells:
        known = plan.suppressed.get(cell.plan.attribute.attribute_id)
        if known is not None and cell.plan.suppression_key is not None:
            made = tokens(cell.plan.suppression_key, cell.text).storage
            found |= _mask(pc.is_in(made, value_set=known))
    return found


def _protect(
    lines: pa.Array, cells: Sequence[_Cells], mask: pa.BooleanArray | None
) -> tuple[pa.Table, list[tuple[int, pa.Array, pa.StringArray]]]:
    """Accepted rows as stored: PII and identifiers as tokens; the plain values apart, distinct, for the vault."""
    arrays: dict[str, pa.Array] = {"line": lines if mask is None else lines.filter(mask)}
    values: list[tuple[int, pa.Array, pa.StringArray]] = []
    for cell in cells:
        attribute = cell.plan.attribute
        text = cell.text if mask is None else cell.text.filter(mask)
        cleared = cell.cleared if cell.cleared is None or mask is None else cell.cleared.filter(mask)
        made = None
        if cell.plan.token_key is not None:
            made, distinct, plain = _tokenise(cell.plan.token_key, text)
            if attribute.pii:
                values.append((attribute.attribute_id, distinct, plain))
        if attribute.pii:
            assert made is not None
            arrays[attribute.column] = made if cleared is None else _with_nil(made, cleared)
        else:
            arrays[attribute.column] = text if cleared is None else pc.if_else(cleared, "", text)
            if made is not None and attribute.identifier is not None:
                arrays[f"i{attribute.attribute_id}"] = made
    return pa.table(arrays), values


def _tokenise(key: str, text: pa.StringArray) -> tuple[pa.Array, pa.Array, pa.StringArray]:
    """(token per row, distinct tokens, distinct values)"""
    coded = text.dictionary_encode()
    distinct = tokens(key, coded.dictionary)
    per_row = pa.ExtensionArray.from_storage(pa.uuid(), distinct.storage.take(coded.indices))
    return per_row, distinct, coded.dictionary


def _with_nil(made: pa.Array, cleared: pa.BooleanArray) -> pa.Array:
    nil = pa.scalar(b"\x00" * 16, pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), pc.if_else(cleared, nil, made.storage))
