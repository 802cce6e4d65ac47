"""What Audience Manager takes of an e-mail address (spec §6): SHA-256 of the trimmed, lower-cased address, unsalted."""

from __future__ import annotations

from ingest_core.deliveries.recipes.base import Preset, Recipe
from ingest_core.deliveries.recipes.general import email

RECIPES = (
    Recipe(
        "am_email", "Audience Manager: e-mail", "Trimmed, in lower case, then SHA-256, in lower case.",
        email, types=("email",),
    ),
)  # fmt: skip

PRESET = Preset(
    "audience_manager",
    "Audience Manager, hashed e-mails",
    {"crmid": ("crmid", "plain"), "hashed_email": ("email", "am_email")},
)
