"""Whether a mapping can be used: for these columns, with these attributes. No cell is looked at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.errors import InputError
from ingest_core.files import repair_names
from ingest_core.mapping.fingerprint import fold
from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping, Mapping

NUMERIC = ("number", "integer")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A mapping laid over the columns of one file.

    ``columns``: (index of the file column, its mapping, the attribute), in the order of the mapping; one file column
    may stand there several times. ``ignored``: file columns that feed nothing. ``missing``: mapped columns the file
    does not have.
    """

    columns: tuple[tuple[int, ColumnMapping, Attribute], ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]


def check_mapping(
    mapping: Mapping, columns: Sequence[str], attributes: Sequence[Attribute], *, strict_header: bool = True
) -> Resolved:
    """Lays a mapping over the columns ``as in the file`` (raw names).

    Names that break the header rules need the word of the mapping; without ``strict_header`` they are just repaired.

    Raises InputError ``unknown_attribute``, ``mapping_conflict``, ``attribute_mapped_twice``, ``unknown_format``,
    ``combine_not_possible``, ``bad_header`` or ``no_identifier_mapped``.
    """
    by_name = {attribute.name: attribute for attribute in attributes}
    used = [column for column in mapping.columns if column.attribute is not None]
    for column in used:
        _check_column(column, by_name)
    _check_once(used)
    places = _Places(columns)
    if strict_header:
        _check_headers(mapping, places)
    found = []
    missing = []
    for column in used:
        index = places.find(column.column)
        if index is None:
            missing.append(column.column)
        else:
            found.append((index, column, by_name[str(column.attribute)]))
    _check_identifier(found, missing)
    fed = {index for index, _, _ in found}
    ignored = tuple(name for index, name in enumerate(columns) if index not in fed)
    return Resolved(tuple(found), ignored, tuple(missing))


class _Places:
    """Where the columns of a file stand, by repaired name first, then by the name as in the file, then by any case."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.raw = tuple(columns)
        self.repaired = tuple(repair_names(columns))
        self._by: list[dict[str, int]] = [
            _first(self.repaired),
            _first(self.raw),
            _first([fold(name) for name in self.repaired]),
            _first([fold(name) for name in self.raw]),
        ]

    def find(self, name: str) -> int | None:
        """Index of the column that the mapping means by ``name``; None when the file lacks it."""
        for place, key in zip(self._by, (name, name, fold(name), fold(name)), strict=True):
            if key in place:
                return place[key]
        return None


def _first(names: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for index, name in enumerate(names):
        places.setdefault(name, index)
    return places


def _check_column(column: ColumnMapping, attributes: Dict[str, Attribute]) -> None:
    attribute = attributes.get(str(column.attribute))
    if attribute is None:
        raise InputError(
            f"The mapping names the attribute {column.attribute!r}, which does not exist.",
            code="unknown_attribute",
            hint="Create the attribute first, or map the column to another one. Nothing was loaded.",
            facts={"column": column.column, "attribute": column.attribute, "known": sorted(attributes)},
        )
    _check_properties(column, attribute)
    _check_format(column, attribute)
    _check_combine(column, attribute)


def _check_properties(column: ColumnMapping, attribute: Attribute) -> None:
    """PII and identifier rank belong to the attribute; a mapping file may repeat, not change them."""
    said: tuple[tuple[str, object, object], ...] = (
        ("pii", column.pii, attribute.pii),
        ("identifier", column.identifier, attribute.identifier),
    )
    for what, in_mapping, in_attribute in said:
        if in_mapping is not None and in_mapping != in_attribute:
            raise InputError(
                f"The mapping and the attribute {attribute.name} disagree about {what}: "
                f"{json.dumps(in_mapping)} there, {json.dumps(in_attribute)} here.",
                code="mapping_conflict",
                hint="Leave it out of the mapping, or change the attribute. Nothing was loaded.",
                facts={
                    "column": column.column,
                    "attribute": attribute.name,
                    "property": what,
                    "mapping": in_mapping,
                    "attribute_has": in_attribute,
                },
            )


def _check_format(column: ColumnMapping, attribute: Attribute) -> None:
    formats = [known.value for known in TYPES[attribute.type].formats]
    if not column.format or column.format in formats:
        return
    raise InputError(
        f"{column.format!r} is not a format of {attribute.name} ({attribute.type}).",
        code="unknown_format",
        hint=f"Use one of: {', '.join(formats)}." if formats else "Leave the format out: this type has only one.",
        facts={"column": column.column, "attribute": attribute.name, "type": attribute.type, "formats": formats},
    )


def _check_combine(column: ColumnMapping, attribute: Attribute) -> None:
    why = _why_not_combine(column.combine, attribute)
    if why:
        raise InputError(
            f"{column.combine!r} is not possible for {attribute.name}: {why}.",
            code="combine_not_possible",
            hint="Choose first or last, or map the column to an attribute of another type. Nothing was loaded.",
            facts={"column": column.column, "attribute": attribute.name, "combine": column.combine},
        )


def _why_not_combine(combine: str, attribute: Attribute) -> str | None:
    """A reason in words, None when lines of one person may be combined so."""
    if combine in ("last", "first"):
        return None
    kind = TYPES[attribute.type]
    if attribute.identifier is not None:
        return "it is an identifier"
    if combine == "count":
        return None if attribute.type in NUMERIC else "a count needs a number or integer attribute"
    if attribute.pii:
        return "its values are personal data and are never computed with"
    if combine == "sum" and not kind.can_sum:
        return f"values of type {attribute.type} have no sum"
    if combine in ("min", "max") and not kind.is_ordered:
        return f"values of type {attribute.type} have no order"
    return None


def _check_once(used: Sequence[ColumnMapping]) -> None:
    for name, times in Counter(column.attribute for column in used).items():
        if times > 1:
            columns = [column.column for column in used if column.attribute == name]
            raise InputError(
                f"{name} is mapped from {times} columns: {', '.join(columns)}.",
                code="attribute_mapped_twice",
                hint="Map one of them and ignore the others. Nothing was loaded.",
                facts={"attribute": name, "columns": columns},
            )


def _check_headers(mapping: Mapping, places: _Places) -> None:
    """A name that strict mode refuses is accepted once the mapping names it: that is the person's word on it."""
    named = {places.find(column.column) for column in mapping.columns}
    bad = {
        raw: repaired
        for index, (raw, repaired) in enumerate(zip(places.raw, places.repaired, strict=True))
        if raw != repaired and index not in named
    }
    if bad:
        repairs = ", ".join(f"{raw!r} → {repaired}" for raw, repaired in bad.items())
        raise InputError(
            f"{len(bad)} column names break the header rules (no spaces, no “-”, not empty, no name twice).",
            code="bad_header",
            hint=f"Rename them in the file, or name them in the mapping as repaired: {repairs}. Nothing was loaded.",
            facts={"repairs": bad},
        )


def _check_identifier(found: Sequence[tuple[int, ColumnMapping, Attribute]], missing: Sequence[str]) -> None:
    if any(attribute.identifier is not None for _, _, attribute in found):
        return
    raise InputError(
        "No column of the file is mapped to an identifier, so nobody could be recognised.",
        code="no_identifier_mapped",
        hint="Map at least one column to crmid, email, phone or another identifier. Nothing was loaded.",
        facts={"missing_columns": list(missing)},
    )
