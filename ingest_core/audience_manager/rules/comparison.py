"""One comparison of a trait rule: key, operator, literal (Audience Manager spec §12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

ORDERS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">": lambda value, limit: value > limit,
    "<": lambda value, limit: value < limit,
    ">=": lambda value, limit: value >= limit,
    "<=": lambda value, limit: value <= limit,
}
TEXTS = ("contains", "matcheswords", "startswith", "endswith", "matchesregex")
OPERATORS = ("==", "!=", *ORDERS, *TEXTS)

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_WORDS = re.compile(r"\w+")


def as_number(text: str) -> Decimal | None:
    """A plain decimal: no exponent, separators, currency, inf or nan (D-39); None for everything else."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``key`` in lower case unless rules are case-sensitive; ``is_bare``: the literal stands without quotes."""

    key: str
    operator: str
    literal: str
    is_bare: bool = False
    has_case: bool = False

    def holds(self, value: str) -> bool:
        """Whether one value of the key satisfies it."""
        if self.operator in ORDERS:
            number, limit = as_number(value), as_number(self.literal)
            return number is not None and limit is not None and ORDERS[self.operator](number, limit)
        if self.operator in ("==", "!="):
            return self._equals(value) == (self.operator == "==")
        return _holds_text(self.operator, value, self.literal, has_case=self.has_case)

    def _equals(self, value: str) -> bool:
        number = as_number(value) if self.is_bare else None
        limit = as_number(self.literal) if number is not None else None
        if limit is not None:
            return number == limit
        return _folded(value, has_case=self.has_case) == _folded(self.literal, has_case=self.has_case)

    def __str__(self) -> str:
        if self.is_bare:
            return f"{self.key} {self.operator} {self.literal}"
        mark = "'" if '"' in self.literal else '"'
        return f"{self.key} {self.operator} {mark}{self.literal}{mark}"


def is_regex(pattern: str) -> bool:
    """Whether RE2 reads the pattern, alone and as it is compared: an open ``\\Q`` would quote what stands behind it."""
    try:
        for text in (pattern, _whole(pattern)):
            pc.match_substring_regex(pa.array([""]), text)
    except pa.ArrowInvalid:
        return False
    return True


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _holds_text(operator: str, value: str, literal: str, *, has_case: bool) -> bool:
    if operator == "matchesregex":
        matched = pc.match_substring_regex(pa.array([value]), _whole(literal), ignore_case=not has_case)
        return bool(matched[0].as_py())
    value, literal = _folded(value, has_case=has_case), _folded(literal, has_case=has_case)
    if operator == "matcheswords":
        return _has_run(_WORDS.findall(value), _WORDS.findall(literal))
    if operator == "contains":
        return literal in value
    return value.startswith(literal) if operator == "startswith" else value.endswith(literal)


def _has_run(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted words stand in the others, one after the other (D-40)."""
    last = len(words) - len(wanted)
    return bool(wanted) and any(words[start : start + len(wanted)] == wanted for start in range(last + 1))


def _folded(text: str, *, has_case: bool) -> str:
    return text if has_case else text.casefold()
