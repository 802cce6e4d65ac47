"""What checking files before they are sent says (spec §17): one entry per file, one problem per code."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from ingest_core.audience_manager.reasons import AM_REASONS, WARNING_REASONS

PLACES_KEPT = 10  # of each code

Level = Literal["error", "warning"]
Kind = Literal["data", "id_sync", "outbound", "info"]

_WARNINGS_THAT_BLOCK = frozenset({"email_in_value", "lines_over_user_cap"})


class Place(BaseModel):
    """Where a problem is: line from 1, column (bytes from 1) where one byte is meant, and why. Never content."""

    line: int | None = None
    column: int | None = None
    why: str = ""


class Problem(BaseModel):
    """All occurrences of one code in one file: how many, and the first ten places. ``line``, ``column``: the first."""

    code: str
    level: Level
    line: int | None = None
    column: int | None = None
    title: str
    message: str
    fix: str
    count: int = 0
    places: list[Place] = []


class FileCheck(BaseModel):
    """One file. ``kind`` and ``name`` null: the name cannot be read. ``lines`` counts every line, blank ones too.

    ``error``: the code for which the whole file is refused. ``is_checked``: whether the content was read to its end; an
    encrypted or exported file is checked by its name only.
    """

    file: str
    kind: Kind | None
    valid: bool = True
    error: str | None = None
    is_checked: bool = False
    name: dict[str, Any] | None = None
    bytes: int = 0
    lines: int = 0
    by_category: dict[str, int] = {}
    operations: dict[str, int] = {}
    traits: dict[int, int] = Field({}, exclude=True)  # named ones → how often
    problems: list[Problem] = []


class CheckReport(BaseModel):
    """All files, in the order given."""

    files: list[FileCheck]

    @property
    def valid(self) -> bool:
        """Whether nothing stands in the way of any file."""
        return all(file.valid for file in self.files)


class ProblemList:
    """Gathers problems by code; keeps the first ten places of each, whatever their number."""

    def __init__(self) -> None:
        self._found: dict[str, Problem] = {}

    def add(self, code: str, place: Place, count: int = 1) -> None:
        """``count`` occurrences of which ``place`` is the next to be kept."""
        problem = self._found.get(code)
        if problem is None:
            reason = AM_REASONS[code]
            is_warning = code in WARNING_REASONS and code not in _WARNINGS_THAT_BLOCK
            problem = self._found[code] = Problem(
                code=code,
                level="warning" if is_warning else "error",
                line=place.line,
                column=place.column,
                title=reason.title,
                message=reason.explanation,
                fix=reason.fix,
            )
        problem.count += count
        if len(problem.places) < PLACES_KEPT:
            problem.places.append(place)

    def add_lines(self, code: str, lines: list[int], count: int) -> None:
        """``count`` lines with the same remark, the first of which are ``lines``."""
        for line in lines[:PLACES_KEPT]:
            self.add(code, Place(line=line))
        if count > len(lines[:PLACES_KEPT]):
            self._found[code].count += count - len(lines[:PLACES_KEPT])

    def wants_place(self, code: str) -> bool:
        """Whether another place of a code would be kept."""
        return code not in self._found or len(self._found[code].places) < PLACES_KEPT

    @property
    def has_error(self) -> bool:
        """Whether anything of it stands in the way."""
        return any(problem.level == "error" for problem in self._found.values())

    def sorted(self) -> list[Problem]:
        """Errors first, then the most frequent."""
        return sorted(self._found.values(), key=lambda problem: (problem.level != "error", -problem.count))
