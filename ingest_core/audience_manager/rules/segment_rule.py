"""The rule of a segment over traits, with recency and frequency (Audience Manager spec §13)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from ingest_core.audience_manager.rules.errors import RuleTextError
from ingest_core.audience_manager.rules.logic import Expression, Reader, Token, atoms, holds, tokens, written

MOST_TRAITS = 5_000
CANONICAL = {"=>": ">=", "=<": "<=", "=": "=="}

_TOKEN = re.compile(r"(?P<symbol>[()\[\],]|==|>=|=>|<=|=<|=)|(?P<word>[A-Za-z0-9]+)")
_TRAIT = re.compile(r"([0-9]{1,18})[Tt]")
_DAYS = re.compile(r"([0-9]{1,9})[Dd]")
_COUNT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Qualification:
    """How often a live trait was realised, and the last UTC day on which it was."""

    count: int
    last: date


@dataclass(frozen=True, slots=True)
class Frequency:
    """The realisations of some traits, summed. ``recency``: (``<=`` or ``>=``, days) or None for any time.

    A bare trait (``1T``) is the frequency ``>= 1`` of it alone; ``is_bare`` says how it was written.
    """

    traits: tuple[int, ...]
    recency: tuple[str, int] | None = None
    operator: str = ">="
    count: int = 1
    is_bare: bool = False

    def holds(self, traits: Mapping[int, Qualification], today: date) -> bool:
        """Whether the sum fits; a trait realised on the cut-off day is included either way."""
        found = (traits[trait] for trait in dict.fromkeys(self.traits) if trait in traits)
        total = sum(one.count for one in found if self._is_in_time(one.last, today))
        if self.operator == "==":
            return total == self.count
        return total >= self.count if self.operator == ">=" else total <= self.count

    def _is_in_time(self, last: date, today: date) -> bool:
        if self.recency is None:
            return True
        operator, days = self.recency
        passed = (today - last).days
        return passed <= days if operator == "<=" else passed >= days

    def __str__(self) -> str:
        if self.is_bare:
            return f"{self.traits[0]}T"
        recency = f" {self.recency[0]} {self.recency[1]}D" if self.recency else ""
        listed = ",".join(f"{trait}T" for trait in self.traits)
        return f"FREQUENCY([{listed}]{recency}) {self.operator} {self.count}"


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """A parsed rule. ``str`` of it is the canonical text."""

    expression: Expression[Frequency]

    @property
    def traits(self) -> frozenset[int]:
        """Every trait it names."""
        return frozenset(trait for atom in atoms(self.expression) for trait in atom.traits)

    def holds(self, traits: Mapping[int, Qualification], today: date) -> bool:
        """Whether somebody with these live traits is in it on a UTC day."""
        return holds(self.expression, lambda atom: atom.holds(traits, today))

    def __str__(self) -> str:
        return written(self.expression, str)


def parse_segment_rule(text: str, onboarded: Collection[int] = ()) -> SegmentRule:
    """A rule such as ``1T AND FREQUENCY([2T,3T] <= 5D) >= 3``; ``onboarded``: the ids of onboarded traits.

    RuleTextError ``syntax``, ``bad_days``, ``too_deep``, ``too_many_traits``, ``recency_on_onboarded``,
    ``frequency_on_onboarded``, and ``matches_everyone`` for a rule that is true of somebody without traits.
    """

    def read(reader: Reader[Frequency]) -> Frequency:
        position = reader.token.position
        atom = _atom(reader)
        _check(atom, onboarded, position)
        return atom

    rule = SegmentRule(Reader(tokens(text, _TOKEN), read).whole())
    if len(rule.traits) > MOST_TRAITS:
        raise RuleTextError("it names more than 5,000 traits", code="too_many_traits", position=0)
    if rule.holds({}, date.min):
        raise RuleTextError("it is true of somebody without any trait", code="matches_everyone", position=0)
    return rule


def _atom(reader: Reader[Frequency]) -> Frequency:
    if reader.token.text.upper() != "FREQUENCY":
        return Frequency((_trait(reader),), is_bare=True)
    reader.take("word")
    reader.take("(")
    reader.take("[")
    traits = [_trait(reader)]
    while reader.token.kind == ",":
        reader.take(",")
        traits.append(_trait(reader))
    reader.take("]")
    recency = None if reader.token.kind == ")" else _recency(reader)
    reader.take(")")
    operator = _operator(reader, ">=", "<=", "==")
    count = _number(reader, _COUNT)
    return Frequency(tuple(traits), recency, operator, int(count))


def _recency(reader: Reader[Frequency]) -> tuple[str, int]:
    operator = _operator(reader, ">=", "<=")
    position = reader.token.position
    days = int(_number(reader, _DAYS))
    if days < 1:
        raise RuleTextError("days are above 0", code="bad_days", position=position)
    return operator, days


def _operator(reader: Reader[Frequency], *allowed: str) -> str:
    written_as = [name for name in (*allowed, *CANONICAL) if CANONICAL.get(name, name) in allowed]
    text = reader.take(*written_as).text
    return CANONICAL.get(text, text)


def _trait(reader: Reader[Frequency]) -> int:
    return int(_number(reader, _TRAIT))


def _number(reader: Reader[Frequency], pattern: re.Pattern[str]) -> str:
    token: Token = reader.token
    match = pattern.fullmatch(token.text) if token.kind == "word" else None
    if match is None:
        raise reader.unexpected()
    reader.take("word")
    return match[match.lastindex or 0]


def _check(atom: Frequency, onboarded: Collection[int], position: int) -> None:
    if atom.is_bare or not any(trait in onboarded for trait in atom.traits):
        return
    if atom.recency is not None:
        what = "an onboarded trait has no recency"
        raise RuleTextError(what, code="recency_on_onboarded", position=position)
    if (atom.operator, atom.count) != (">=", 1):
        what = "an onboarded trait qualifies at most once"
        raise RuleTextError(what, code="frequency_on_onboarded", position=position)
