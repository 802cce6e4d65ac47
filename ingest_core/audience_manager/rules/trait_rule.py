"""The rule of a trait: comparisons over the signals of one line (Audience Manager spec §12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest_core.audience_manager.rules.comparison import OPERATORS, ORDERS, TEXTS, Comparison, as_number, is_regex
from ingest_core.audience_manager.rules.errors import RuleTextError
from ingest_core.audience_manager.rules.logic import Expression, Reader, Token, atoms, holds, tokens, written

CANONICAL = {"=>": ">=", "=<": "<=", "=": "=="}

_KEY = re.compile(r"[0-9]*[A-Za-z][A-Za-z0-9_-]*")
_TOKEN = re.compile(
    r"""(?P<symbol>[()]|==|!=|>=|=>|<=|=<|>|<|=)"""
    r"""|"(?P<quoted>[^"]*)"|'(?P<apostrophe>[^']*)'"""
    r"""|(?P<word>(?:[^\s()"'=<>!]|!(?!=))+)"""
)
_LITERALS = ("quoted", "apostrophe", "word")


@dataclass(frozen=True, slots=True)
class TraitRule:
    """A parsed rule. ``str`` of it is the canonical text."""

    expression: Expression[Comparison]
    has_case: bool = False

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every comparison, from left to right."""
        return tuple(atoms(self.expression))

    def holds(self, signals: Iterable[tuple[str, str]]) -> bool:
        """Whether the (key, value) pairs of one line satisfy it; of a repeated key any value may (D-35)."""
        values: dict[str, list[str]] = {}
        for key, value in signals:
            values.setdefault(key if self.has_case else key.lower(), []).append(value)
        return self.holds_for(lambda one: any(map(one.holds, values.get(one.key, ()))))

    def holds_for(self, is_true: Callable[[Comparison], bool]) -> bool:
        """The same from the truth of each comparison: of an absent key every one is false, also ``!=``."""
        return holds(self.expression, is_true)

    def __str__(self) -> str:
        return written(self.expression, str)


def parse_trait_rule(text: str, *, has_case: bool = False) -> TraitRule:
    """A rule such as ``(a == "1" OR b == "1") AND c == "new"``; ``has_case``: option ``case_sensitive_rules``.

    RuleTextError ``syntax``, ``bad_key``, ``numeric_literal_required``, ``bad_regex``, ``too_deep``, and
    ``rule_matches_empty`` for a rule that is true of a line without signals (D-37a).
    """

    def read(reader: Reader[Comparison]) -> Comparison:
        return _comparison(reader, has_case=has_case)

    rule = TraitRule(Reader(tokens(text, _TOKEN), read).whole(), has_case)
    if rule.holds(()):
        raise RuleTextError("it is true of a line without any signal", code="rule_matches_empty", position=0)
    return rule


def _comparison(reader: Reader[Comparison], *, has_case: bool) -> Comparison:
    key = reader.take("word")
    operator = _operator(reader)
    literal = reader.token
    if literal.keyword:
        raise reader.unexpected()
    reader.take(*_LITERALS)
    if not _KEY.fullmatch(key.text):
        raise RuleTextError("this is no key that a rule can name", code="bad_key", position=key.position)
    _check(operator, literal)
    name = key.text if has_case else key.text.lower()
    return Comparison(name, operator, literal.text, literal.kind == "word", has_case)


def _operator(reader: Reader[Comparison]) -> str:
    token = reader.token
    if token.kind == "word" and token.text.lower() in TEXTS:
        return reader.take("word").text.lower()
    symbols = (*(name for name in OPERATORS if name not in TEXTS), *CANONICAL)
    text = reader.take(*symbols).text
    return CANONICAL.get(text, text)


def _check(operator: str, literal: Token) -> None:
    if operator in ORDERS and as_number(literal.text) is None:
        what = f"{operator} needs a number"
        raise RuleTextError(what, code="numeric_literal_required", position=literal.position)
    if operator == "matchesregex" and not is_regex(literal.text):
        raise RuleTextError("this pattern cannot be read", code="bad_regex", position=literal.position)
