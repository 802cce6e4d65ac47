"""An operation on its ground: run, struck by a fault, judged, and done again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_core.operations.archive import check_archive
from tests.faults.facts import Facts, look
from tests.faults.operations import OPERATIONS, Ground, Operation
from tests.faults.processes import Died, Processes

CHANGING = {
    "request_id", "steps", "seconds", "created_at", "started_at", "finished_at", "undone_at", "mapping_version", "home",
    "out", "bytes", "bytes_before", "bytes_after", "uploads_ended", "uploads_back", "is_resumed", "pages",
}  # fmt: skip
"""What differs from one run to the next, or says how much an earlier run had done."""


def plain(result: Any) -> Any:
    """A command's result without what differs."""
    if isinstance(result, dict):
        return {name: plain(value) for name, value in result.items() if name not in CHANGING}
    return [plain(item) for item in result] if isinstance(result, list) else result


@dataclass
class Verdict:
    """What a fault left: how many of the log's rows are missing or too many, and what else is wrong."""

    is_done: bool
    has_ended: bool = False  # a queued upload that failed: there is nothing to do again
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


class Stage:
    """An operation, the ground it begins on, and what it does when nobody disturbs it."""

    def __init__(self, name: str, folder: Path, processes: Processes, rows: int = 0) -> None:
        self.name = name
        self.operation = OPERATIONS[name]
        self.processes = processes
        self._ground, self._newest = _ground(self.operation, folder, processes, rows)
        self._copies = folder / "copies"
        self.before = look(self.fresh() / self.operation.home)
        undisturbed = self.fresh()
        self.died = self.run(undisturbed)
        assert self.died.code in (0, 1), self.died.err
        self.points = [(step, when) for step, when, _ in self.died.points]
        after = look(undisturbed / self.operation.home)
        assert after is not None
        self.after = after
        for facts in (self.before, self.after):
            assert facts is None or facts.problems == []
        self.is_told_apart = not self._is_before(self.after)

    def fresh(self, at: Path | None = None) -> Path:
        """A copy of the ground to run on; the one before it at the same place is removed."""
        folder = at or self._copies
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._ground, folder)
        return folder

    def size(self) -> int:
        """Bytes of the ground."""
        return sum(path.stat().st_size for path in self._ground.rglob("*") if path.is_file())

    def strike(self, faults: Iterable[str]) -> Iterator[tuple[str, Path, Died, Verdict]]:
        """The operation on fresh ground with each fault, how it died, what was left: judged while the next one runs."""
        waiting = list(enumerate(faults))
        with ThreadPoolExecutor(1) as ahead:

            def start() -> Future[tuple[str, Path, Died]] | None:
                return ahead.submit(self._struck, *waiting.pop(0)) if waiting else None

            running = start()
            while running is not None:
                fault, folder, died = running.result()
                running = start()
                yield fault, folder, died, self.judge(folder)

    def _struck(self, number: int, fault: str) -> tuple[str, Path, Died]:
        folder = self.fresh(self._copies.with_name(f"struck{number % 2}"))
        return fault, folder, self.run(folder, fault=fault)

    def seconds(self) -> dict[str, float]:
        """How long each step took, the longest time where it came several times."""
        begun: dict[str, float] = {}
        took: dict[str, float] = {}
        for step, when, at in self.died.points:
            if when == "before":
                begun[step] = at
            else:
                took[step] = max(took.get(step, 0.0), at - begun[step])
        return took

    def run(self, folder: Path, **faults: Any) -> Died:
        """The command in a process of its own."""
        home = folder / self.operation.home
        if self.operation.command == "(worker)":
            return self.processes.ask(waiting=home, **faults)
        words = self.operation.command.split()
        return self.processes.run(home, *(w.format(folder=folder, newest=self._newest) for w in words), **faults)

    def judge(self, folder: Path) -> Verdict:
        """What is left. Also opens the workspace, which puts right what a kill left."""
        home = folder / self.operation.home
        try:
            now = look(home)
        except Exception as error:  # noqa: BLE001  whatever it is: the workspace cannot be opened or read any more
            return Verdict(is_done=False, wrong=[f"{type(error).__name__}: {error}"])
        verdict = self._compare(now)
        if self.operation.made and (folder / self.operation.made).exists():
            check_archive(folder / self.operation.made)
            verdict.is_done = True
        return verdict

    def _compare(self, now: Facts | None) -> Verdict:
        if now is None:
            return Verdict(is_done=False, wrong=[] if self.before is None else ["the workspace is gone"])
        is_done = self._is_after(now) and self.is_told_apart
        if is_done or self._is_before(now):
            had = self.before.uploads if self.before else []
            has_ended = not is_done and _waiting(now.uploads) < _waiting(had)
            return Verdict(is_done=is_done, has_ended=has_ended, wrong=now.problems)
        if self.operation.is_in_parts and now.digest == self.after.digest:
            return Verdict(is_done=False, wrong=now.problems)
        if self.before is None and now.uploads == [] and set(now.counts) == set(self.after.counts):
            return Verdict(is_done=True, wrong=now.problems)  # a new workspace, made in parts
        possible = {facts.rows for facts in (self.before, self.after) if facts}
        lost = max(0, min(possible) - now.rows)
        wrong = ["between before and after", *now.problems]
        return Verdict(is_done=False, lost=lost, doubled=now.doubled, wrong=wrong)

    def _is_before(self, now: Facts) -> bool:
        """Nothing but uploads that failed and left nothing has been added; what waited still waits, or failed."""
        if self.before is None or now.tables != self.before.tables:
            return False
        added = len(now.uploads) - len(self.before.uploads)
        return (
            added >= 0
            and all(map(_has_failed, now.uploads[:added]))
            and all(map(_is_kept, self.before.uploads, now.uploads[added:]))
        )

    def _is_after(self, now: Facts) -> bool:
        lasting = ("Completed", "Scheduled")
        statuses = [[u["status"] for u in facts.uploads if u["status"] in lasting] for facts in (now, self.after)]
        return (now.digest, now.counts) == (self.after.digest, self.after.counts) and statuses[0] == statuses[1]

    def finish(self, folder: Path, verdict: Verdict) -> None:
        """The operation succeeds now, with the result it always has, or says that it was done."""
        if verdict.has_ended:
            return
        again = self.run(folder)
        if verdict.is_done and self.operation.refused:
            assert again.code in (2, 3), (again.code, again.out)
            assert again.json["error"]["code"] == self.operation.refused, again.out
        else:
            assert again.code == self.died.code, again.out + again.err
            if again.out and not self.operation.is_in_parts:
                assert plain(again.json) == plain(self.died.json)
        ended = look(folder / self.operation.home)
        assert ended is not None
        assert ended.problems == []
        assert ended.digest == self.after.digest
        assert self._is_after(ended) or self.operation.is_in_parts or (verdict.is_done and not self.operation.refused)


_GROUNDS: dict[tuple[Callable[[Ground], None], int, bool], tuple[Path, str]] = {}


def _ground(operation: Operation, folder: Path, processes: Processes, rows: int) -> tuple[Path, str]:
    """The folder to copy and its newest upload; many operations begin on the same one."""
    has_newest = "{newest}" in operation.command
    known = _GROUNDS.get((operation.begin, rows, has_newest))
    if known is None or not known[0].exists():
        (folder / "ground").mkdir()
        ground = Ground(folder / "ground", processes, rows)
        operation.begin(ground)
        known = (ground.folder, ground.newest() if has_newest else "")
        _GROUNDS[(operation.begin, rows, has_newest)] = known
    return known


def _waiting(uploads: list[dict[str, Any]]) -> int:
    return [upload["status"] for upload in uploads].count("Scheduled")


def _is_kept(was: dict[str, Any], upload: dict[str, Any]) -> bool:
    return _lasting(upload) == _lasting(was) or (was["status"] == "Scheduled" and _has_failed(upload))


def _has_failed(upload: dict[str, Any]) -> bool:
    return upload["status"] == "Failed" and not upload["stored"]


def _lasting(upload: dict[str, Any]) -> dict[str, Any]:
    """An interrupted upload failed when it was found so: at each opening of each copy at another moment."""
    return {**upload, "finished_at": None} if (upload["error"] or {}).get("code") == "interrupted" else upload
