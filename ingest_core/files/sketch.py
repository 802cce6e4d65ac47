"""Counting in a bounded space: how many different values, which are the most frequent, how they are spread.

All three give the same answer however the values are cut into slices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars
import pyarrow as pa
import pyarrow.compute as pc

Counts = npt.NDArray[np.int64]
_FLOAT_ERROR = 4 * float(np.finfo(np.float64).eps)  # of a decimal number divided by a width, relative


@dataclass(frozen=True, slots=True)
class Counted:
    """Different values and how often each occurs; both of the same length."""

    values: pa.StringArray
    counts: Counts


EMPTY = Counted(pa.array([], pa.string()), np.zeros(0, np.int64))


def count_values(values: pa.StringArray | pa.ChunkedArray) -> Counted:
    """The different values in order of first appearance; nulls are counted like a value."""
    found = pc.value_counts(values)  # in order of first appearance
    return Counted(found.field("values").cast(pa.string()), found.field("counts").to_numpy().astype(np.int64))


def add_counts(*parts: Counted) -> Counted:
    """All of them together, each value once, in order of first appearance (Arrow's group_by keeps no order)."""
    together = pa.concat_arrays([part.values for part in parts]).dictionary_encode()
    counts = np.concatenate([part.counts for part in parts])
    places = together.indices.to_numpy(zero_copy_only=False)
    sums = np.bincount(places, weights=counts, minlength=len(together.dictionary))
    return Counted(together.dictionary, sums.astype(np.int64))


class DistinctCounter:
    """How many different values there are: exact up to ``limit``, then estimated from the smallest hashes.

    Keeps the ``limit`` smallest 64-bit hashes (k minimum values, Bar-Yossef et al. 2002): when the k-th smallest lies
    at the share x of the hash range, about (k - 1) / x different values were seen; standard error 1/√k, 0.3 % for
    100,000.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.is_exact = True
        self._hashes: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)

    def add(self, values: pa.StringArray) -> None:
        """Takes values of any number; repeated ones do no harm."""
        hashes = _spread(polars.Series(values).hash(seed=1).to_numpy())
        if not self.is_exact:
            hashes = hashes[hashes < self._hashes[-1]]
            if not len(hashes):
                return
        union = np.sort(np.concatenate([self._hashes, hashes]))
        union = union[np.concatenate([[True], union[1:] != union[:-1]])] if len(union) else union
        if len(union) > self.limit:
            self.is_exact = False
            union = union[: self.limit].copy()
        self._hashes = union

    @property
    def count(self) -> int:
        """Different values so far."""
        if self.is_exact:
            return len(self._hashes)
        return round((self.limit - 1) / (float(self._hashes[-1]) / 2.0**64))


def _spread(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Makes all 64 bits depend on all others (the finaliser of SplitMix64): the estimate needs evenly spread hashes."""
    mixed = hashes.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


class TopCounter:
    """The most frequent values: exact while few, then every value more frequent than 1 in ``kept`` rows is still found.

    While exact, ``content`` holds every value with its count. Past ``limit`` values or ``limit_bytes`` it becomes a
    Misra–Gries summary: counts are then lower bounds.
    """

    def __init__(self, limit: int = 20_000, limit_bytes: int = 4 << 20, kept: int = 1_000, clip: int = 200) -> None:
        self.limit, self.limit_bytes, self.kept, self.clip = limit, limit_bytes, kept, clip
        self.is_exact = True
        self.content = EMPTY

    def add(self, new: Counted) -> Counted | None:
        """Takes different values; at the moment they can no longer be kept exactly, hands out all of them so far."""
        if not self.is_exact:
            self.content = self._reduce(add_counts(self.content, self._clipped(new)))
            return None
        self.content = add_counts(self.content, new)
        if len(self.content.values) <= self.limit and self.content.values.nbytes <= self.limit_bytes:
            return None
        self.is_exact = False
        everything = self.content
        self.content = self._reduce(add_counts(self._clipped(everything)))
        return everything

    def top(self, size: int) -> list[tuple[str, int]]:
        """The most frequent values, equal counts in order of the text; nothing where no value repeats."""
        counts = self.content.counts
        if not len(counts) or (counts.max() == 1 and len(counts) > 1):
            return []
        bound = np.sort(counts)[-min(size, len(counts))]
        chosen = np.flatnonzero(counts >= bound)[: self.limit]
        values = self.content.values.take(pa.array(chosen)).to_pylist()
        pairs = zip(values, counts[chosen].tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:size]

    def _clipped(self, new: Counted) -> Counted:
        """Long texts are cut: a thousand of a megabyte each would fill the memory."""
        if not len(new.values) or pc.max(pc.binary_length(new.values)).as_py() <= self.clip:
            return new
        cut = pc.utf8_slice_codeunits(new.values, 0, self.clip)
        return Counted(cut, new.counts)

    def _reduce(self, content: Counted) -> Counted:
        if len(content.counts) <= self.kept:
            return content
        spare = np.partition(content.counts, -self.kept - 1)[-self.kept - 1]
        left = content.counts - spare
        chosen = np.flatnonzero(left > 0)
        return Counted(content.values.take(pa.array(chosen)), left[chosen])


class Histogram:
    """Counts of numbers in at most ``bins`` bins of equal, round width (1, 5, 10, 50 … times a power of ten).

    Each width is a whole multiple of the one before, so that bins merge exactly when the range grows.
    """

    def __init__(self, bins: int = 30) -> None:
        self.bins = bins
        self.low = math.inf
        self.high = -math.inf
        self.is_whole = True
        self._step: int | None = None  # width = 10^(step // 2), times 5 where step is odd
        self._counts: dict[int, int] = {}

    def add(self, numbers: npt.NDArray[np.float64], counts: Counts) -> None:
        """Takes finite numbers and how often each occurs."""
        if not len(numbers):
            return
        self.low = min(self.low, float(numbers.min()))
        self.high = max(self.high, float(numbers.max()))
        self.is_whole = self.is_whole and bool((numbers == np.floor(numbers)).all())
        if self._step is None:
            self._step = _first_step(self.low, self.high, self.bins)
        while _place(self.high, self._step) - _place(self.low, self._step) >= self.bins:
            self._coarsen()
        places, where = np.unique(np.floor(_scaled(numbers, self._step)).astype(np.int64), return_inverse=True)
        sums = np.bincount(where, weights=counts)
        for place, count in zip(places.tolist(), sums.tolist(), strict=True):
            self._counts[place] = self._counts.get(place, 0) + int(count)

    def result(self) -> list[tuple[float, float, int]]:
        """(from, to, count) of every bin from the lowest to the highest filled one, the empty ones between included."""
        if self._step is None:
            return []
        while self.is_whole and self._step < 0:
            self._coarsen()
        step = self._step
        return [
            (_edge(place, step), _edge(place + 1, step), self._counts.get(place, 0))
            for place in range(min(self._counts), max(self._counts) + 1)
        ]

    def _coarsen(self) -> None:
        assert self._step is not None
        factor = 5 if self._step % 2 == 0 else 2
        self._step += 1
        merged: dict[int, int] = {}
        for place, count in self._counts.items():
            merged[place // factor] = merged.get(place // factor, 0) + count
        self._counts = merged


def _scaled(numbers: npt.NDArray[np.float64], step: int) -> npt.NDArray[np.float64]:
    """Numbers in units of the bin width; what a float cannot tell from an edge is the edge: 0.3 is three tenths."""
    power, is_five = divmod(step, 2)
    scaled = numbers * 10.0**-power if power < 0 else numbers / 10.0**power
    scaled = scaled / 5 if is_five else scaled
    edges = np.rint(scaled)
    return np.where(np.abs(scaled - edges) <= _FLOAT_ERROR * np.abs(edges), edges, scaled)


def _place(number: float, step: int) -> int:
    return math.floor(float(_scaled(np.array([number]), step)[0]))


def _edge(place: int, step: int) -> float:
    power, is_five = divmod(step, 2)
    whole = place * (5 if is_five else 1)
    return whole / 10**-power if power < 0 else float(whole * 10**power)


def _first_step(low: float, high: float, bins: int) -> int:
    """A width that is surely fine enough: far below the range, but not below what a float can tell apart."""
    spread = max((high - low) / bins, max(abs(low), abs(high)) * 1e-9, 1e-9)
    return 2 * math.floor(math.log10(spread)) - 2
