"""Problems that the values of a column raise, with the choices they leave. No cell is ever quoted.

``name`` is what people call the column, ``column`` its name exactly as in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ingest_core.mapping.trials import NUMBERS, Trial
from ingest_core.mapping.types import TYPES
from ingest_core.models import Problem


def which_format(name: str, column: str, type_name: str, rivals: Sequence[Trial]) -> Problem:
    """``ambiguous_date`` or ``ambiguous_decimal``: several formats fit, and nothing in the column decides."""
    most = max(trial.fitting for trial in rivals)
    is_number = type_name in NUMBERS
    what = "decimal sign" if is_number else "date format"
    return Problem(
        code="ambiguous_decimal" if is_number else "ambiguous_date",
        message=f"{name}: {most:,} of {rivals[0].seen:,} values fit more than one {what}.",
        fix=f"Choose the {what} of this column; it is never guessed.",
        column=column,
        options=tuple(
            {"value": trial.format, "label": reading(type_name, str(trial.format)), "fits": trial.fitting}
            for trial in rivals
        ),
    )


def reading(type_name: str, fmt: str) -> str:
    """A format in words with an invented example, e.g. "Day/month/year: 03/04/2025 is 3 April 2025"."""
    label = next(known.label for known in TYPES[type_name].formats if known.value == fmt)
    examples = ("1.234", "1,234") if type_name in NUMBERS else (_written(fmt),)
    read = ", ".join(f"{text} is {_read(type_name, text, fmt)}" for text in examples)
    return f"{label}: {read}"


def _written(fmt: str) -> str:
    """3, 4 and 5 in the places of the format: a date whose reading shows the order."""
    text = fmt.removesuffix(" HH:MM")
    year = "2025" if "YYYY" in fmt else "05"
    figures = iter(("03", "04", "05")) if year == "05" else iter(("03", "04"))
    for part in sorted(("YYYY", "YY", "MM", "DD"), key=fmt.find):
        if part in text:
            text = text.replace(part, year if part == "YYYY" else next(figures), 1)
    return text


def _read(type_name: str, text: str, fmt: str) -> str:
    try:
        canonical = TYPES[type_name].normalise(text, fmt)
    except ValueError:
        return "not possible"
    if type_name in NUMBERS:
        return canonical
    day = date.fromisoformat(canonical[:10])
    return f"{day.day} {day:%B %Y}"


def country_needed(name: str, column: str, count: int, seen: int) -> Problem:
    """``phone_country_needed``: national numbers and no default country."""
    return Problem(
        code="phone_country_needed",
        message=f"{name}: {count:,} of {seen:,} phone numbers have no country code.",
        fix="Choose the phone country of the source, or write the numbers with +country code.",
        column=column,
    )


def damaged(name: str, column: str, count: int, seen: int) -> Problem:
    """``spreadsheet_damage``: numbers whose last digits are lost."""
    return Problem(
        code="spreadsheet_damage",
        message=f"{name}: {count:,} of {seen:,} phone numbers were damaged by a spreadsheet (like 9.19E+11).",
        fix="Export the column again as text; these rows will be rejected as they are.",
        column=column,
        options=({"value": "count", "label": "damaged numbers", "fits": count},),
    )
