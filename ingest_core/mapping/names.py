"""How near the header of a column is to the name of an attribute."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.fuzz import ratio

from ingest_core.mapping.synonyms import NOISE, PII_WORDS, SYNONYMS
from ingest_core.models import Attribute

How = Literal["exact", "synonym", "part", "similar", "none"]

SIMILAR = 85.0
"""Percent of letters two names must share to count as a slip of the pen."""
SHORTEST_SIMILAR = 5
"""Shorter names are too often near each other by chance (``pin``, ``plz``)."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class NameMatch:
    """``how`` a header names an attribute; ``score`` 0–1 orders matches of the same kind."""

    how: How
    score: float


NO_MATCH = NameMatch("none", 0.0)


def words(name: str) -> tuple[str, ...]:
    """The words of a name: ``customerEmail_Addr`` → (customer, email, addr); case, accents and separators gone."""
    parted = _HUMP.sub(" ", unicodedata.normalize("NFC", name))
    # Twice: letters of mathematical alphabets get a case only by the first, folding may compose by it.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", parted).casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(word for word in _SEPARATOR.split(plain) if word)


def squash(name: str) -> str:
    """The words of a name run together: ``E-Mail`` and ``e_mail`` are both ``email``."""
    return "".join(words(name))


def match_name(header: str, attribute: Attribute) -> NameMatch:
    """How the header names the attribute: by its name, a synonym, with words around it, or with a slip of the pen."""
    parts = words(header)
    whole = "".join(parts)
    if not whole:
        return NO_MATCH
    own = {squash(attribute.name), squash(attribute.display_name)} - {""}
    others = SYNONYMS.get(attribute.name, frozenset())
    if whole in own:
        return NameMatch("exact", 1.0)
    if whole in others:
        return NameMatch("synonym", 1.0)
    core = "".join(part for part in parts if part not in NOISE)
    if core and core != whole and core in own | others:
        return NameMatch("part", len(core) / len(whole))
    return _similar(whole, own | others)


def _similar(whole: str, names: frozenset[str] | set[str]) -> NameMatch:
    if len(whole) < SHORTEST_SIMILAR:
        return NO_MATCH
    near = max((ratio(whole, name) for name in names if len(name) >= SHORTEST_SIMILAR), default=0.0)
    return NameMatch("similar", near / 100) if near >= SIMILAR else NO_MATCH


def is_named(header: str, attribute: str) -> bool:
    """Whether the header, with or without words that say nothing, is a known name of a built-in attribute."""
    return bool(_forms(header) & (SYNONYMS[attribute] | {squash(attribute)}))


def is_personal(header: str) -> bool:
    """Whether the header alone says that the column holds personal data."""
    personal = ("first_name", "last_name", "birth_date", "email", "phone")
    return bool(_forms(header) & PII_WORDS) or any(is_named(header, name) for name in personal)


def _forms(header: str) -> set[str]:
    parts = words(header)
    return {"".join(parts), "".join(part for part in parts if part not in NOISE)}
