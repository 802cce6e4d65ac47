"""Everything that is wrong with a rule at once, so that each problem can be shown at its place."""

from __future__ import annotations

from typing import Any

from ingest_core.segments.editing import part_of, replaced
from ingest_core.segments.known import Known
from ingest_core.segments.rules import RuleError, parse_rule

MOST_PROBLEMS = 50


def problems(rule: Any, known: Known, editing: int | None = None) -> list[RuleError]:
    """The problems of a rule as a person writes it, at most one of each part; empty when it can be used.

    What is found is put aside and the rest looked at again; that a rule is too large is said when all else is right.
    """
    found: list[RuleError] = []
    while len(found) < MOST_PROBLEMS:
        try:
            parse_rule(rule, known, editing)
        except RuleError as problem:
            found.append(problem)
            if problem.code == "rule_too_large":
                break
            try:
                rule = replaced(rule, part_of(str(problem.facts["path"])), {"all": []})
            except LookupError:
                break
        else:
            break
    return found
