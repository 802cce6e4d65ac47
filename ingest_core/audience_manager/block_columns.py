"""Puts plain lines and those of the exact parser together again, in file order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest_core.audience_manager.item_reader import ItemColumns, trait_column
from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.lines import ParsedLine
from ingest_core.audience_manager.parsed_block import Ops

Places = NDArray[np.int64]


def merged_user_ids(count: int, lines: Places, ids: pa.Array, exact: Mapping[int, ParsedLine]) -> pa.Array:
    """Strings for ``count`` lines: ``ids`` for ``lines``, those of the exact lines, null elsewhere."""
    if len(lines) == count:
        return ids
    named = [(index, line.user_id) for index, line in exact.items() if line.user_id is not None]
    at = np.full(count, -1, np.int64)
    at[lines] = np.arange(len(lines))
    at[[index for index, _ in named]] = len(lines) + np.arange(len(named))
    both = pa.concat_arrays([ids, pa.array([text for _, text in named], ids.type)])
    return both.take(pa.array(at, mask=at < 0))


def merged_ops(line: Places, item: Places, items: ItemColumns, exact: Mapping[int, ParsedLine]) -> Ops:
    """The operations of plain lines (``item``: index in ``items``) and of the exact ones, ordered by line."""
    kind, trait = items.kind[item], items.trait[item]
    key, value = items.key, items.value
    extra = [(index, op) for index, parsed in sorted(exact.items()) for op in parsed.ops]
    if extra:
        line = np.concatenate((line, [index for index, _ in extra]))
        kind = np.concatenate((kind, np.array([OP_KINDS.index(op.kind) for _, op in extra], np.int8)))
        trait = np.concatenate((trait, np.array([trait_column(op.trait) for _, op in extra], np.int64)))
        item = np.concatenate((item, len(key) + np.arange(len(extra))))
        key = pa.concat_arrays([key, pa.array([op.key for _, op in extra], key.type)])
        value = pa.concat_arrays([value, pa.array([op.value for _, op in extra], value.type)])
        order = np.argsort(line, kind="stable")
        line, kind, trait, item = line[order], kind[order], trait[order], item[order]
    return Ops(line, kind, trait, _encoded(item, key), _encoded(item, value))


def _encoded(index: Places, texts: pa.Array) -> pa.DictionaryArray:
    """``texts`` at ``index``, dictionary-encoded; a null text is a null."""
    is_null = np.asarray(texts.is_null())
    mask = is_null[index] if is_null.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=mask), texts)
