"""Marked personal data through success, reject, error and crash: afterwards nothing written holds any of it.

Compressed storage hides values from a search of the bytes, so every text and blob is read by SQL as well. Customer ids
are not personal data (domain.md §4).
"""

from __future__ import annotations

import base64
import json

import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp

PEOPLE = 40  # five marked values each
HEADER = "crmid\temail\tphone\tfirst_name\tlast_name\tbirth_date\tcity\n"


def marked(person: int) -> dict[str, str]:
    """Values that occur nowhere by chance."""
    return {
        "email": f"canary{person:03d}wren@example.com",
        "phone": f"+4420794{61000 + person * 17:05d}"[:13],
        "first_name": f"Zaunkönig{person:03d}",
        "last_name": f"Rotkehlchen{person:03d}",
        "birth_date": f"{1800 + person}-11-{person % 28 + 1:02d}",
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


@pytest.fixture(scope="module")
def written(tmp_path_factory, processes) -> tuple[Onramp, dict[str, bytes]]:
    """The workspace after everything happened, and all that was printed on the way."""
    folder = tmp_path_factory.mktemp("canary")
    onramp, told = Onramp(folder / "home"), {}

    def run(name: str, *arguments: object, fault: str | None = None) -> None:
        done = processes.run(onramp.home, *arguments, fault=fault)
        told[f"{name} printed"] = (done.out + done.err).encode()
        if fault:
            assert done.code == (-9 if fault.endswith("kill") else 3), fault
        if done.code < 0:  # what a crash leaves is gone after the next opening
            beside = [path for path in onramp.home.rglob("*") if path.is_file() and path.name != "onramp.duckdb"]
            assert "onramp.duckdb.wal" in {path.name for path in beside}
            told[f"{name} left"] = b"\n".join(path.read_bytes() for path in beside)

    onramp.json("source", "add", "CRM")
    onramp.json("source", "add", "Careful", "--threshold", "0")
    files = {
        "good": [line(person) for person in range(20)],
        "rejects": [line(person, birth_date=marked(person)["birth_date"][:-2] + "39") for person in range(20, 30)]
        + [line(30).rstrip("\n") + "\tsurplus\n", line(31)[:60] + "\n", line(32)],
        "crash": [line(person) for person in range(33, 37)],
        "later": [line(person) for person in range(37, PEOPLE)],
    }
    mapping = folder / "mapping.json"
    columns = [{"column": name, "attribute": name} for name in HEADER.split()]
    mapping.write_text(
        json.dumps({"columns": columns}).replace('"birth_date"}', '"birth_date", "format": "YYYY-MM-DD"}')
    )
    paths = {}
    for name, lines in files.items():
        paths[name] = folder / f"{name}.tsv"
        paths[name].write_text(HEADER + "".join(lines), encoding="utf-8")
    load = ("--source", "CRM", "--mapping", mapping)
    run("mapping", "mapping", "suggest", paths["good"], "--source", "CRM")
    run("preview", "ingest", paths["good"], *load, "--dry-run")
    run("good", "ingest", paths["good"], *load, "--segment", "create:GOOD")
    run("again", "ingest", paths["good"], *load)
    run("rejects", "ingest", paths["rejects"], *load)
    run("threshold", "ingest", paths["rejects"], "--source", "Careful", "--mapping", mapping)
    run("error", "ingest", paths["crash"], *load, fault="protect:after:error")
    for point in ("read:after", "protect:after", "log:after", "commit:before", "commit:after"):
        run(f"kill {point}", "ingest", paths["crash"], *load, fault=f"{point}:kill")
    run("later", "ingest", paths["later"], *load, "--at", "2099-01-01")
    broken = folder / "broken.tsv"
    broken.write_bytes(paths["good"].read_bytes() + b"\x00\x01\xff" * 400)
    run("broken", "ingest", broken, *load)
    run("wrong encoding", "ingest", paths["good"], *load, "--encoding", "utf-16", "--again")
    run("bad value", "profile", "show", "--by", f"email={marked(1)['first_name']}")
    run("nobody", "profile", "show", "--by", f"email={marked(39)['email']}")
    run("masked", "profile", "show", "--by", "crmid=C0001")
    for command in (
        "history",
        "digest",
        "rebuild",
        "source list",
        "attribute list",
        "segment list",
        "mapping show --source CRM",
    ):
        run(command, *command.split())
    for upload in onramp.json("history"):
        run(f"upload {upload['request_id']}", "upload", "show", upload["request_id"])
        told[f"text of {upload['request_id']}"] = onramp.run("rejects", upload["request_id"]).out.encode()
    told["history as text"] = onramp.run("history").out.encode()
    return onramp, told


def test_the_values_did_go_through(written):
    onramp, _ = written
    uploads = onramp.json("history")
    assert {upload["status"] for upload in uploads} == {"Completed", "Failed", "Scheduled"}
    assert onramp.json("digest")["profiles"] == 25
    revealed = onramp.json("profile", "show", "--by", "crmid=C0001", "--reveal")["attributes"]
    assert {name: revealed[name]["value"] for name in marked(1)} == marked(1)
    texts = [row["text"] for upload in uploads for row in onramp.json("rejects", upload["request_id"])]
    assert any(marked(25)["email"] in text for text in texts)


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


def test_no_text_or_blob_of_the_database_holds_a_value(written):
    onramp, _ = written
    with Workspace.open(onramp.home) as workspace, workspace.engine.session() as session:
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
