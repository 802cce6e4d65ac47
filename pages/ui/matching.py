"""What the match step shows of a mapping: states, open questions, a masked first profile. No drawing here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from typing import Literal

from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping, ColumnStatistics, Inspection, Problem, TypeContext

State = Literal["Matched", "Decide", "Skipped"]
SURE = 0.9  # below this a guess wants a look
NEEDS_COUNTRY = "phone_country_needed"
QUESTIONS = frozenset({"ambiguous_date", "ambiguous_decimal", NEEDS_COUNTRY})


def questions(inspection: Inspection, columns: Sequence[ColumnMapping], confirmed: Sequence[str]) -> dict[str, Problem]:
    """Column → the open question about its format; only of columns that are loaded and have no format yet."""
    loaded = {column.column for column in columns if column.attribute and not column.format}
    return {
        problem.column: problem
        for problem in inspection.problems
        if problem.code in QUESTIONS
        and problem.column is not None
        and problem.column in loaded
        and not (problem.code == NEEDS_COUNTRY and problem.column in confirmed)  # the only one that may stay open
    }


def state(column: ColumnMapping, asked: MappingOf[str, Problem], confirmed: Sequence[str]) -> State:
    """One word for a column."""
    if column.column in asked:
        return "Decide"
    if column.column in confirmed:
        return "Matched" if column.attribute else "Skipped"
    if column.attribute is None and (column.confidence or 0) >= SURE:
        return "Skipped"  # left out in the last file too
    if column.attribute is None or (column.confidence is not None and column.confidence < SURE):
        return "Decide"
    return "Matched"


def misfits(
    inspection: Inspection,
    columns: Sequence[ColumnMapping],
    attributes: MappingOf[str, Attribute],
    accepted: Container[str] = (),
) -> dict[str, tuple[int, int]]:
    """Column → (values that do not fit its attribute, filled values): of loaded columns whose rows would be rejected.

    ``accepted``: columns about which a person has decided.
    """
    statistics = {column.name: column for column in inspection.columns}
    found = {}
    for column in columns:
        attribute, held = attributes.get(column.attribute or ""), statistics.get(column.column)
        if attribute is None or held is None or column.bad_cell != "reject" or column.column in accepted:
            continue
        filled = round(held.filled * inspection.rows)
        bad = filled - _fitting(inspection, column, held, attribute.type, filled)
        if bad > 0:
            found[column.column] = (bad, filled)
    return found


def _fitting(inspection: Inspection, column: ColumnMapping, held: ColumnStatistics, type_name: str, filled: int) -> int:
    """Filled values that fit; of a format that was asked about, those that fit this very format."""
    for problem in inspection.problems:
        if problem.column == column.column and column.format and problem.code in QUESTIONS:
            for option in problem.options:
                if option["value"] == column.format:
                    return min(filled, int(str(option["fits"])))
    return round(held.fits.get(type_name, 1.0) * filled)


def labels(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Attribute name → what people call it, made unique where two share a display name."""
    known = list(attributes)
    uses = Counter(attribute.display_name for attribute in known)
    return {a.name: a.display_name if uses[a.display_name] == 1 else f"{a.display_name} ({a.name})" for a in known}


def has_identifier(columns: Sequence[ColumnMapping], attributes: MappingOf[str, Attribute]) -> bool:
    """Whether some column names a person."""
    return any(c.attribute in attributes and attributes[c.attribute].identifier for c in columns if c.attribute)


def taken_twice(columns: Sequence[ColumnMapping]) -> list[str]:
    """Attributes that more than one column would fill with the same rule."""
    seen: dict[tuple[str, str], int] = {}
    for column in columns:
        if column.attribute:
            key = (column.attribute, column.combine)
            seen[key] = seen.get(key, 0) + 1
    return sorted({attribute for (attribute, _), uses in seen.items() if uses > 1})


def first_profile(
    row: MappingOf[str, str | None],
    columns: Sequence[ColumnMapping],
    attributes: MappingOf[str, Attribute],
    context: TypeContext,
    asked: Container[str] = (),
) -> list[tuple[str, str, bool]]:
    """(display name, value as it would be stored, masked where personal, whether it fits) of one row of the file.

    ``asked``: columns whose format is still a question; their values cannot be read yet.
    """
    shown = []
    for column in columns:
        attribute = attributes.get(column.attribute or "")
        if attribute is None:
            continue
        text = row.get(column.column)
        if text is None or not text.strip():
            shown.append((attribute.display_name, "–", True))
            continue
        if column.column in asked:
            shown.append((attribute.display_name, "not decided yet", False))
            continue
        kind = TYPES[attribute.type]
        try:
            value = kind.normalise(text, column.format, context)
        except ValueError:
            shown.append((attribute.display_name, "does not fit", False))
            continue
        is_hidden = attribute.pii or bool(column.pii)
        shown.append((attribute.display_name, kind.mask(value) if is_hidden else value, True))
    return shown


def examples(statistics: ColumnStatistics | None) -> str:
    """A few values of a column on one line."""
    return ", ".join(statistics.examples[:3]) if statistics else ""
