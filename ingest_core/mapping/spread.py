"""How the values of a column are spread, as labelled bars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ingest_core.files.sketch import Counts, Histogram
from ingest_core.models import Bin

Days = npt.NDArray[np.int64]

_STEPS = ("D", "M", "Y", "decade")
_MOST = 36
"""Bars of one step; a longer stretch is shown in the next coarser one."""


class DaySpread:
    """Counts of days (days since 1970) by day, month, year or decade: the finest in which they make few bars."""

    def __init__(self) -> None:
        self._step = 0
        self._places: Days = np.zeros(0, np.int64)
        self._counts: Counts = np.zeros(0, np.int64)

    def add(self, days: Days, counts: Counts) -> None:
        """Takes days and how often each occurs."""
        for done in range(self._step):
            days = _coarser(days, done)
        self._group(np.concatenate([self._places, days]), np.concatenate([self._counts, counts]))
        while len(self._places) and self._step < 3 and self._places[-1] - self._places[0] >= _MOST:
            self._group(_coarser(self._places, self._step), self._counts)
            self._step += 1

    def bins(self) -> tuple[Bin, ...]:
        """From the first to the last, empty ones between included."""
        counts = dict(zip(self._places.tolist(), self._counts.tolist(), strict=True))
        places = range(min(counts), max(counts) + 1) if counts else ()
        return tuple(Bin(label=_label(place, self._step), count=counts.get(place, 0)) for place in places)

    def _group(self, places: Days, counts: Counts) -> None:
        self._places, where = np.unique(places, return_inverse=True)
        self._counts = np.bincount(where, weights=counts).astype(np.int64)


def _coarser(places: Days, step: int) -> Days:
    """Days to months, months to years since 1970, years to decades."""
    if step == 2:
        return places // 10
    return places.astype(f"datetime64[{_STEPS[step]}]").astype(f"datetime64[{_STEPS[step + 1]}]").astype(np.int64)


def _label(place: int, step: int) -> str:
    if step == 3:
        return f"{1970 + place * 10}s"
    return str(np.array(place).astype(f"datetime64[{_STEPS[step]}]"))


def number_bins(histogram: Histogram) -> tuple[Bin, ...]:
    """Bars of numbers: one number where a bar holds only that, else from–to (to: not included)."""
    bars = histogram.result()
    if histogram.low == histogram.high:
        return (Bin(label=_short(histogram.low), count=sum(count for _, _, count in bars)),)
    is_single = histogram.is_whole and bool(bars) and bars[0][1] - bars[0][0] == 1
    return tuple(
        Bin(label=_short(low) if is_single else f"{_short(low)}–{_short(high)}", count=count)
        for low, high, count in bars
    )


def _short(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:,.10g}"
