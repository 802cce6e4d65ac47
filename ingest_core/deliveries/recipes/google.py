"""What Google asks for: Customer Match and the Data Manager API.

Names and mail addresses trimmed and in lower case; of Gmail addresses without the dots and the part from a plus on;
telephone numbers as E.164 with the plus. Country and postal code are not hashed.
"""

from __future__ import annotations

from ingest_core.deliveries.recipes.base import Preset, Recipe, trimmed_lower, without_spaces
from ingest_core.deliveries.recipes.general import phone

GMAIL = ("gmail.com", "googlemail.com")


def email(text: str) -> str:
    """Lower case, without any white space; of Gmail the local part without dots and without what follows a plus."""
    whole = trimmed_lower(without_spaces(text))
    local, at, domain = whole.rpartition("@")
    if domain in GMAIL and at:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local and at else ""


def country(text: str) -> str:
    """Two capital letters, as they are stored."""
    return text.strip().upper()


RECIPES = (
    Recipe(
        "google_email", "Google: e-mail", "Lower case, Gmail without dots and +suffix, then SHA-256.", email,
        types=("email",),
    ),
    Recipe("google_phone", "Google: phone", "E.164 with its plus, then SHA-256.", phone, types=("phone",)),
    Recipe(
        "google_name", "Google: name", "Trimmed, in lower case, then SHA-256.", trimmed_lower,
        attributes=("first_name", "last_name"),
    ),
)  # fmt: skip

PRESET = Preset(
    "google",
    "Google Customer Match",
    {
        "Email": ("email", "google_email"),
        "Phone": ("phone", "google_phone"),
        "First Name": ("first_name", "google_name"),
        "Last Name": ("last_name", "google_name"),
        "Country": ("country", "plain"),
        "Zip": ("postal_code", "plain"),
    },
)
