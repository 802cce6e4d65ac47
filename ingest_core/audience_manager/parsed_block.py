"""The lines of one block of a data file as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest_core.audience_manager.item_reader import NO_TRAIT
from ingest_core.audience_manager.items import OP_KINDS, Op
from ingest_core.audience_manager.lines import CATEGORIES, WARNINGS, ParsedLine

_BLANK = CATEGORIES.index("blank")


@dataclass(frozen=True, slots=True)
class Ops:
    """The operations of a block's ok lines, in file order.

    ``line``: index of the line in the block; ``kind``: index in ``OP_KINDS``; ``trait``: id, or -1 where the kind has
    none (or the number is larger than any trait's); ``key`` and ``value``: strings, dictionary-encoded, null where the
    kind has none.
    """

    line: NDArray[np.int64]
    kind: NDArray[np.int8]
    trait: NDArray[np.int64]
    key: pa.DictionaryArray
    value: pa.DictionaryArray


@dataclass(frozen=True, slots=True)
class ParsedBlock:
    """Consecutive lines. ``category`` and ``warnings`` (bits) per line; ``user_id``: strings, null where there is none.

    ``exact``: the lines that the exact parser read, by index, with their problems. ``id_dpid``: of the others, in an
    ODC file.
    """

    first_line: int
    category: NDArray[np.int8]
    warnings: NDArray[np.uint8]
    user_id: pa.Array
    ops: Ops
    exact: dict[int, ParsedLine]
    id_dpid: int | None = None

    def __len__(self) -> int:
        return len(self.category)

    def line(self, index: int) -> ParsedLine:
        """One line as ``parse_line`` gives it."""
        if index in self.exact:
            return self.exact[index]
        if self.category[index] == _BLANK:
            return ParsedLine("blank")
        begin, end = np.searchsorted(self.ops.line, [index, index + 1]).tolist()
        bits = int(self.warnings[index])
        return ParsedLine(
            CATEGORIES[self.category[index]],
            self.user_id[index].as_py(),
            tuple(self._op(at) for at in range(begin, end)),
            tuple(name for place, name in enumerate(WARNINGS) if bits >> place & 1),
            id_dpid=self.id_dpid,
        )

    def _op(self, at: int) -> Op:
        trait = int(self.ops.trait[at])
        return Op(
            OP_KINDS[self.ops.kind[at]],
            None if trait == NO_TRAIT else trait,
            self.ops.key[at].as_py(),
            self.ops.value[at].as_py(),
        )
