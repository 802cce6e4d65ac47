"""What the workspace's policy says about one file: formats that are refused, names that were repaired."""

from __future__ import annotations

from collections.abc import Sequence

from ingest_core.errors import InputError
from ingest_core.files import repair_names
from ingest_core.models import Problem

_SEPARATORS = {",": "commas", ";": "semicolons", "|": "“|”"}
_FIX = "Export it as tab-separated text in UTF-8, or allow other formats in the settings."
_SHOWN = 5


def other_format(container: str, encoding: str, delimiter: str, *, has_bom: bool, columns: int) -> str | None:
    """How a file is not what the original takes, plain tab-separated UTF-8; None when it is."""
    if container != "plain":
        return f"it is packed or a workbook ({container})"
    if encoding not in ("utf-8", "ascii"):
        return f"its encoding is {encoding}"
    if has_bom:
        return "it begins with a byte order mark"
    if delimiter != "\t" and columns > 1:
        return f"its cells are separated by {_SEPARATORS.get(delimiter, 'another character')}"
    return None


def format_problem(why: str) -> Problem:
    """For who looks at the file before anything is loaded."""
    return Problem(code="other_format", message=f"This workspace does not take this file: {why}.", fix=_FIX)


def refuse_format(why: str) -> InputError:
    """For who loads it all the same."""
    return InputError(
        f"This workspace takes tab-separated UTF-8 only, and this file is not that: {why}. Nothing was loaded.",
        code="other_format",
        hint=_FIX,
    )


def repaired_notice(columns: Sequence[str], *, has_header: bool = True) -> str | None:
    """Which column names were repaired: ``columns`` as in the file. None when all of them are fine."""
    pairs = [(raw, fine) for raw, fine in zip(columns, repair_names(columns), strict=True) if raw != fine]
    if not pairs or not has_header:
        return None
    said = ", ".join(
        f"“{raw.strip()}” → {fine}" if raw.strip() else f"(no name) → {fine}" for raw, fine in pairs[:_SHOWN]
    )
    more = f" and {len(pairs) - _SHOWN:,} more" if len(pairs) > _SHOWN else ""
    names = "1 column name was" if len(pairs) == 1 else f"{len(pairs):,} column names were"
    return f"{names} repaired: {said}{more}."
