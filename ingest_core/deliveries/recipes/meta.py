"""What Meta asks for: custom audiences and the Conversions API.

Everything hashed. Telephone numbers as digits with the country code, without plus and leading zeros; names and towns in
lower case without punctuation, letters of any script kept.
"""

from __future__ import annotations

from ingest_core.deliveries.recipes.base import (
    Preset,
    Recipe,
    digits_only,
    trimmed_lower,
    without_punctuation,
    without_spaces,
)
from ingest_core.deliveries.recipes.general import email


def phone(text: str) -> str:
    """Digits with the country code: no plus, no symbols, no leading zeros."""
    return digits_only(text).lstrip("0")


def name(text: str) -> str:
    """Lower case without punctuation."""
    return without_punctuation(trimmed_lower(text))


def town(text: str) -> str:
    """Lower case without punctuation and white space."""
    return without_spaces(name(text))


def postal_code(text: str) -> str:
    """Lower case without spaces and dashes; of a US code with its extension the first five digits."""
    code = without_spaces(trimmed_lower(text))
    first, dash, rest = code.partition("-")
    if dash and len(first) == 5 and len(rest) == 4 and first.isdecimal() and rest.isdecimal():
        return first
    return without_spaces(without_punctuation(code))


def birth_date(text: str) -> str:
    """YYYYMMDD."""
    return digits_only(text)[:8]


def gender(text: str) -> str:
    """``f`` or ``m``, by the first letter; of anything else nothing."""
    letter = trimmed_lower(text)[:1]
    return letter if letter in ("f", "m") else ""


RECIPES = (
    Recipe("meta_email", "Meta: e-mail", "Trimmed, in lower case, then SHA-256.", email, types=("email",)),
    Recipe(
        "meta_phone", "Meta: phone", "Digits without plus and leading zeros, then SHA-256.", phone, types=("phone",)
    ),
    Recipe(
        "meta_name", "Meta: name", "Lower case without punctuation, then SHA-256.", name,
        attributes=("first_name", "last_name"),
    ),
    Recipe("meta_birth_date", "Meta: date of birth", "YYYYMMDD, then SHA-256.", birth_date, types=("date",)),
    Recipe("meta_gender", "Meta: gender", "f or m, then SHA-256.", gender, attributes=("gender",)),
    Recipe(
        "meta_town", "Meta: town or region", "Lower case without punctuation and spaces, then SHA-256.", town,
        attributes=("city", "region"),
    ),
    Recipe(
        "meta_postal_code", "Meta: postal code", "Lower case without spaces and dashes, then SHA-256.", postal_code,
        attributes=("postal_code",),
    ),
    Recipe(
        "meta_country", "Meta: country", "Two letters in lower case, then SHA-256.", trimmed_lower, types=("country",)
    ),
)  # fmt: skip

PRESET = Preset(
    "meta",
    "Meta custom audience",
    {
        "email": ("email", "meta_email"),
        "phone": ("phone", "meta_phone"),
        "fn": ("first_name", "meta_name"),
        "ln": ("last_name", "meta_name"),
        "dob": ("birth_date", "meta_birth_date"),
        "gen": ("gender", "meta_gender"),
        "ct": ("city", "meta_town"),
        "st": ("region", "meta_town"),
        "zip": ("postal_code", "meta_postal_code"),
        "country": ("country", "meta_country"),
    },
)
