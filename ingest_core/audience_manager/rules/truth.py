"""Which lines of a block satisfy which rules: each comparison decided once for each different signal."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest_core.audience_manager.rules.comparison import Comparison, as_number
from ingest_core.audience_manager.rules.logic import AllOf, AnyOf, Expression, Leaf, Not
from ingest_core.audience_manager.rules.trait_rule import TraitRule

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hits:
    """Where one rule is true: ``lines`` of the block, and the ``signals`` (by place) that led to it (spec §10)."""

    rule: int
    lines: Places
    signals: Places


@dataclass(frozen=True, slots=True)
class _Asked:
    """A comparison of a rule."""

    rule: int
    place: int
    comparison: Comparison


class RuleSet:
    """Rules by number, ready for block after block. A rule needs one true comparison at least (D-37a)."""

    def __init__(self, rules: Sequence[TraitRule], *, has_case: bool = False) -> None:
        self._rules = rules
        self._has_case = has_case
        self._texts: dict[tuple[str, str], list[_Asked]] = {}  # equality of text: found by its literal
        self._others: dict[str, list[_Asked]] = {}
        for number, rule in enumerate(rules):
            for place, comparison in enumerate(rule.comparisons):
                asked = _Asked(number, place, comparison)
                is_number = comparison.is_bare and as_number(comparison.literal) is not None
                if comparison.operator == "==" and not is_number:
                    self._texts.setdefault((comparison.key, self._folded(comparison.literal)), []).append(asked)
                else:
                    self._others.setdefault(comparison.key, []).append(asked)

    def holding(self, key: str, value: str) -> list[_Asked]:
        """The comparisons that one signal satisfies."""
        name = key if self._has_case else key.lower()
        equal = self._texts.get((name, self._folded(value)), [])
        return [*equal, *(one for one in self._others.get(name, ()) if one.comparison.holds(value))]

    def find(self, line: Places, signal: Places, distinct: Sequence[tuple[str, str]]) -> list[Hits]:
        """Rules that are true of some line. ``line`` of each signal, ``signal``: its number in ``distinct``."""
        satisfied: dict[int, list[tuple[_Asked, int]]] = {}
        for number, (key, value) in enumerate(distinct):
            for asked in self.holding(key, value):
                satisfied.setdefault(asked.rule, []).append((asked, number))
        if not satisfied:
            return []
        order = np.argsort(signal, kind="stable")
        begins = np.searchsorted(signal[order], np.arange(len(distinct) + 1))
        places = [order[begins[number] : begins[number + 1]] for number in range(len(distinct))]
        return [self._hits(rule, found, line, places) for rule, found in satisfied.items()]

    def _hits(self, rule: int, found: list[tuple[_Asked, int]], line: Places, places: Sequence[Places]) -> Hits:
        expression = self._rules[rule].expression
        if isinstance(expression, Leaf):
            signals = np.unique(np.concatenate([places[number] for _, number in found]))
            return Hits(rule, np.unique(line[signals]), signals)
        candidates = np.unique(line[np.concatenate([places[number] for _, number in found])])
        truths: dict[int, Flags] = {}
        for asked, number in found:
            truth = truths.setdefault(asked.place, np.zeros(len(candidates), np.bool_))
            truth[np.searchsorted(candidates, line[places[number]])] = True
        judged = _judged(expression, truths, itertools.count(), np.zeros(len(candidates), np.bool_))
        leading = [
            places[number][judged.true_by[asked.place][np.searchsorted(candidates, line[places[number]])]]
            for asked, number in found
            if asked.place in judged.true_by
        ]
        return Hits(rule, candidates[judged.truth], np.unique(np.concatenate([_NONE, *leading])))

    def _folded(self, text: str) -> str:
        return text if self._has_case else text.casefold()


_NONE: Places = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Judged:
    """An expression line by line, and the comparisons (by place) whose signals led to it where it is true, or false.

    What stands in a part that does not hold led to nothing, and the absence of a signal is no signal.
    """

    truth: Flags
    true_by: dict[int, Flags]
    false_by: dict[int, Flags]


def _judged(
    expression: Expression[Comparison], truths: dict[int, Flags], counter: Iterator[int], false: Flags
) -> _Judged:
    """From the truth of the comparisons, which are counted from left to right."""
    match expression:
        case Leaf():
            place = next(counter)
            truth = truths.get(place, false)
            return _Judged(truth, {place: truth}, {})
        case Not(part):
            judged = _judged(part, truths, counter, false)
            return _Judged(~judged.truth, judged.false_by, judged.true_by)
        case AllOf(parts) | AnyOf(parts):
            found = [_judged(part, truths, counter, false) for part in parts]
            combine = np.logical_and if isinstance(expression, AllOf) else np.logical_or
            truth = np.asarray(combine.reduce([one.truth for one in found]))
            return _Judged(
                truth,
                {place: flags & truth for one in found for place, flags in one.true_by.items()},
                {place: flags & ~truth for one in found for place, flags in one.false_by.items()},
            )
