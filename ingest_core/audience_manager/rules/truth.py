"""Which lines of a block satisfy which rules: each comparison decided once for each different signal."""

from __future__ import annotations

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
    """Where one rule is true: ``lines`` of the block, and the ``signals`` (by place) that had a part in it."""

    rule: int
    lines: Places
    signals: Places


@dataclass(frozen=True, slots=True)
class _Asked:
    """A comparison of a rule. ``is_positive``: it stands under an even number of NOT."""

    rule: int
    place: int
    comparison: Comparison
    is_positive: bool


class RuleSet:
    """Rules by number, ready for block after block. A rule needs one true comparison at least (D-37a)."""

    def __init__(self, rules: Sequence[TraitRule], *, has_case: bool = False) -> None:
        self._rules = rules
        self._has_case = has_case
        self._texts: dict[tuple[str, str], list[_Asked]] = {}  # equality of text: found by its literal
        self._others: dict[str, list[_Asked]] = {}
        for number, rule in enumerate(rules):
            for place, (comparison, is_positive) in enumerate(_signed(rule.expression, is_positive=True)):
                asked = _Asked(number, place, comparison, is_positive)
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
        signals = np.unique(np.concatenate([places[number] for asked, number in found if asked.is_positive] or [_NONE]))
        expression = self._rules[rule].expression
        if isinstance(expression, Leaf):
            return Hits(rule, np.unique(line[signals]), signals)
        candidates = np.unique(line[np.concatenate([places[number] for _, number in found])])
        truths: dict[int, Flags] = {}
        for asked, number in found:
            truth = truths.setdefault(asked.place, np.zeros(len(candidates), np.bool_))
            truth[np.searchsorted(candidates, line[places[number]])] = True
        counter = iter(range(len(self._rules[rule].comparisons)))
        is_true = _truth(expression, truths, counter, np.zeros(len(candidates), np.bool_))
        lines = candidates[is_true]
        return Hits(rule, lines, signals[np.isin(line[signals], lines)])

    def _folded(self, text: str) -> str:
        return text if self._has_case else text.casefold()


_NONE: Places = np.zeros(0, np.int64)


def _signed(expression: Expression[Comparison], *, is_positive: bool) -> Iterator[tuple[Comparison, bool]]:
    """Every comparison from left to right with its sign."""
    match expression:
        case Leaf(comparison):
            yield comparison, is_positive
        case Not(part):
            yield from _signed(part, is_positive=not is_positive)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _signed(part, is_positive=is_positive)


def _truth(expression: Expression[Comparison], truths: dict[int, Flags], counter: Iterator[int], false: Flags) -> Flags:
    """The truth per line from that of the comparisons, which are counted from left to right."""
    match expression:
        case Leaf():
            return truths.get(next(counter), false)
        case Not(part):
            return ~_truth(part, truths, counter, false)
        case AllOf(parts):
            return np.asarray(np.logical_and.reduce([_truth(part, truths, counter, false) for part in parts]))
        case AnyOf(parts):
            return np.asarray(np.logical_or.reduce([_truth(part, truths, counter, false) for part in parts]))
