"""Every code has one entry that says what it is and what to do, and no code is named that has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest_core.audience_manager.lines import WARNINGS
from ingest_core.audience_manager.reasons import (
    AM_REASONS,
    BUILD_REASONS,
    FILE_REASONS,
    LINE_REASONS,
    NAME_REASONS,
    WARNING_REASONS,
)
from ingest_core.reasons import Reason

PARTS = (NAME_REASONS, FILE_REASONS, LINE_REASONS, WARNING_REASONS, BUILD_REASONS)


@pytest.mark.parametrize("reason", AM_REASONS.values(), ids=list(AM_REASONS))
def test_reason_says_what_it_is_and_what_to_do(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", reason.code)
    assert re.fullmatch(r"[A-Z].*[^.]", reason.title)
    assert re.fullmatch(r"[A-Z].*\.", reason.explanation)
    assert re.fullmatch(r"[A-Z].*[.)]", reason.fix)


def test_codes_are_told_apart() -> None:
    assert len(AM_REASONS) == sum(map(len, PARTS))


def test_every_code_of_the_modules_is_in_the_catalogue(repository: Path) -> None:
    call = re.compile(r'(?:NameProblem|LineProblem|ItemError|_at)\((?:text, [^"]*)?"([a-z0-9_]+)"')
    named = set()
    for path in (repository / "ingest_core" / "audience_manager").glob("*.py"):
        named |= set(call.findall(path.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named | set(WARNINGS) <= set(AM_REASONS)
