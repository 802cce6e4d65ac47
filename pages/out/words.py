"""Deliveries in words: kinds, states, what a column is written as."""

from __future__ import annotations

from ingest_core.deliveries.order import PROFILE_ID, Delivery
from ingest_core.deliveries.recipes import RECIPES
from pages.ui.text import count

KINDS = {"segment": "Segment", "upload": "Stored rows", "rejects": "Rejected rows", "file": "File"}
STATUS_OF = {"Waiting": "waiting", "Sending": "running", "Delivered": "delivered", "Failed": "failed"}
STATES = ["Waiting", "Sending", "Delivered", "Nothing new", "Failed"]
FORMATS = {
    "tsv": ("Tab-separated", "A line is a row, nothing is quoted."),
    "csv": ("CSV", "Cells exactly as they are."),
    "spreadsheet": ("For a spreadsheet", "CSV in which formulas are harmless."),
}
LEFT_OUT = "Left out"


def state_of(one: Delivery) -> str:
    """The word of a badge."""
    if one.has_nothing_new:
        return "Nothing new"
    return {status: word for word, status in STATUS_OF.items()}[one.status]


def recipe_title(name: str) -> str:
    """How a value is written."""
    return RECIPES[name].title if name in RECIPES else name


def column_told(name: str, attribute: str, recipe: str) -> str:
    """One column in words."""
    how = "" if attribute == PROFILE_ID or recipe == "plain" else f", {recipe_title(recipe)}"
    return name if name == attribute and not how else f"{name}: {attribute}{how}"


def outcome(one: Delivery) -> str:
    """What stands in the file, in a sentence."""
    if one.has_nothing_new:
        return "Nothing changed since the last delivery, so no file was sent."
    if one.people is None:
        return "" if one.lines is None else f"{count(one.lines, 'line')}."
    if one.added is None:
        said = f"{count(one.people, 'row')}"
    else:
        said = f"{one.added:,} added, {one.changed or 0:,} changed, {one.removed or 0:,} removed"
    rest = [
        f"{count(one.without_key, 'person', 'people')} without a key left out" if one.without_key else "",
        f"{count(one.same_key, 'person', 'people')} with the same key as another left out" if one.same_key else "",
        f"in {count(one.flattened, 'cell')} a tab or line break became a space" if one.flattened else "",
    ]
    return "; ".join([said, *(part for part in rest if part)]) + "."
