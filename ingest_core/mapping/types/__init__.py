"""The data types of attributes, one file each. A new type is one file and one entry here."""

from __future__ import annotations

from ingest_core.errors import InputError
from ingest_core.mapping.types.base import DataType, Format, Unfit
from ingest_core.mapping.types.boolean import Boolean
from ingest_core.mapping.types.country import Country
from ingest_core.mapping.types.currency import Currency
from ingest_core.mapping.types.date import Date
from ingest_core.mapping.types.datetime import Datetime
from ingest_core.mapping.types.email import Email
from ingest_core.mapping.types.integer import Integer
from ingest_core.mapping.types.number import Number
from ingest_core.mapping.types.phone import Phone
from ingest_core.mapping.types.string import String
from ingest_core.mapping.types.url import Url

__all__ = ["TYPES", "DataType", "Format", "Unfit", "data_type"]

_ALL = (
    String(),
    Number(),
    Integer(),
    Boolean(),
    Date(),
    Datetime(),
    Email(),
    Phone(),
    Url(),
    Country(),
    Currency(),
)

TYPES: dict[str, DataType] = {kind.name: kind for kind in _ALL}
"""All data types by name, in the order in which screens offer them."""


def data_type(name: str) -> DataType:
    """The type of that name; InputError ``unknown_type`` otherwise."""
    try:
        return TYPES[name]
    except KeyError:
        raise InputError(
            "There is no such data type.",
            code="unknown_type",
            hint=f"Choose one of: {', '.join(TYPES)}.",
            facts={"types": list(TYPES)},
        ) from None
