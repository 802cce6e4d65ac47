"""The columns of a data file seen as a table: its ids, its traits, and one for every key of its signals.

A column's name is the key as header rules want it (domain.md §4): without case, spaces and hyphens as ``_``. Keys with
the same name are one column, in every file, so that a mapping of one file fits the next. Names that the table gives
itself cannot be a key's: such a key gets ``signal_`` before it. Keys ``p_…`` are private and never become a column.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.parsed_block import Ops, ParsedBlock
from ingest_core.files.header import cleaned_name
from ingest_core.models import Mapping

TRAITS, REMOVED = "traits", "removed_traits"
MOST_KEYS = 500
LONGEST_KEY = 200  # characters of a column's name

_SIGNAL = OP_KINDS.index("signal")
_OURS = re.compile(rf"(signal_)*({TRAITS}|{REMOVED}|id_[0-9]+)")
_IDS = re.compile("id_[0-9]+")
_PRIVATE = "p_"
_MOST_KEPT = 1 << 16

Places = NDArray[np.int64]


def id_column(dpid: int) -> str:
    """The column of the ids: it says whose they are, so that no mapping takes those of another data source."""
    return f"id_{dpid}"


def column_of(key: str) -> str | None:
    """The column of a key; None for a private key and one that is too long."""
    name = key
    while (folded := _folded(name)) != name:
        name = folded
    if name.startswith(_PRIVATE) or len(name) > LONGEST_KEY:
        return None
    return f"signal_{name}" if _OURS.fullmatch(name) else name or "signal"


def is_of_signals(mapping: Mapping) -> bool:
    """Whether a mapping takes the ids of data files: only then is one found for them."""
    return any(_IDS.fullmatch(column.column) and column.attribute for column in mapping.columns)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", cleaned_name(unicodedata.normalize("NFC", name)).casefold())


class Signals:
    """The signals of a block's operations. ``places``: which operations; ``codes``: of each, its key's in ``keys``."""

    def __init__(self, ops: Ops) -> None:
        coded = ops.key.dictionary.dictionary_encode()
        self.keys: list[str] = coded.dictionary.to_pylist()
        self.places: Places = np.flatnonzero(ops.kind == _SIGNAL)
        items = ops.key.indices.fill_null(0).to_numpy()[self.places]
        self.items: Places = items.astype(np.int64)
        self.codes: Places = coded.indices.fill_null(0).to_numpy()[items].astype(np.int64)


class KeyNames:
    """Columns of keys, each looked up once; forgets where there are very many."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def __call__(self, key: str) -> str | None:
        if key not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = column_of(key)
        return self._known[key]


class KeyFinder:
    """Finds the columns of a file, in order of first use, at most ``MOST_KEYS``."""

    def __init__(self, most: int = MOST_KEYS) -> None:
        self._most = most
        self._names = KeyNames()
        self.columns: dict[str, None] = {}
        self.further = self.unnamed = 0

    def take(self, block: ParsedBlock) -> None:
        """The next lines; only those that are taken count."""
        signals = Signals(block.ops)
        if not len(signals.codes):
            return
        counts = np.bincount(signals.codes, minlength=len(signals.keys))
        used, first = np.unique(signals.codes, return_index=True)
        for code in used[np.argsort(first)].tolist():
            name = self._names(signals.keys[code])
            if name is None:
                self.unnamed += int(counts[code])
            elif name in self.columns or len(self.columns) < self._most:
                self.columns[name] = None
            else:
                self.further += int(counts[code])

    def notices(self) -> tuple[str, ...]:
        """What is not in the table."""
        found = []
        if self.further:
            found.append(f"{_left_out(self.further)}: the first {self._most:,} keys of a file become columns.")
        if self.unnamed:
            found.append(f"{_left_out(self.unnamed)}: private keys (p_…) and very long ones become no column.")
        return tuple(found)


def _left_out(count: int) -> str:
    return "One signal was left out" if count == 1 else f"{count:,} signals were left out"
