"""Everything that changes a workspace, as commands that can be made to die.

``OPERATIONS`` is the table: a command is one line there, its steps are found by running it (see stage.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cli.onramp import Onramp
from tests.faults.processes import Processes

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


OPERATIONS: dict[str, Operation] = {
    "load that joins": Operation(loaded, LOAD + " --segment add:FIRST", "already_loaded"),
    "load that replaces": Operation(loaded, LOAD + " --replace values --segment create:SECOND", "segment_exists"),
    "load of known people": Operation(loaded_twice, LOAD.replace("second", "again"), "already_loaded"),
    "load that is refused": Operation(loaded, LOAD.replace("CRM", "Strict")),
    "preview": Operation(loaded, LOAD + " --dry-run"),
    "received file": Operation(loaded, LOAD + " --at 2099-01-01 --key once"),
    "queued load": Operation(received, "(worker)"),
    "undo": Operation(loaded_twice, "undo {newest}", "already_undone"),
    "undo of a replace": Operation(replaced, "undo {newest}", "already_undone"),
    "redo": Operation(undone, "redo {newest}", "not_undone"),
    "redo of a replace": Operation(replacing_undone, "redo {newest}", "not_undone"),
    "rebuild": Operation(loaded_twice, "rebuild"),
    "new attribute": Operation(loaded, "attribute add colour --type string", "attribute_exists"),
    "change of type": Operation(loaded_twice, "attribute change city --type number"),
    "backup": Operation(received, "backup {folder}/out.onramp", "out_exists", made="out.onramp"),
    "restore": Operation(backed_up, "restore {folder}/made.onramp", "target_not_empty", home="restored"),
    "maintain": Operation(undone, "maintain --keep-days 0", is_in_parts=True),
    "keys rotate": Operation(loaded_twice, "keys rotate", is_in_parts=True),
    "new workspace": Operation(new, "source list"),
    "opening after a kill": Operation(killed_in_a_load, "history"),
    "opening after a kill in a queued load": Operation(killed_in_a_queued_load, "history"),
    "opening after a kill after the commit": Operation(killed_after_a_commit, "history"),
}
