"""Everything that changes a workspace, as commands that can be made to die; and how to judge what is left then.

``OPERATIONS`` is the table: a command is one line there, its steps are found by running it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest_core.ledger.audit import verify_audit
from ingest_core.operations.archive import check_archive
from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp, check_receipt, counts, state_of
from tests.faults.processes import Died, Processes

FIRST = (
    "crmid\temail\tphone\tcity\n"
    "C1\tanna@example.com\t+442079460001\tBonn\n"
    "C2\tben@example.com\t+442079460002\tOslo\n"
    "\tcleo@example.com\t\tRome\n"
    "\t\t+442079460004\tLyon\n"
)
SECOND = (
    "crmid\temail\tphone\tcity\n"
    "C1\tanna@example.com\t+442079460001\tKiel\n"  # known, changed
    "C2\tben@example.com\t+442079460002\tOslo\n"  # known, as it was
    "C3\tcleo@example.com\t+442079460004\tRome\n"  # joins two people
    "C4\tnot an address\t\tGraz\n"  # rejected
    "C5\tdora@example.com\t\tGraz\n"  # new
    "\n"
)
LOAD = "ingest {folder}/second.tsv --source CRM --auto"


class Ground:
    """A folder with a workspace, files beside it, and what ``{…}`` in a command stands for."""

    def __init__(self, folder: Path, processes: Processes, rows: int = 0) -> None:
        self.folder = folder
        self.processes = processes
        self.onramp = Onramp(folder / "home")
        for name, text in (("first", FIRST), ("second", SECOND), ("again", SECOND.replace("Graz", "Turin"))):
            (folder / f"{name}.tsv").write_text(text + "".join(map(_more, range(rows))))

    def load(self, *options: object) -> None:
        self.onramp.load(self.folder / "second.tsv", "--auto", *options)

    def newest(self) -> str:
        return str(self.onramp.json("history", "--limit", 1)[0]["request_id"])

    def kill(self, fault: str, *options: object) -> None:
        """A load that does not end."""
        died = self.processes.run(
            self.onramp.home, "ingest", self.folder / "second.tsv", "--source", "CRM", "--auto", *options, fault=fault
        )
        assert died.code == -9, died


def _more(number: int) -> str:
    """A person of a bigger file, some with two rows."""
    person = number % 9 * 1000 + number // 2
    return f"K{person}\tperson{person}@example.com\t\tTown {number % 31}\n"


def loaded(ground: Ground) -> None:
    """A few people: two with secondary identifiers only, who can be joined."""
    for source in ("CRM", "Shop"):
        ground.onramp.json("source", "add", source)
    ground.onramp.json("source", "add", "Strict", "--threshold", "0")
    ground.onramp.load(ground.folder / "first.tsv", "--auto", "--segment", "create:FIRST")


def loaded_twice(ground: Ground) -> None:
    loaded(ground)
    ground.load("--segment", "create:SECOND")


def replaced(ground: Ground) -> None:
    loaded(ground)
    ground.load("--replace", "values")


def undone(ground: Ground) -> None:
    loaded_twice(ground)
    ground.onramp.json("undo", ground.newest())


def replacing_undone(ground: Ground) -> None:
    replaced(ground)
    ground.onramp.json("undo", ground.newest())


def received(ground: Ground) -> None:
    """The file waits in the landing zone, and is due."""
    loaded(ground)
    ground.load("--at", "2020-01-01")


def backed_up(ground: Ground) -> None:
    received(ground)
    ground.onramp.json("backup", ground.folder / "made.onramp")


def killed_in_a_load(ground: Ground) -> None:
    received(ground)
    ground.kill("log:after:kill")


def killed_in_a_queued_load(ground: Ground) -> None:
    received(ground)
    died = ground.processes.ask(waiting=ground.onramp.home, fault="log:after:kill")
    assert died.code == -9, died


def killed_after_a_commit(ground: Ground) -> None:
    """Everything committed is in the write-ahead log, and has to be replayed from there."""
    loaded(ground)
    ground.kill("commit:after:kill")


def new(_: Ground) -> None:
    """No workspace yet."""


@dataclass(frozen=True)
class Operation:
    """One command: where it begins, and with which code it is refused once it was done (None: it can be repeated)."""

    begin: Callable[[Ground], None]
    command: str
    refused: str | None = None
    home: str = "home"  # the workspace that it makes or changes
    is_in_parts: bool = False  # made of several transactions: a part of it may be done
    made: str | None = None  # a file whose presence says that it was done
    is_struck_again: bool = True  # a second fault meets the same points as the first: it leaves nothing behind


OPERATIONS: dict[str, Operation] = {
    "load that joins": Operation(loaded, LOAD + " --segment add:FIRST", "already_loaded"),
    "load that replaces": Operation(loaded, LOAD + " --replace values --segment create:SECOND", "segment_exists"),
    "load of known people": Operation(loaded_twice, LOAD.replace("second", "again"), "already_loaded"),
    "load that is refused": Operation(loaded, LOAD.replace("CRM", "Strict")),
    "preview": Operation(loaded, LOAD + " --dry-run"),
    "received file": Operation(loaded, LOAD + " --at 2099-01-01 --key once"),
    "queued load": Operation(received, "(worker)", is_struck_again=False),
    "undo": Operation(loaded_twice, "undo {newest}", "already_undone"),
    "undo of a replace": Operation(replaced, "undo {newest}", "already_undone"),
    "redo": Operation(undone, "redo {newest}", "not_undone"),
    "redo of a replace": Operation(replacing_undone, "redo {newest}", "not_undone"),
    "rebuild": Operation(loaded_twice, "rebuild"),
    "new attribute": Operation(loaded, "attribute add colour --type string", "attribute_exists"),
    "change of type": Operation(loaded_twice, "attribute change city --type number"),
    "backup": Operation(received, "backup {folder}/out.onramp", "out_exists", made="out.onramp"),
    "restore": Operation(backed_up, "restore {folder}/made.onramp", "target_not_empty", home="restored"),
    "maintain": Operation(undone, "maintain --keep-days 0", is_in_parts=True, is_struck_again=False),
    "keys rotate": Operation(loaded_twice, "keys rotate", is_in_parts=True, is_struck_again=False),
    "new workspace": Operation(new, "source list"),
    "opening after a kill": Operation(killed_in_a_load, "history"),
    "opening after a kill in a queued load": Operation(killed_in_a_queued_load, "history"),
    "opening after a kill after the commit": Operation(killed_after_a_commit, "history"),
}


@dataclass(frozen=True)
class Facts:
    """What is in a workspace, as its next opening finds it."""

    tables: dict[str, Any]
    counts: dict[str, int]
    digest: object
    uploads: list[dict[str, Any]]
    rows: int  # of the log
    doubled: int  # of them
    landing: list[str]
    problems: list[str]


def look(home: Path) -> Facts | None:
    """Opens the workspace as the next command does and reads it; None where there is none."""
    if not (home / "onramp.duckdb").exists():
        return None
    with Workspace.open(home) as workspace:
        state = state_of(workspace)
        facts = Facts(
            tables={name: value for name, value in state.items() if name not in ("upload", "mapping", "landing")},
            counts=counts(state),
            digest=state["digest"],
            uploads=[receipt.model_dump(mode="json") for receipt in workspace.history.list()],
            rows=counts(state)["record"],
            doubled=doubled_in(workspace, "record"),
            landing=workspace.landing.ids(),
            problems=problems(workspace),
        )
    if left := [path.name for path in (home / "tmp").iterdir()]:
        facts.problems.append(f"left in tmp: {left}")
    return facts


UNIQUE = {
    "record": "rid",
    "resolution": "rid",
    "profile": "pid",
    "identity": "token",
    "membership": "(pid, source_id)",
    "upload": "request_id",
    "vault_page": "page_id",
    "vault_value": "(attribute_id, token)",
    "segment": "name",
}

ORPHANS = {
    "log rows of no completed upload": "SELECT count(*) FROM record ANTI JOIN (SELECT upload_no FROM upload "
    "WHERE status = 'Completed') AS done ON done.upload_no = record.rid >> 32",
    "log rows missing": "SELECT coalesce(sum(stored + duplicates), 0) - (SELECT count(*) FROM record) FROM upload "
    "WHERE status = 'Completed' AND purged_at IS NULL",
    "live rows of nobody": "SELECT count(*) FROM record SEMI JOIN (SELECT upload_no FROM upload WHERE is_live) AS live "
    "ON live.upload_no = rid >> 32 ANTI JOIN resolution USING (rid)",
    "resolutions to no profile": "SELECT count(*) FROM resolution ANTI JOIN profile USING (pid)",
    "members who are nobody": "SELECT count(*) FROM membership ANTI JOIN profile USING (pid)",
    "values in no page": "SELECT count(*) FROM vault_value ANTI JOIN vault_page USING (page_id)",
    "rejects in no page": "SELECT count(*) FROM reject ANTI JOIN vault_page USING (page_id)",
    "uploads under way": "SELECT count(*) FROM upload WHERE status = 'In Progress'",
    "uploads that wait for no file": "SELECT count(*) FROM upload WHERE status = 'Scheduled' AND landing IS NULL",
}


def doubled_in(workspace: Workspace, table: str) -> int:
    """Rows of a table that are there more than once."""
    with workspace.engine.session() as session:
        return int(session.value(f"SELECT count(*) - count(DISTINCT {UNIQUE[table]}) FROM {table}"))


def problems(workspace: Workspace) -> list[str]:
    """What may be in no workspace, whatever happened to it."""
    found = [f"doubled in {table}: {doubled}" for table in UNIQUE if (doubled := doubled_in(workspace, table))]
    with workspace.engine.session() as session:
        for what, sql in ORPHANS.items():
            if number := session.value(sql):
                found.append(f"{what}: {number}")
        if verify_audit(session) is not None:
            found.append("audit log")
        named = {
            name for (name,) in session.rows("SELECT landing FROM upload WHERE status = 'Scheduled' AND landing <> ''")
        }
    if named != set(workspace.landing.ids()):
        found.append("landing zone")
    for receipt in workspace.history.list():
        try:
            check_receipt(receipt.model_dump(mode="json"))
        except AssertionError:
            found.append(f"receipt of {receipt.request_id}")
    return found


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
        self._ground = folder / "ground"
        self._ground.mkdir()
        ground = Ground(self._ground, processes, rows)
        self.operation.begin(ground)
        is_there = ground.onramp.home.exists()
        self._newest = ground.newest() if "{newest}" in self.operation.command and is_there else ""
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

    def next(self, folder: Path, verdict: Verdict) -> Path:
        """Where the next fault is to strike: the same workspace, if the operation begins there as it did before."""
        is_same = self.operation.is_struck_again and not verdict.is_done
        return folder if is_same else self.fresh()

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


def _waiting(uploads: list[dict[str, Any]]) -> int:
    return [upload["status"] for upload in uploads].count("Scheduled")


def _is_kept(was: dict[str, Any], upload: dict[str, Any]) -> bool:
    return _lasting(upload) == _lasting(was) or (was["status"] == "Scheduled" and _has_failed(upload))


def _has_failed(upload: dict[str, Any]) -> bool:
    return upload["status"] == "Failed" and not upload["stored"]


def _lasting(upload: dict[str, Any]) -> dict[str, Any]:
    """An interrupted upload failed when it was found so: at each opening of each copy at another moment."""
    return {**upload, "finished_at": None} if (upload["error"] or {}).get("code") == "interrupted" else upload
