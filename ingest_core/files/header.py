"""The strict rules for column names (domain.md §4) and names that keep them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from ingest_core.models import Problem

_RUN = re.compile(r"[\s\-]+")


def repair_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Names without spaces, "-" and control characters, none empty, none twice (also by case); fine ones stay."""
    repaired: list[str] = []
    # Names that are fine as they are keep their name, also against an earlier column that is repaired to it.
    fine = {name.casefold() for name in columns if name and cleaned_name(name) == name}
    taken: set[str] = set()
    suffixes: dict[str, int] = {}  # the last one tried for a name, so that 5,000 equal names take 5,000 tries
    for index, name in enumerate(columns, start=1):
        base = cleaned_name(name) or f"column_{index}"
        candidate, suffix = base, suffixes.get(base.casefold(), 1)
        while candidate.casefold() in taken or (candidate != name and candidate.casefold() in fine):
            suffix += 1
            candidate = f"{base}_{suffix}"
        suffixes[base.casefold()] = suffix
        taken.add(candidate.casefold())
        repaired.append(candidate)
    return tuple(repaired)


def header_problems(columns: Sequence[str]) -> tuple[Problem, ...]:
    """What strict mode does not accept, each with the repaired name as its fix.

    Codes: ``header_empty``, ``header_control``, ``header_space``, ``header_hyphen``, ``header_duplicate``.
    """
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, (name, repaired) in enumerate(zip(columns, repair_names(columns), strict=True), start=1):
        fix = f"{name} → {repaired}" if name.strip() else f"→ {repaired}"
        for code, message in _faults(name, index, seen):
            problems.append(Problem(code=code, message=message, fix=fix, column=name))
        seen.add(name.casefold())
    return tuple(problems)


def _faults(name: str, index: int, seen: set[str]) -> list[tuple[str, str]]:
    if not name.strip():
        return [("header_empty", f"Column {index} has no name.")]
    faults = []
    if any(unicodedata.category(sign) == "Cc" and not sign.isspace() for sign in name):
        faults.append(("header_control", f"The name of column {index} holds a control character."))
    if any(sign.isspace() for sign in name):
        faults.append(("header_space", f"The name of column {index} holds a space."))
    if "-" in name:
        faults.append(("header_hyphen", f'The name of column {index} holds "-".'))
    if name.casefold() in seen:
        faults.append(("header_duplicate", f"The name of column {index} stands twice in the header."))
    return faults


def cleaned_name(name: str) -> str:
    """Without control characters and outer white space; runs of white space and "-" as one "_"."""
    visible = "".join(sign for sign in name if sign.isspace() or unicodedata.category(sign) != "Cc")
    return _RUN.sub("_", visible.strip())
