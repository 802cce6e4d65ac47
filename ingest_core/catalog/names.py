"""Rules for names that people give: stored exactly as typed, checked once, here."""

from __future__ import annotations

import re
import unicodedata

from ingest_core.errors import InputError

MACRO = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_ATTRIBUTE = re.compile(r"[^\s\-]+")


def check_name(name: str, what: str, most: int = 200) -> str:
    """A free name, trimmed: 1 to ``most`` characters, none of them invisible. InputError ``bad_name``."""
    text = unicodedata.normalize("NFC", name).strip()
    if not text or len(text) > most or any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text):
        raise InputError(
            f"This is not a usable name for {what}. Nothing was created.",
            code="bad_name",
            hint=f"Use 1 to {most} visible characters.",
        )
    return text


def check_attribute_name(name: str) -> str:
    """A name without spaces or "-", as column names have to be. InputError ``bad_name``."""
    text = check_name(name, "an attribute")
    if not _ATTRIBUTE.fullmatch(text):
        raise InputError(
            "An attribute's name has no spaces and no hyphens. Nothing was created.",
            code="bad_name",
            hint="Use an underscore, such as slot_num. The display name may hold spaces.",
        )
    return text


def check_upper_snake(name: str | None, what: str) -> str | None:
    """UPPER_SNAKE_CASE or None. InputError ``bad_upper_snake``."""
    if name is not None and (not MACRO.fullmatch(name) or len(name) > 100):
        raise InputError(
            f"A {what} is written in UPPER_SNAKE_CASE. Nothing was created.",
            code="bad_upper_snake",
            hint="Capital letters, digits and single underscores, such as SLOT_NUM.",
        )
    return name
