"""Cases of the conformance vectors: read from files, told apart by kind, judged by one function per kind.

A kind is added with one entry in ``JUDGES``. What no entry judges counts as failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.case_id_sync import judge_http, judge_row, judge_sequence
from tests.conformance.case_lines import judge_line
from tests.conformance.case_names import judge_name
from tests.conformance.case_rules import judge_segment, judge_trait
from tests.conformance.case_scenario import judge_scenario
from tests.conformance.verdict import Verdict

JUDGES: dict[str, Callable[[dict[str, Any]], Verdict]] = {
    "name": judge_name,
    "line": judge_line,
    "row": judge_row,
    "sequence": judge_sequence,
    "http": judge_http,
    "trait": judge_trait,
    "segment": judge_segment,
    "scenario": judge_scenario,
}
"""Kind of case → what judges it."""


@dataclass(frozen=True)
class Case:
    """One line of a vector file. ``id``: its own, or the number of its line where it has none."""

    file: str
    id: str
    kind: str
    content: dict[str, Any] = field(repr=False)

    def judge(self) -> Verdict:
        """How the product does on it; an exception is a difference, too."""
        judge = JUDGES.get(self.kind)
        if judge is None:
            return Verdict([f"nothing judges cases of the kind {self.kind!r} yet"])
        try:
            return judge(self.content)
        except Exception as error:  # noqa: BLE001  one bad case must not end the run
            return Verdict([f"{type(error).__name__}: {error}"])


def kind_of(content: dict[str, Any]) -> str:
    """What a case is about: said by itself, or seen by its fields."""
    if "kind" in content:
        return str(content["kind"])
    if "transport" in content:
        return "name"
    if "raw" in content or "raw_parts" in content:
        return "line"
    return "scenario" if "steps" in content else "unknown"


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file of JSON lines."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            content = json.loads(line)
            yield Case(path.name, str(content.get("id", number)), kind_of(content), content)


def vector_files(folder: Path) -> list[Path]:
    """The vector files of a folder, by name."""
    return sorted(folder.glob("*.jsonl"))
