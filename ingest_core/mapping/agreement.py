"""How far the values of a column agree with an attribute, and how to say it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest_core.mapping.evidence import CONVINCED, PLURALS, percent
from ingest_core.models import Attribute, ColumnStatistics


@dataclass(frozen=True, slots=True)
class Agreement:
    """``share`` 0–1 of the values that fit (None: an empty column says nothing), in words, and whether it proves much.

    Evidence is strong where only the right values fit: an e-mail address, but not "a text".
    """

    share: float | None
    words: str
    is_strong: bool = False


_STRONG = frozenset({"email", "phone", "url", "date", "datetime"})
_FOREIGN = ("email", "url", "date", "datetime", "phone")
"""Types of columns that no name, town or gender column has."""

_SHAPES = {
    "first_name": ("words", "words"),
    "last_name": ("words", "words"),
    "city": ("words", "words"),
    "region": ("codes or words", "words"),
    "language": ("words", "words"),
    "gender": ("short codes or words", "words"),
    "postal_code": ("short codes", "codes"),
    "crmid": ("ids without spaces", "ids"),
}
"""Built-in text attributes → what their values look like, and the shape that says so."""

_MOST_DIFFERENT = {"gender": 15, "language": 400}


def agreement(column: ColumnStatistics, attribute: Attribute) -> Agreement:
    """Compares the values of a column with what the attribute holds."""
    if column.filled == 0:
        return Agreement(None, "the column is empty")
    if attribute.type == "string":
        return _as_text(column, attribute)
    share = column.fits.get(attribute.type, 0.0)
    if attribute.type == "phone":
        share = min(1.0, share + column.shapes.get("national", 0.0))
    return Agreement(share, _look_like(share, PLURALS.get(attribute.type, attribute.type)), attribute.type in _STRONG)


def _as_text(column: ColumnStatistics, attribute: Attribute) -> Agreement:
    if attribute.name in _SHAPES:
        wanted, shape = _SHAPES[attribute.name]
        if column.type in _FOREIGN and not (attribute.name in ("crmid", "postal_code") and column.type != "url"):
            share = 1 - column.fits.get(column.type, 1.0)
            return Agreement(share, f"the values are {PLURALS[column.type]}")
        most = _MOST_DIFFERENT.get(attribute.name)
        if most is not None and column.distinct > most:
            return Agreement(0.0, f"{column.distinct:,} different values are too many")
        share = column.shapes.get(shape, 0.0)
        if attribute.name == "region":
            share = max(share, column.shapes.get("codes", 0.0))
        return Agreement(share, _look_like(share, wanted))
    if attribute.pii and column.type in _FOREIGN and column.fits.get(column.type, 0.0) >= CONVINCED:
        return Agreement(0.5, f"the values are {PLURALS[column.type]}")
    return Agreement(1.0, "any text fits")


def _look_like(share: float, what: str) -> str:
    if share == 0:
        return f"none of the values look like {what}"
    if share == 1:
        return f"all values look like {what}"
    return f"{'only ' if share < 0.5 else ''}{percent(share)} look like {what}"
