"""Recipes: how a value is written for a receiver, one file for each; adding one is one entry there."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_core.deliveries.recipes import audience_manager, general, google, meta
from ingest_core.deliveries.recipes.base import Preset, Recipe
from ingest_core.errors import InputError
from ingest_core.models import Attribute

__all__ = ["LEFT_OUT", "PLAIN", "PRESETS", "RECIPES", "Preset", "Recipe", "default_recipe", "fitting", "recipe"]

PLAIN = "plain"
LEFT_OUT = "left out"

RECIPES: Mapping[str, Recipe] = {
    one.name: one
    for one in (*general.RECIPES, *google.RECIPES, *meta.RECIPES, *audience_manager.RECIPES)
}  # fmt: skip
"""Name → recipe, in the order in which they are offered."""

PRESETS: Mapping[str, Preset] = {one.name: one for one in (google.PRESET, meta.PRESET, audience_manager.PRESET)}
"""Name → the columns that one receiver asks for."""


def recipe(name: str) -> Recipe:
    """The recipe of this name. InputError ``no_such_recipe``."""
    found = RECIPES.get(name)
    if found is None:
        raise InputError(
            f"There is no recipe {name!r}. Nothing was sent.",
            code="no_such_recipe",
            hint=f"One of: {', '.join(RECIPES)}",
        )
    return found


def fitting(attribute: Attribute) -> list[Recipe]:
    """The recipes that make sense for an attribute, in the order in which they are offered."""
    return [one for one in RECIPES.values() if one.fits(attribute)]


def default_recipe(attribute: Attribute) -> str | None:
    """What an attribute is sent as when nobody says: hashed where it is personal data, or None: left out."""
    if not attribute.pii:
        return PLAIN
    return {"email": "sha256_email", "phone": "sha256_phone"}.get(attribute.type)
