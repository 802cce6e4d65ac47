"""What a rule for all columns is about, counted: empty and filled cells of the matched columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingest_core.models import ColumnMapping, Inspection
from pages.ui.text import count, number


def by_rule(found: Inspection, columns: Sequence[ColumnMapping], rule: str, *, is_filled: bool) -> dict[str, list[int]]:
    """Rule → cells per column that has it: the filled ones, or the empty ones where there are any."""
    filled = {column.name: round(column.filled * found.rows) for column in found.columns}
    cells: dict[str, list[int]] = {}
    for column in columns:
        if column.column in filled:
            full = filled[column.column]
            cells.setdefault(str(getattr(column, rule)), []).append(full if is_filled else found.rows - full)
    return {name: counted for name, counts in cells.items() if (counted := [one for one in counts if one])}


def blanks(found: Inspection, columns: Sequence[ColumnMapping]) -> str:
    """1,204 empty cells in 3 columns keep what is stored; 12 in 1 column clear it."""
    said = {"keep": ("keeps what is stored", "keep what is stored"), "clear": ("clears it", "clear what is stored")}
    cells = by_rule(found, columns, "blank", is_filled=False)
    if not cells:
        return "No cell of the matched columns is empty, so this changes nothing for this file."
    return f"{_told(cells, 'empty cell', said, ('is read by its own rule', 'are read by a rule of their own'))}."


def conflicts(found: Inspection, columns: Sequence[ColumnMapping], profiles: int) -> str:
    """400 filled cells in 5 columns replace another stored value."""
    if not profiles:
        return "No profile is stored yet, so no value can meet another."
    said = {
        "newest": ("replaces another stored value", "replace another stored value"),
        "keep": ("fills only what is empty", "fill only what is empty"),
    }
    cells = by_rule(found, columns, "conflict", is_filled=True)
    if not cells:
        return "No cell of the matched columns is filled."
    return f"{_told(cells, 'filled cell', said, ('', ''))}, where the person is known."


def _told(
    cells: Mapping[str, list[int]], what: str, said: Mapping[str, tuple[str, str]], other: tuple[str, str]
) -> str:
    parts: list[str] = []
    for rule, counts in sorted(cells.items(), key=lambda item: -sum(item[1])):
        one, many = said.get(rule, other)
        cell = count(sum(counts), what) if not parts else number(sum(counts))
        parts.append(f"{cell} in {count(len(counts), 'column')} {one if sum(counts) == 1 else many}")
    return "; ".join(parts)
