"""Many threads that load overlapping people into one workspace, and the same files one after the other."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_core.files import PathSource
from ingest_core.models import Options
from ingest_core.workspace import Workspace
from tests.cli.onramp import check_receipt
from tests.faults.facts import problems
from tests.workspaces import mapping_of

MAPPING = mapping_of({"crmid": "crmid", "email": "email", "phone": "phone", "city": "city"})
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"replace": "members"},
    {"segment": "add:SHARED"},
    {"replace": "values"},
)
ACCOUNT = ("lines", "stored", "rejected", "duplicates", "created", "updated", "unchanged", "merged", "came_apart")
ACCOUNT += ("removed", "conflicts", "shared", "memberships_ended", "profiles_before", "profiles_after", "members")


@dataclass(frozen=True)
class File:
    """A file and how it is loaded."""

    path: Path
    source: str
    options: Options


def make_files(folder: Path, count: int, rows: int, people: int, seed: int) -> list[File]:
    """Files of few people, each with some of their identifiers, so that they are joined and come apart."""
    draw = random.Random(seed)
    files = []
    for number in range(count):
        lines = []
        for row in range(rows):
            person = draw.randrange(people)
            cells = (f"C{person}", f"person{person // 2}@example.com", f"+44207946{person % 9000 + 1000}")
            kept = [cell if draw.random() < share else "" for cell, share in zip(cells, (0.7, 0.6, 0.4), strict=True)]
            lines.append("\t".join([*kept, f"Town {number}.{row}"]))
        path = folder / f"{number}.tsv"
        path.write_text("crmid\temail\tphone\tcity\n" + "\n".join(lines) + "\n")
        files.append(File(path, draw.choice(("CRM", "Shop")), Options(**draw.choice(OPTIONS))))
    return files


def prepare(workspace: Workspace) -> None:
    """What the files need to be there."""
    for source in ("CRM", "Shop"):
        workspace.sources.add(source)
    workspace.segments.add("SHARED", {"any": []}, "")


def load(workspace: Workspace, file: File) -> None:
    """At once, in this thread."""
    source = workspace.sources.get(file.source)
    workspace.loads.load(workspace.plan(PathSource(file.path), source, MAPPING, file.options))


def submit(workspace: Workspace, file: File) -> None:
    """Through the queue."""
    data = file.path.read_bytes()
    writer = workspace.landing.create(file.path.name, len(data))
    writer.write(data)
    source = workspace.sources.get(file.source)
    workspace.jobs.submit(writer.finish(), source, MAPPING, file.options, idempotency_key=file.path.name)


@dataclass
class Crowd:
    """Threads that work at once, and whatever anybody was told that is not a result."""

    errors: list[BaseException] = field(default_factory=list)

    def work(self, workspace: Workspace, files: list[File], threads: int) -> None:
        """Each thread its share: half of the files at once, half through the queue; another reads all the time."""
        workspace.jobs.start_worker()
        done = threading.Event()
        loaders = [
            threading.Thread(target=self._guarded, args=(self._load, workspace, files[n::threads]))
            for n in range(threads)
        ]
        reader = threading.Thread(target=self._guarded, args=(self._read, workspace, done))
        for thread in (*loaders, reader):
            thread.start()
        for thread in loaders:
            thread.join()
        while len(accounts(workspace)) < len(files):
            done.wait(0.1)
        done.set()
        reader.join()

    def _guarded(self, work: Any, *arguments: object) -> None:
        try:
            work(*arguments)
        except BaseException as error:  # noqa: BLE001  the test looks at it
            self.errors.append(error)

    def _load(self, workspace: Workspace, files: list[File]) -> None:
        for number, file in enumerate(files):
            (submit if number % 2 else load)(workspace, file)

    def _read(self, workspace: Workspace, done: threading.Event) -> None:
        while not done.is_set():
            for receipt in workspace.history.list(limit=5):
                if receipt.finished_at:
                    check_receipt(receipt.model_dump(mode="json"))
            workspace.profiles.count()
            done.wait(0.1)


def at_once_and_in_order(folder: Path, files: list[File], threads: int) -> None:
    """Threads load the files into one workspace; this one loads them into another in the order of their commits.

    Nobody may be told of an error, every receipt and both digests must be equal.
    """
    crowd = Crowd()
    by_name = {file.path.name: file for file in files}
    with Workspace.open(folder / "crowded") as crowded, Workspace.open(folder / "serial") as serial:
        prepare(crowded)
        prepare(serial)
        crowding = threading.Thread(target=crowd.work, args=(crowded, files, threads))
        crowding.start()
        done = 0
        while done < len(files) and (crowding.is_alive() or done < len(accounts(crowded))):
            for name, _ in accounts(crowded)[done:]:
                load(serial, by_name[name])
                done += 1
        crowding.join()
        assert crowd.errors == []
        assert {counts["status"] for _, counts in accounts(crowded)} == {"Completed"}
        assert sorted(name for name, _ in accounts(crowded)) == sorted(by_name)
        assert accounts(crowded) == accounts(serial)
        assert crowded.digest() == serial.digest()
        assert crowded.rebuild()["digest"] == serial.digest()["digest"]
        assert problems(crowded) == []


def accounts(workspace: Workspace) -> list[tuple[str, dict[str, Any]]]:
    """(file, counts) of every upload in the order of their commits."""
    with workspace.engine.session() as session:
        rows = session.records(
            f"SELECT file, status, {', '.join(ACCOUNT)} FROM upload WHERE upload_no > 0 ORDER BY upload_no"
        )
    return [(row.pop("file"), row) for row in rows]
