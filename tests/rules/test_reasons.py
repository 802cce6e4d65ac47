"""The catalogue of reject reasons is complete, and its page is current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_core.reasons import REASONS, Reason


@pytest.mark.parametrize("reason", REASONS.values(), ids=list(REASONS))
def test_reason_says_what_it_is_and_what_to_do(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", reason.code)
    assert re.fullmatch(r"[A-Z].*[^.]", reason.title)
    assert re.fullmatch(r"[A-Z].*\.", reason.explanation)
    assert re.fullmatch(r"[A-Z].*[.)]", reason.fix)


def test_titles_are_told_apart() -> None:
    assert len({reason.title for reason in REASONS.values()}) == len(REASONS)


def test_page_of_reasons_is_current(repository: Path) -> None:
    command = [sys.executable, "docs/generate_reasons.py", "--check"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
