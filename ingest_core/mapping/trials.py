"""Reading a column as a data type on trial, in each of its formats, and which format the values themselves show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.files.sketch import Counted, Counts, Histogram
from ingest_core.mapping.signs import signs_of
from ingest_core.mapping.spread import DaySpread, number_bins
from ingest_core.mapping.types import TYPES
from ingest_core.mapping.types.base import DataType, Unfit
from ingest_core.models import Bin, Converted, TypeContext

NUMBERS = frozenset({"number", "integer"})
MOMENTS = frozenset({"date", "datetime"})

HOPELESS = 0.05
"""A format that fits a smaller share of the values seen so far is not tried on the rest of a long file."""
ENOUGH = 400
"""Different values that must have been seen before a format is given up."""
FIRST_LOOK = 24
"""Values read first, one by one; all of them miss a format that fits a fifth of the column once in 200 times."""
NEAR = frozenset({"phone_needs_country", "spreadsheet_damage"})
"""Reasons that say "yes, but": such values are a question or a damage of this type, not another type."""
CLEARLY = 10
"""A format wins over another when it alone fits this many times the values that only the other fits."""

Marks = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Trial:
    """One format of one type: how many cells were read (``seen``), how many fit, why the others did not."""

    format: str | None
    seen: int = 0
    fitting: int = 0
    is_hopeless: bool = False
    reasons: Counter[str] = field(default_factory=Counter)
    low: str | None = None
    high: str | None = None
    numbers: Histogram = field(default_factory=Histogram)
    days: DaySpread = field(default_factory=DaySpread)

    @property
    def share(self) -> float:
        """Share of the cells read that fit, 0–1."""
        return self.fitting / self.seen if self.seen else 0.0

    def bins(self, type_name: str) -> tuple[Bin, ...]:
        """Bars of the values that fit."""
        return number_bins(self.numbers) if type_name in NUMBERS else self.days.bins()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best format of a type; ``rivals`` (the best included) when the values leave open which of several it is."""

    best: Trial
    rivals: tuple[Trial, ...] = ()


class TypeTrials:
    """All formats of one type on one column."""

    def __init__(self, kind: DataType, context: TypeContext, most: int | None = None) -> None:
        self.kind = kind
        self.context = context
        self.most = most  # different values after which a slow type has seen enough
        # The formats of phones are countries, and no number tells which one it is from: that is for people to say.
        self.trials = [Trial(None)] if kind.name == "phone" else [Trial(known.value) for known in kind.formats]
        self.trials = self.trials or [Trial(None)]
        self._values = 0
        self._both: Counter[tuple[int, int]] = Counter()
        self._differ: Counter[tuple[int, int]] = Counter()

    @property
    def is_open(self) -> bool:
        """Whether more values would still be read."""
        is_enough = self.most is not None and self._values >= self.most
        return not is_enough and any(not trial.is_hopeless for trial in self.trials)

    def add(self, found: Counted, signs: frozenset[str]) -> None:
        """Takes different values with their counts; ``signs`` are those that occur in them (see signs.py)."""
        if not self.is_open:
            return
        if self.kind.name == "datetime" and ":" not in signs:
            return  # no times: as_moments() says the same from the days
        if self.most is not None and len(found.values) > self.most - self._values:
            found = sample(found, self.most - self._values)
        if self._values == 0:
            self._screen(found, signs)
            if len(found.values) > 4 * ENOUGH:
                self._give_up(sample(found, ENOUGH), signs)
        self._values += len(found.values)
        read: dict[int, tuple[Converted, Marks]] = {}
        for index, trial in enumerate(self.trials):
            if trial.is_hopeless:
                continue
            if signs_of(self.kind.name, trial.format) <= signs:
                read[index] = self._read(trial, found)
            else:
                trial.seen += int(found.counts.sum())
        self._compare(read, found.counts)
        if self._values >= ENOUGH:
            for trial in self.trials:
                trial.is_hopeless = trial.is_hopeless or self._near(trial) < HOPELESS

    def verdict(self) -> Verdict:
        """Which format the values show."""
        order = sorted(range(len(self.trials)), key=lambda index: (-self.trials[index].fitting, index))
        best = order[0]
        rivals = [index for index in order[1:] if self._is_rival(best, index)]
        if not rivals:
            return Verdict(self.trials[best])
        return Verdict(self.trials[best], tuple(self.trials[index] for index in sorted([best, *rivals])))

    def _screen(self, found: Counted, signs: frozenset[str]) -> None:
        """Gives up formats that fit none of a few values: a look at these is cheaper than one at all of them."""
        some = sample(found, FIRST_LOOK).values.to_pylist()
        for trial in self.trials:
            is_possible = signs_of(self.kind.name, trial.format) <= signs
            if is_possible and not any(self._is_near(value, trial.format) for value in some):
                trial.is_hopeless = True
                trial.seen = int(found.counts.sum())

    def _is_near(self, value: str, fmt: str | None) -> bool:
        try:
            self.kind.exact(value, fmt, self.context)
        except Unfit as unfit:
            return unfit.code in NEAR
        return True

    def _give_up(self, some: Counted, signs: frozenset[str]) -> None:
        for trial in self.trials:
            if not trial.is_hopeless and signs_of(self.kind.name, trial.format) <= signs:
                self._read(trial, some)
                trial.is_hopeless = self._near(trial) < HOPELESS
        for index, trial in enumerate(self.trials):
            if not trial.is_hopeless:  # it will read these again among the others
                self.trials[index] = Trial(trial.format)

    def _near(self, trial: Trial) -> float:
        """Share that fits, or nearly."""
        return trial.share + (sum(trial.reasons[code] for code in NEAR) / trial.seen if trial.seen else 0.0)

    def _read(self, trial: Trial, found: Counted) -> tuple[Converted, Marks]:
        converted = self.kind.convert(found.values, trial.format, self.context)
        is_good: Marks = np.asarray(pc.is_valid(converted.text)).astype(bool)
        trial.seen += int(found.counts.sum())
        trial.fitting += int(found.counts[is_good].sum())
        if converted.code is not None:
            codes = converted.code.dictionary_encode()
            for number, code in enumerate(codes.dictionary.to_pylist()):
                trial.reasons[code] += int(
                    found.counts[np.asarray(pc.equal(codes.indices, number).fill_null(False))].sum()
                )
        if is_good.any() and self.kind.name in NUMBERS | MOMENTS:
            _extend(trial, self.kind.name, converted.text.drop_null(), found.counts[is_good])
        return converted, is_good

    def _compare(self, read: dict[int, tuple[Converted, Marks]], counts: Counts) -> None:
        for left, (one, fits_one) in read.items():
            for right, (other, fits_other) in read.items():
                if left < right:
                    both = fits_one & fits_other
                    self._both[left, right] += int(counts[both].sum())
                    differs = np.asarray(pc.fill_null(pc.not_equal(one.text, other.text), False)).astype(bool)
                    self._differ[left, right] += int(counts[both & differs].sum())

    def _is_rival(self, best: int, other: int) -> bool:
        """Whether the values leave open if ``best`` or ``other`` is meant."""
        pair = (min(best, other), max(best, other))
        both = self._both[pair]
        if not both or (self.kind.name in NUMBERS and not self._differ[pair]):
            return False
        only_best, only_other = self.trials[best].fitting - both, self.trials[other].fitting - both
        return not (only_best > 0 and only_other * CLEARLY <= only_best)


def as_moments(days: Verdict) -> Verdict:
    """The verdict on days said of moments: a day is its midnight."""

    def moment(trial: Trial) -> Trial:
        return replace(trial, format=f"{trial.format} HH:MM")

    return Verdict(moment(days.best), tuple(moment(trial) for trial in days.rivals))


def sample(found: Counted, size: int) -> Counted:
    """``size`` values spread evenly over all of them."""
    places = np.unique(np.linspace(0, len(found.values) - 1, size).astype(np.int64))
    return Counted(found.values.take(pa.array(places)), found.counts[places])


def _extend(trial: Trial, type_name: str, text: pa.StringArray, counts: Counts) -> None:
    """Takes canonical texts into the extremes and the spread."""
    if type_name in NUMBERS:
        numbers = text.cast(pa.float64()).to_numpy()
        if numbers.min() < trial.numbers.low:
            trial.low = text[int(numbers.argmin())].as_py()
        if numbers.max() > trial.numbers.high:
            trial.high = text[int(numbers.argmax())].as_py()
        trial.numbers.add(numbers, counts)
        return
    least, most = (value.as_py() for value in pc.min_max(text).values())
    trial.low = least if trial.low is None else min(trial.low, least)
    trial.high = most if trial.high is None else max(trial.high, most)
    days = pc.utf8_slice_codeunits(text, 0, 10).cast(pa.date32()).cast(pa.int32()).to_numpy()
    trial.days.add(days.astype(np.int64), counts)


def all_trials(context: TypeContext) -> dict[str, TypeTrials]:
    """One for every type but text, which everything fits. Reading phones is slow: a sample of them is enough."""
    slow = {"phone": 20_000}
    return {name: TypeTrials(kind, context, slow.get(name)) for name, kind in TYPES.items() if name != "string"}
