"""The kill matrix: every step of every operation is killed at moments drawn at random, and what is left is judged.

    python -m tests.soak.kill_matrix [--kills 60] [--seed 1] [--rows 500] [--write docs/reliability.md]

A step that several operations have gets its kills from all of them, a commit half of them from each. Two kills of a
step are at its abort points, the others inside. A step that was faster than its kill is no kill: another moment is
drawn. After every third kill the operation is done again, and must come to its usual result.
"""

from __future__ import annotations

import argparse
import queue
import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.operations import OPERATIONS
from tests.faults.processes import Processes
from tests.faults.stage import Stage

BEGIN, END = "<!-- kill matrix: begin -->", "<!-- kill matrix: end -->"
AGAIN_EVERY = 3
TRIES = 4  # for each kill, of a step that may be over too soon


@dataclass
class Row:
    """What came of the kills of one step: none of it done, all of it done, or worse."""

    kills: int = 0
    none: int = 0
    all: int = 0
    lost: int = 0  # rows
    doubled: int = 0  # rows
    torn: int = 0  # kills that left neither all nor nothing, or a workspace that cannot be opened
    again: int = 0  # operations that were done again
    failed: list[str] = field(default_factory=list)


class Matrix:
    """The rows by step, filled by a few threads."""

    def __init__(self, folder: Path, kills: int, seed: int, rows: int, threads: int = 2) -> None:
        self.rows: dict[str, Row] = defaultdict(Row)
        self.stages: dict[str, Stage] = {}
        self._folder, self._kills, self._seed, self._size, self._threads = folder, kills, seed, rows, threads
        self._lock = threading.Lock()

    def run(self) -> Matrix:
        """Builds all stages, then kills, a few threads with a fork server each taking one operation after the other."""
        self._build()
        having = Counter(step for stage in self.stages.values() for step in stage.seconds())
        waiting: queue.SimpleQueue[Stage] = queue.SimpleQueue()
        errors: list[BaseException] = []
        for stage in self.stages.values():
            waiting.put(stage)

        def pull() -> None:
            processes = Processes()
            try:
                while not errors:
                    self._kill_all(waiting.get_nowait(), processes, having)
            except queue.Empty:
                pass
            except BaseException as error:  # noqa: BLE001  told below
                errors.append(error)
            finally:
                processes.close()

        threads = [threading.Thread(target=pull) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return self

    def _build(self) -> None:
        processes = Processes()
        for number, name in enumerate(OPERATIONS):
            folder = self._folder / str(number)
            folder.mkdir()
            self.stages[name] = Stage(name, folder, processes, rows=self._size)
        processes.close()

    def _kill_all(self, stage: Stage, processes: Processes, having: Counter[str]) -> None:
        stage.processes = processes
        draw = random.Random(f"{self._seed} {stage.name}")
        for step, seconds in stage.seconds().items():
            wanted = -(-self._kills // (2 if step == "commit" else having[step]))
            faults = [f"{step}:before:kill", f"{step}:after:kill"]
            for number in range(max(wanted, 2)):
                self._kill(stage, step, draw, seconds, faults[number] if number < 2 else None)

    def _kill(self, stage: Stage, step: str, draw: random.Random, seconds: float, fault: str | None) -> None:
        for attempt in range(TRIES):
            folder = stage.fresh()
            moment = draw.random() * seconds * 1000 / (attempt + 1)
            died = stage.run(folder, fault=fault or f"{step}:{moment:.3f}ms:kill")
            if died.code == -9:
                break
        else:
            return
        verdict = stage.judge(folder)
        failure = ""
        with self._lock:
            row = self.rows[step]
            row.kills += 1
            row.lost += verdict.lost
            row.doubled += verdict.doubled
            row.torn += bool(verdict.wrong)
            row.all += verdict.is_done
            row.none += not verdict.is_done
            is_again = row.kills % AGAIN_EVERY == 0 and verdict.is_sound
        if is_again:
            try:
                stage.finish(folder, verdict)
            except AssertionError as error:
                failure = f" and then: {error}"
        with self._lock:
            row.again += is_again
            if failure or not verdict.is_sound:
                row.failed.append(f"{stage.name}, {fault or f'{moment:.3f} ms'}: {verdict}{failure}")

    def table(self) -> str:
        """Markdown, a line for each step in the order in which operations take them."""
        order = list(dict.fromkeys(step for name in OPERATIONS for step in self.stages[name].seconds()))
        lines = [
            "| step | kills | nothing done | all done | rows lost | rows doubled | torn |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for step in order:
            row = self.rows[step]
            lines.append(f"| {step} | {row.kills} | {row.none} | {row.all} | {row.lost} | {row.doubled} | {row.torn} |")
        names = ("kills", "none", "all", "lost", "doubled", "torn")
        sums = [sum(getattr(row, name) for row in self.rows.values()) for name in names]
        return "\n".join([*lines, "| **all** | " + " | ".join(f"**{number:,}**" for number in sums) + " |"])

    def text(self) -> str:
        """The table with the command that made it."""
        again = sum(row.again for row in self.rows.values())
        command = f"python -m tests.soak.kill_matrix --kills {self._kills} --seed {self._seed} --rows {self._size}"
        return (
            f"`{command}`: {len(self.stages)} operations on files of {self._size:,} rows; after {again:,} of the kills "
            f"the operation was done again, with its usual result.\n\n{self.table()}"
        )

    def failures(self) -> list[str]:
        """What must not be: every kill that was not sound."""
        return [f"{step}: {failure}" for step, row in self.rows.items() for failure in row.failed]


def write(path: Path, text: str) -> None:
    """Puts the text between the marks of a page."""
    page = path.read_text("utf-8")
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> int:
    """Prints the table; returns 1 where a kill did harm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60, help="for each step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=500, help="of the files that are loaded")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this page")
    asked = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="onramp-kills-") as folder:
        matrix = Matrix(Path(folder), asked.kills, asked.seed, asked.rows).run()
    print(matrix.text())
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    for failure in matrix.failures():
        print(failure, file=sys.stderr)
    if asked.write:
        write(asked.write, matrix.text())
    return bool(matrix.failures())


if __name__ == "__main__":
    sys.exit(main())
