"""What a recipe is: a normal form, and whether its SHA-256 is sent instead of it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ingest_core.models import Attribute


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one value is written. ``normalise`` is idempotent; what it leaves empty is sent as an empty cell.

    ``types``: data types of the attributes it is for; ``attributes``: their names, where the type says too little.
    """

    name: str
    title: str
    says: str
    normalise: Callable[[str], str]
    is_hashed: bool = True
    types: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """A stored text as it is sent: its normal form, or the SHA-256 of that in lower-case hexadecimal."""
        normal = self.normalise(text)
        return sha256(normal) if self.is_hashed and normal else normal

    def fits(self, attribute: Attribute) -> bool:
        """Whether it is offered for this attribute."""
        if self.attributes and attribute.name in self.attributes:
            return True
        return attribute.type in self.types if self.types else not self.attributes


@dataclass(frozen=True, slots=True)
class Preset:
    """The columns that one receiver asks for: name there → (attribute, recipe)."""

    name: str
    title: str
    columns: Mapping[str, tuple[str, str]]


@lru_cache(maxsize=65_536)
def sha256(text: str) -> str:
    """Of the UTF-8 bytes, in lower-case hexadecimal, unsalted: the receiver computes the same."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def trimmed_lower(text: str) -> str:
    """Lower case without outer white space, in NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().lower()).strip()


def without_spaces(text: str) -> str:
    """Without any white space."""
    return "".join(text.split())


def without_punctuation(text: str) -> str:
    """Letters, marks and digits of any script, and the spaces between words."""
    kept = "".join(character if unicodedata.category(character)[0] in "LMN" else " " if character.isspace() else ""
                   for character in text)  # fmt: skip
    return " ".join(kept.split())


def digits_only(text: str) -> str:
    """The decimal digits of any script as ASCII digits."""
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdecimal())
