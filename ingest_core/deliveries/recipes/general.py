"""Recipes that no receiver in particular asks for."""

from __future__ import annotations

from ingest_core.deliveries.recipes.base import Recipe, digits_only, trimmed_lower, without_spaces


def as_it_is(text: str) -> str:
    """The stored text."""
    return text


def email(text: str) -> str:
    """Trimmed, in lower case: the form of which nearly everybody takes the SHA-256."""
    return trimmed_lower(text)


def phone(text: str) -> str:
    """E.164: a plus and digits."""
    digits = digits_only(text)
    return f"+{digits}" if digits else ""


def text(value: str) -> str:
    """Trimmed, in lower case."""
    return trimmed_lower(value)


def number(value: str) -> str:
    """Without white space, such as an id or a postal code."""
    return without_spaces(value)


RECIPES = (
    Recipe("plain", "As it is", "The value itself. Of personal data only for a reason.", as_it_is, is_hashed=False),
    Recipe("sha256_email", "SHA-256 of the e-mail", "Trimmed, in lower case, then SHA-256.", email, types=("email",)),
    Recipe("sha256_phone", "SHA-256 of the phone", "E.164 with its plus, then SHA-256.", phone, types=("phone",)),
    Recipe("sha256_text", "SHA-256 of the text", "Trimmed, in lower case, then SHA-256.", text),
    Recipe("sha256_exact", "SHA-256 of the exact value", "As it is stored, then SHA-256.", as_it_is),
)
