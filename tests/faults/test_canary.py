"""Marked personal data through success, reject, error, crash, undo and backup: nothing written holds any of it.

Compressed storage hides values from a search of the bytes, so every text and blob is read by SQL as well. Customer ids
are not personal data (domain.md §4).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp
from tests.faults.processes import Died, Processes

PEOPLE = 200  # five marked values each
HEADER = "crmid\temail\tphone\tfirst_name\tlast_name\tbirth_date\tcity\n"


def marked(person: int) -> dict[str, str]:
    """Values that occur nowhere by chance."""
    return {
        "email": f"canary{person:03d}wren@example.com",
        "phone": f"+4420794{61000 + person * 17:05d}"[:13],
        "first_name": f"Zaunkönig{person:03d}",
        "last_name": f"Rotkehlchen{person:03d}",
        "birth_date": f"1801-{person % 12 + 1:02d}-{person // 12 + 1:02d}",
    }


def line(person: int, **changed: str) -> str:
    cells = {**marked(person), **changed}
    return "\t".join([f"C{person:04d}", *cells.values(), "Bonn"]) + "\n"


CANARIES = [value for person in range(PEOPLE) for value in marked(person).values()]


def forms(value: str) -> set[bytes]:
    """How a value could stand in a file: as it is, folded, escaped, in other encodings, as base64."""
    texts = {value, value.lower(), value.upper(), value.lstrip("+"), json.dumps(value).strip('"')}
    found = {text.encode(code) for text in texts for code in ("utf-8", "utf-16-le", "windows-1252")}
    return found | {base64.b64encode(value.encode())[:-4]}


NEEDLES = {form: value for value in CANARIES for form in forms(value)}
BY_PREFIX: dict[bytes, list[bytes]] = {}  # most forms begin alike: one search for all of them
for needle in NEEDLES:
    BY_PREFIX.setdefault(needle[:6], []).append(needle)


class Story:
    """A workspace to which everything happens, and all that was printed, or lay about after a kill, on the way."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder = folder
        self.onramp = Onramp(folder / "home")
        self.told: dict[str, bytes] = {}
        self._processes = processes
        self.mapping = folder / "mapping.json"
        columns = [{"column": name, "attribute": name} for name in HEADER.split()]
        text = json.dumps({"columns": columns})
        self.mapping.write_text(text.replace('"birth_date"}', '"birth_date", "format": "YYYY-MM-DD"}'))

    def run(self, name: str, *arguments: object, fault: str | None = None) -> Died:
        """One command; its fault must have struck."""
        done = self._processes.run(self.onramp.home, *arguments, fault=fault)
        self._note(name, done)
        assert not fault or done.code == (-9 if fault.endswith("kill") else 3), fault
        return done

    def wait(self, name: str, fault: str | None = None) -> None:
        """The worker of the queue."""
        self._note(name, self._processes.ask(waiting=self.onramp.home, fault=fault))

    def _note(self, name: str, done: Died) -> None:
        self.told[f"{name} printed"] = (done.out + done.err).encode()
        if done.code < 0:  # what a crash leaves is gone after the next opening
            beside = [path for path in self.onramp.home.rglob("*") if path.is_file() and path.name != "onramp.duckdb"]
            self.told[f"{name} left"] = b"\n".join(path.read_bytes() for path in beside)

    def file(self, name: str, *lines: str) -> Path:
        path = self.folder / f"{name}.tsv"
        path.write_text(HEADER + "".join(lines), encoding="utf-8")
        return path

    def load(self, name: str, path: Path, *options: object, source: str = "CRM", fault: str | None = None) -> Any:
        done = self.run(name, "ingest", path, "--source", source, "--mapping", self.mapping, *options, fault=fault)
        return done.json if done.out else None


def people(first: int, last: int) -> list[str]:
    return [line(person) for person in range(first, last)]


def loads(story: Story) -> None:
    """Success, rejects, refusals, kills before, after and inside the steps."""
    good, crash = story.file("good", *people(0, 80)), story.file("crash", *people(110, 130))
    wrong_dates = [line(person, birth_date=marked(person)["birth_date"][:-2] + "39") for person in range(80, 100)]
    odd = [line(100).rstrip("\n") + "\tsurplus\n", line(101)[:60] + "\n", line(102)]
    rejects = story.file("rejects", *wrong_dates, *odd)
    story.run("mapping", "mapping", "suggest", good, "--source", "CRM")
    story.load("preview", good, "--dry-run")
    story.load("good", good, "--segment", "create:GOOD")
    story.load("again", good)
    story.load("rejects", rejects)
    story.load("threshold", rejects, source="Careful")
    story.load("error", crash, fault="protect:after:error")
    for point in ("read:after", "read:1ms", "protect:after", "log:after", "commit:before", "commit:after"):
        story.load(f"kill {point}", crash, fault=f"{point}:kill")
    broken = story.folder / "broken.tsv"
    broken.write_bytes(good.read_bytes() + b"\x00\x01\xff" * 400)
    story.load("broken", broken)
    story.load("wrong encoding", good, "--encoding", "utf-16", "--again")


def queue(story: Story) -> None:
    """Files that wait, one of them under a worker that dies, and one that is too unlike the former."""
    story.load("later", story.file("later", *people(130, 140)), "--at", "2099-01-01")
    story.load("due", story.file("due", *people(140, 150)), "--at", "2020-01-01")
    story.wait("worker killed", fault="log:after:kill")
    story.run("sweep killed", "history", fault="sweep:after:kill")
    story.wait("worker")
    story.load("drift, first", story.file("usual", *people(150, 160)), source="Gated")
    story.load("drift, refused", story.file("far off", *people(160, 190)), source="Gated")
    story.load("drift, waiting", story.file("far off 2", *people(160, 189)), "--at", "2020-01-01", source="Gated")
    story.wait("worker holds")


def undone(story: Story) -> None:
    request_id = story.load("taken back", story.file("undone", *people(190, 200)))["request_id"]
    story.run("undo, dry", "undo", request_id, "--dry-run")
    for fault in ("statements:after:kill", "profiles:after:error", "commit:after:kill"):
        story.run(f"undo {fault}", "undo", request_id, fault=fault)
    story.run("undo again", "undo", request_id)
    story.run("redo", "redo", request_id)
    story.run("undo", "undo", request_id)


def shown(story: Story) -> None:
    """Every way to look without revealing."""
    story.run("bad value", "profile", "show", "--by", f"email={marked(1)['first_name']}")
    story.run("nobody", "profile", "show", "--by", f"email={marked(199)['email']}")
    story.run("masked", "profile", "show", "--by", "crmid=C0001")
    for command in (
        "history",
        "digest",
        "rebuild",
        "source list",
        "attribute list",
        "segment list",
        "mapping show --source CRM",
        "keys check",
        "audit verify",
    ):
        story.run(command, *command.split())
    for upload in story.onramp.json("history"):
        request_id = upload["request_id"]
        story.run(f"upload {request_id}", "upload", "show", request_id)
        story.run(f"changes {request_id}", "upload", "changes", request_id)
        story.told[f"text of {request_id}"] = story.onramp.run("rejects", request_id).out.encode()
    story.told["history as text"] = story.onramp.run("history").out.encode()


def backed_up(story: Story) -> None:
    """The archive, its restored workspace, and what a killed backup leaves."""
    archive = story.folder / "made.onramp"
    story.run("backup killed", "backup", archive, fault="backup count:after:kill")
    story.run("backup", "backup", archive)
    story.told["archive"] = archive.read_bytes()
    restored = story.folder / "restored"
    done = story._processes.run(restored, "restore", archive)
    assert done.code == 0, done.err
    story._note("restore", done)


@pytest.fixture(scope="module")
def written(tmp_path_factory, processes) -> tuple[Onramp, dict[str, bytes]]:
    """The workspace after everything happened, and all that was printed on the way."""
    story = Story(tmp_path_factory.mktemp("canary"), processes)
    for source in (("CRM",), ("Careful", "--threshold", "0"), ("Gated",)):
        story.onramp.json("source", "add", *source)
    story.onramp.json("source", "set", "Gated", "--drift", "20")
    for chapter in (loads, queue, undone, shown, backed_up):
        chapter(story)
    return story.onramp, story.told


def test_the_values_did_go_through(written):
    onramp, told = written
    uploads = onramp.json("history")
    assert {upload["status"] for upload in uploads} == {"Completed", "Failed", "Scheduled"}
    assert {(upload["error"] or {}).get("code") for upload in uploads} >= {
        "interrupted",
        "fault_injected",
        "unusual_file",
    }
    assert any(upload["held"] for upload in uploads)
    assert any(upload["undone_at"] for upload in uploads)
    assert onramp.json("digest")["profiles"] == 80 + 1 + 20 + 10 + 10
    revealed = onramp.json("profile", "show", "--by", "crmid=C0001", "--reveal")["attributes"]
    assert {name: revealed[name]["value"] for name in marked(1)} == marked(1)
    texts = [row["text"] for upload in uploads for row in onramp.json("rejects", upload["request_id"])]
    assert any(marked(85)["email"] in text for text in texts)
    assert any(name.endswith(" left") and len(data) > 10_000 for name, data in told.items())


def test_no_file_of_the_workspace_holds_a_value(written):
    onramp, _ = written
    files = [path for path in onramp.home.rglob("*") if path.is_file()]
    assert {"onramp.duckdb", "keys.json", "lock"} <= {path.name for path in files}
    assert {
        str(path.relative_to(onramp.home)): found for path in files if (found := canaries_in(path.read_bytes()))
    } == {}


def test_no_file_is_readable_by_others_and_no_name_tells_anything(written):
    onramp, _ = written
    for path in onramp.home.rglob("*"):
        assert canaries_in(path.name.encode()) == []
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_nothing_that_was_printed_holds_a_value(written):
    _, told = written
    assert {name: found for name, text in told.items() if (found := canaries_in(text))} == {}


@pytest.mark.parametrize("name", ["home", "restored"])
def test_no_text_or_blob_of_the_database_holds_a_value(written, name):
    onramp, _ = written
    with Workspace.open(onramp.home.with_name(name)) as workspace, workspace.engine.session() as session:
        columns = session.rows(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal "
            "AND (data_type LIKE '%VARCHAR%' OR data_type LIKE '%BLOB%' OR data_type LIKE '%UUID%')"
        )
        assert len(columns) > 50
        found = {}
        for table, column in columns:
            values = session.rows(f'SELECT DISTINCT "{column}" FROM "{table}"')
            text = b"\n".join(v if isinstance(v, bytes) else str(v).encode() for (v,) in values)
            if canaries := canaries_in(text):
                found[f"{table}.{column}"] = canaries
    assert found == {}


def test_the_search_finds_what_it_searches_for():
    for value in (marked(7)["email"], marked(7)["first_name"].upper(), json.dumps(marked(7)["first_name"])):
        assert canaries_in(b"..." + value.encode() + b"...")


def canaries_in(data: bytes) -> list[str]:
    found = [form for prefix, alike in BY_PREFIX.items() if prefix in data for form in alike if form in data]
    return sorted({NEEDLES[form] for form in found})
