"""AND, OR, NOT and parentheses over atoms: the grammar that trait rules and segment rules share (spec §12, §13).

AND binds tighter than OR, NOT tighter than AND; the three words in any case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from ingest_core.audience_manager.rules.errors import RuleTextError

DEEPEST = 100
"""Levels of parentheses and NOT inside one another."""

Atom = TypeVar("Atom")


@dataclass(frozen=True, slots=True)
class AllOf(Generic[Atom]):
    """Every part holds."""

    parts: tuple[Expression[Atom], ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Generic[Atom]):
    """At least one part holds."""

    parts: tuple[Expression[Atom], ...]


@dataclass(frozen=True, slots=True)
class Not(Generic[Atom]):
    """The part does not hold."""

    part: Expression[Atom]


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Atom]):
    """One atom holds."""

    atom: Atom


Expression = AllOf[Atom] | AnyOf[Atom] | Not[Atom] | Leaf[Atom]


def holds(expression: Expression[Atom], is_true: Callable[[Atom], bool]) -> bool:
    """The truth of the whole from the truth of its atoms."""
    match expression:
        case Leaf(atom):
            return is_true(atom)
        case Not(part):
            return not holds(part, is_true)
        case AllOf(parts):
            return all(holds(part, is_true) for part in parts)
        case AnyOf(parts):
            return any(holds(part, is_true) for part in parts)


def atoms(expression: Expression[Atom]) -> Iterator[Atom]:
    """Every atom, from left to right."""
    match expression:
        case Leaf(atom):
            yield atom
        case Not(part):
            yield from atoms(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from atoms(part)


def written(expression: Expression[Atom], word: Callable[[Atom], str]) -> str:
    """The canonical text: capital words, parentheses where they are needed; parsing it gives the same expression."""
    match expression:
        case Leaf(atom):
            return word(atom)
        case Not(part):
            return f"NOT {_inside(part, word, AllOf, AnyOf)}"
        case AllOf(parts):
            return " AND ".join(_inside(part, word, AllOf, AnyOf) for part in parts)
        case AnyOf(parts):
            return " OR ".join(_inside(part, word, AnyOf) for part in parts)


def _inside(expression: Expression[Atom], word: Callable[[Atom], str], *grouped: type) -> str:
    text = written(expression, word)
    return f"({text})" if isinstance(expression, grouped) else text


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a rule. ``kind``: word, quoted, or the symbol itself."""

    kind: str
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """AND, OR, NOT; else empty."""
        return self.text.upper() if self.kind == "word" and self.text.upper() in ("AND", "OR", "NOT") else ""


def tokens(text: str, pattern: re.Pattern[str]) -> list[Token]:
    """Cuts a rule into pieces; the pattern's named groups are the kinds, ``symbol`` is its own kind."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        match = pattern.match(text, position)
        if match is None or match.lastgroup is None:
            what = "a quotation mark is not closed" if text[position] in "\"'" else "this cannot stand here"
            raise RuleTextError(what, code="syntax", position=position)
        piece = match[match.lastgroup]
        found.append(Token(piece if match.lastgroup == "symbol" else match.lastgroup, piece, position))
        position = match.end()
    return [*found, Token("end", "", len(text))]


class Reader(Generic[Atom]):
    """Reads one expression from tokens; what an atom is, says ``read_atom``."""

    def __init__(self, found: list[Token], read_atom: Callable[[Reader[Atom]], Atom]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0
        self._read_atom = read_atom

    @property
    def token(self) -> Token:
        """The piece that comes next."""
        return self._tokens[self._next]

    def take(self, *kinds: str) -> Token:
        """The next piece, which has to be one of these; RuleTextError ``syntax`` otherwise."""
        token = self.token
        if token.kind not in kinds:
            raise self.unexpected()
        self._next += 1
        return token

    def unexpected(self) -> RuleTextError:
        """For a piece that cannot stand where it stands."""
        token = self.token
        what = "it ends too early" if token.kind == "end" else "this cannot stand here"
        return RuleTextError(what, code="syntax", position=token.position)

    def whole(self) -> Expression[Atom]:
        """The expression up to the end of the text."""
        expression = self._any()
        self.take("end")
        return expression

    def _any(self) -> Expression[Atom]:
        parts = [self._all()]
        while self.token.keyword == "OR":
            self.take("word")
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Expression[Atom]:
        parts = [self._not()]
        while self.token.keyword == "AND":
            self.take("word")
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _not(self) -> Expression[Atom]:
        if self.token.keyword == "NOT":
            self.take("word")
            with_depth = self._deeper(self._not)
            return Not(with_depth)
        if self.token.kind == "(":
            self.take("(")
            expression = self._deeper(self._any)
            self.take(")")
            return expression
        if self.token.keyword:
            raise self.unexpected()
        return Leaf(self._read_atom(self))

    def _deeper(self, read: Callable[[], Expression[Atom]]) -> Expression[Atom]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise RuleTextError("too much stands inside one another", code="too_deep", position=self.token.position)
        expression = read()
        self._depth -= 1
        return expression
