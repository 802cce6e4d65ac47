"""What texts look like where no data type can tell: digits only, words, codes, leading zeros."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from ingest_core.files.sketch import Counted

# Everything beyond ASCII counts as a letter: Unicode classes such as \p{L} take RE2 a millisecond to build, each time.
_LETTER = r"A-Za-z\x{80}-\x{10FFFF}"

PATTERNS = {
    "digits": r"^[0-9]+$",
    "zeros": r"^0[0-9]+$",
    "plus": r"^\+[0-9][0-9 ()./-]{5,}$",
    "words": rf"^[{_LETTER}][{_LETTER} .,'`()/-]*$",
    "codes": rf"^[{_LETTER}0-9][{_LETTER}0-9 -]{{1,11}}$",
    "ids": r"^\S+$",
}
"""Shape → RE2 pattern of the whole value."""


class Shapes:
    """Shares of values of each shape, from the first ``most`` different values of a column."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._seen = 0
        self._values = 0
        self._counts = dict.fromkeys(PATTERNS, 0)

    def add(self, found: Counted) -> None:
        """Takes different values with their counts."""
        left = self._most - self._values
        if left <= 0 or not len(found.values):
            return
        values, counts = found.values.slice(0, left), found.counts[:left]
        self._values += len(values)
        self._seen += int(counts.sum())
        for name, pattern in PATTERNS.items():
            is_so = np.asarray(pc.match_substring_regex(values, pattern)).astype(bool)
            self._counts[name] += int(counts[is_so].sum())

    def shares(self) -> dict[str, float]:
        """Shape → share 0–1; empty for an empty column."""
        return {name: count / self._seen for name, count in self._counts.items()} if self._seen else {}
