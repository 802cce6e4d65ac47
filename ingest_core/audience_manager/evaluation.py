"""What the lines of a block do to traits: rules and explicit ids against the traits of one data source (spec §9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.parsed_block import Ops, ParsedBlock
from ingest_core.audience_manager.rules import TraitRule
from ingest_core.audience_manager.rules.truth import RuleSet

_ADD, _REMOVE, _BARE, _SIGNAL = (OP_KINDS.index(kind) for kind in ("add_trait", "remove_trait", "bare", "signal"))
BARE_KEY = "ic"
_MOST_DIGITS = 18  # of a trait id

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Realisable:
    """The onboarded traits that a file may name. ``own``: those of its declared source; ``rules``: of these, too."""

    own: frozenset[int]
    foreign: frozenset[int] = frozenset()
    rules: Mapping[int, TraitRule] = field(default_factory=dict)
    has_case: bool = False


@dataclass(frozen=True, slots=True)
class Effects:
    """Per line of the block how many of its items were of which kind, and the traits it adds or removes.

    ``used + unused + ignored + failed`` are its items; ``failed_traits``: different ones. An operation stands once for
    a line and trait; a removal has already won over an addition on the same line.
    """

    used: Places
    unused: Places
    ignored: Places
    failed: Places
    failed_traits: Places
    has_effect: Flags
    op_line: Places
    op_trait: Places
    op_is_add: Flags
    is_unused: Flags
    """Per item: whether it led to nothing."""


class Evaluator:
    """Evaluates the blocks of one logical file."""

    def __init__(self, traits: Realisable, mode: str) -> None:
        self._own = np.array(sorted(traits.own), np.int64)
        self._foreign = np.array(sorted(traits.foreign), np.int64)
        self._rule_traits = np.array(list(traits.rules), np.int64)
        self._rules = RuleSet(list(traits.rules.values()), has_case=traits.has_case)
        self._is_overwrite = mode == "overwrite"

    def evaluate(self, block: ParsedBlock) -> Effects:
        """The effects of every line; of lines that are no records there are none."""
        ops, count = block.ops, len(block)
        is_used = np.zeros(len(ops.line), np.bool_)
        rule_line, rule_trait = self._realised(ops, is_used)
        named, is_removal = self._explicit(ops, is_used)
        is_ignored = is_removal & self._is_overwrite
        is_named = (named >= 0) & ~is_ignored
        is_own = is_named & np.isin(named, self._own)
        is_foreign = is_named & np.isin(named, self._foreign)
        is_used |= is_own
        is_add = np.concatenate((np.ones(len(rule_line), np.bool_), ~is_removal[is_own]))
        line = np.concatenate((rule_line, ops.line[is_own]))
        trait = np.concatenate((rule_trait, named[is_own]))
        op_line, op_trait, op_is_add = _once(line, trait, is_add)

        def per_line(flags: Flags) -> Places:
            return np.bincount(ops.line[flags], minlength=count)

        is_unused = ~is_used & ~is_ignored & ~is_foreign
        failed_pairs = np.unique(np.stack((ops.line[is_foreign], named[is_foreign])), axis=1)
        return Effects(
            per_line(is_used),
            per_line(is_unused),
            per_line(is_ignored),
            per_line(is_foreign),
            np.bincount(failed_pairs[0], minlength=count),
            np.bincount(line, minlength=count) > 0,
            op_line,
            op_trait,
            op_is_add,
            is_unused,
        )

    def _realised(self, ops: Ops, is_used: Flags) -> tuple[Places, Places]:
        """(line, trait) of the rules that are true; marks the items that had a part in it."""
        at = np.flatnonzero((ops.kind == _SIGNAL) | (ops.kind == _BARE))
        if not len(at) or not len(self._rule_traits):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        keys, values = ops.key.dictionary.to_pylist(), ops.value.dictionary.to_pylist()
        key_code = ops.key.indices.fill_null(len(keys)).to_numpy(zero_copy_only=False)[at].astype(np.int64)
        value_code = ops.value.indices.fill_null(0).to_numpy(zero_copy_only=False)[at].astype(np.int64)
        names = [*keys, BARE_KEY]
        codes, signal = np.unique(key_code * len(values) + value_code, return_inverse=True)
        distinct = [(names[code // len(values)], values[code % len(values)]) for code in codes.tolist()]
        hits = self._rules.find(ops.line[at], signal, distinct)
        for hit in hits:
            is_used[at[hit.signals]] = True
        lines = [hit.lines for hit in hits]
        traits = [np.full(len(hit.lines), self._rule_traits[hit.rule]) for hit in hits]
        return np.concatenate([*lines, _NONE]), np.concatenate([*traits, _NONE])

    def _explicit(self, ops: Ops, is_used: Flags) -> tuple[Places, Flags]:
        """The trait that an item names (−1: none) and whether it is to go; bare numbers that no rule used name one."""
        named = np.where((ops.kind == _ADD) | (ops.kind == _REMOVE), ops.trait, -1)
        bare = np.flatnonzero((ops.kind == _BARE) & ~is_used)
        if len(bare):
            values = ops.value.dictionary.to_pylist()
            numbers = np.fromiter((_trait_id(text) for text in values), np.int64, len(values))
            codes = ops.value.indices.fill_null(0).to_numpy(zero_copy_only=False)
            named[bare] = numbers[codes[bare]]
        return named, ops.kind == _REMOVE


_NONE: Places = np.zeros(0, np.int64)


def _trait_id(text: str | None) -> int:
    is_id = text is not None and text.isascii() and text.isdigit() and len(text.lstrip("0")) <= _MOST_DIGITS
    return int(text or "") if is_id else -1


def _once(line: Places, trait: Places, is_add: Flags) -> tuple[Places, Places, Flags]:
    """Each (line, trait) once, ordered; a removal wins over an addition (D-25)."""
    order = np.lexsort((is_add, trait, line))
    line, trait, is_add = line[order], trait[order], is_add[order]
    is_first = np.ones(len(line), np.bool_)
    is_first[1:] = (line[1:] != line[:-1]) | (trait[1:] != trait[:-1])
    return line[is_first], trait[is_first], is_add[is_first]
