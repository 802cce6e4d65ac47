"""The conformance vectors, case by case, and the runner that does the same for any folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.cases import JUDGES, Case, read_cases, vector_files
from tests.conformance.run import run

VECTORS = Path(__file__).parent / "vectors"
CASES = [case for path in vector_files(VECTORS) for case in read_cases(path)]
BUILT = [case for case in CASES if case.kind in JUDGES]

RECOMMENDED_OTHERWISE: dict[str, str] = {}
"""Cases whose recommended code or warnings differ here, with the reason why."""


@pytest.mark.parametrize("case", BUILT, ids=[f"{case.id}-{case.kind}" for case in BUILT])
def test_case(case: Case) -> None:
    verdict = case.judge()
    assert verdict.normative == []
    if case.id not in RECOMMENDED_OTHERWISE:
        assert verdict.recommended == []


def test_every_case_is_there() -> None:
    counts = {path.name: len(list(read_cases(path))) for path in vector_files(VECTORS)}
    assert counts == {
        "expressions.jsonl": 59, "filenames.jsonl": 156, "idsync.jsonl": 62, "lines.jsonl": 177, "semantics.jsonl": 36,
    }  # fmt: skip
    assert {case.kind for case in CASES} == {"name", "line", "row", "sequence", "http", "trait", "segment", "scenario"}


@pytest.fixture
def wrong_folder(tmp_path: Path) -> Path:
    """A right case, a wrong one without id, one of a kind that nothing judges."""
    right = next(case.content for case in CASES if case.kind == "name")
    wrong = {**{name: value for name, value in right.items() if name != "id"}, "valid": False, "parsed": None}
    lines = [right, wrong, {"id": "X9", "kind": "dance"}]
    (tmp_path / "some.jsonl").write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    return tmp_path


def test_the_runner_names_what_failed(wrong_folder: Path) -> None:
    assert run(wrong_folder) == {"some.jsonl": {"passed": 1, "failed": 2, "failures": ["3", "X9"]}}


def test_the_runner_prints_one_document_and_its_exit_code_says_whether_all_passed(
    repository: Path, wrong_folder: Path
) -> None:
    command = [sys.executable, "tests/conformance/run.py", "--vectors"]
    done = subprocess.run([*command, str(wrong_folder)], cwd=repository, capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)) == (1, run(wrong_folder))
    (wrong_folder / "some.jsonl").write_text(json.dumps(BUILT[0].content) + "\n", encoding="utf-8")
    done = subprocess.run([*command, str(wrong_folder)], cwd=repository, capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stdout)["some.jsonl"]["passed"]) == (0, 1)
    assert subprocess.run([*command, str(repository / "docs")], cwd=repository, capture_output=True).returncode == 1
