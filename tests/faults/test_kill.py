"""Killed or failing at any point, an upload is there completely or not at all, and loads afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp, check_receipt, counts, state_of

SECOND = (
    "crmid\temail\tphone\tcity\n"
    "C1\tanna@example.com\t+442079460001\tKiel\n"  # known, changed
    "C2\tben@example.com\t+442079460002\tOslo\n"  # known, as it was
    "C3\tcleo@example.com\t+442079460004\tRome\n"  # joins two people
    "C4\tnot an address\t\tGraz\n"  # rejected
    "C5\tdora@example.com\t\tGraz\n"  # new
    "\n"
)
LOADS = {
    "joining": ["--segment", "add:FIRST"],
    "replacing": ["--replace", "values", "--segment", "create:SECOND"],
}


@pytest.fixture(scope="module")
def second(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("second") / "second.tsv"
    file.write_text(SECOND)
    return file


class Undisturbed:
    """The same load without a fault: what must be there when the upload is there."""

    def __init__(self, home: Path, file: Path, options: list[str]) -> None:
        onramp = Onramp(home)
        self.before = onramp.json("digest")
        self.counts_before = onramp.counts()
        self.receipt = onramp.load(file, "--auto", *options)
        self.after = onramp.json("digest")
        steps = [str(step["name"]) for step in self.receipt["steps"]]
        self.points = [f"{step}:{when}" for step in steps for when in ("before", "after")] + ["commit:before"]


@pytest.fixture(scope="module")
def undisturbed(loaded_home, second, tmp_path_factory) -> dict[str, Undisturbed]:
    made = {}
    for name, options in LOADS.items():
        home = tmp_path_factory.mktemp(name) / "home"
        shutil.copytree(loaded_home, home)
        made[name] = Undisturbed(home, second, options)
    known = {*made["joining"].points} - {"commit:before"}
    made["replacing"].points = [point for point in made["replacing"].points if point not in known]  # each step once
    return made


def test_the_loads_take_every_way(undisturbed):
    assert undisturbed["joining"].receipt["merged"] == 1
    points = {point for load in undisturbed.values() for point in load.points}
    for step in ("read", "protect", "log", "regrouped profiles", "replace values", "segments"):
        assert f"{step}:after" in points


@pytest.mark.parametrize("load", LOADS)
def test_a_kill_at_any_point_leaves_nothing_visible_and_the_file_loads_afterwards(
    onramp, second, undisturbed, processes, load
):
    """One after the other on one workspace: each run shows that the one before it did no harm."""
    expected, options = undisturbed[load], LOADS[load]
    for number, point in enumerate(expected.points, 1):
        died = processes.run(
            onramp.home, "ingest", second, "--source", "CRM", "--auto", *options, fault=f"{point}:kill"
        )
        assert (died.code, died.out) == (-9, ""), point
        _assert_interrupted(onramp, expected, point, uploads=number + 1)
    _assert_loads(onramp, second, options, expected)


@pytest.mark.parametrize("load", LOADS)
def test_a_kill_after_the_commit_loses_nothing(onramp, second, undisturbed, processes, load):
    expected, options = undisturbed[load], LOADS[load]
    died = processes.run(
        onramp.home, "ingest", second, "--source", "CRM", "--auto", *options, fault="commit:after:kill"
    )
    assert died.code == -9
    assert onramp.json("digest") == expected.after
    upload = onramp.json("history")[0]
    assert upload["status"] == "Completed"
    check_receipt(upload)
    assert upload["stored"] == expected.receipt["stored"]
    error = onramp.refuse("ingest", second, "--source", "CRM", "--auto", exit_code=3)
    assert error["facts"]["request_id"] == upload["request_id"]


@pytest.mark.parametrize("load", LOADS)
def test_an_error_at_any_point_leaves_nothing_behind_and_the_file_loads_afterwards(
    onramp, second, undisturbed, monkeypatch, load
):
    expected, options = undisturbed[load], LOADS[load]
    for point in expected.points:
        monkeypatch.setenv("ONRAMP_FAULT", f"{point}:error")
        done = onramp.run("--json", "ingest", second, "--source", "CRM", "--auto", *options)
        monkeypatch.delenv("ONRAMP_FAULT")
        assert (done.code, done.json["error"]["code"]) == (3, "fault_injected"), point
    failed = onramp.json("history")[:-1]
    assert len(failed) == len(expected.points)
    assert {(upload["status"], upload["error"]["code"]) for upload in failed} == {("Failed", "fault_injected")}
    assert onramp.json("digest") == expected.before
    assert onramp.counts() == expected.counts_before
    _assert_loads(onramp, second, options, expected)


def test_a_preview_that_is_killed_leaves_no_trace(onramp, second, processes):
    before = onramp.state()
    for step in ("read", "log", "segments"):
        died = processes.run(
            onramp.home, "ingest", second, "--source", "CRM", "--auto", "--dry-run", fault=f"{step}:after:kill"
        )
        assert died.code == -9
        assert onramp.state() == before


def test_two_kills_and_a_load_count_once(onramp, second, undisturbed, processes):
    for _ in range(2):
        processes.run(onramp.home, "ingest", second, "--source", "CRM", "--auto", fault="commit:before:kill")
    _assert_loads(onramp, second, LOADS["joining"], undisturbed["joining"])
    assert [upload["status"] for upload in onramp.json("history")] == ["Completed", "Failed", "Failed", "Completed"]


def test_a_kill_while_a_workspace_is_made_is_made_good(processes, tmp_path):
    """The first command of a workspace dies after opening; the folder it leaves is a workspace."""
    home = tmp_path / "home"
    first = Onramp(home)
    first.json("source", "add", "CRM")
    for leftover in ("onramp.duckdb.new", "tmp/spill.tmp"):
        (home / leftover).write_bytes(b"half")
    assert first.json("digest")["profiles"] == 0
    assert not (home / "tmp" / "spill.tmp").exists()


def _assert_interrupted(onramp: Onramp, expected: Undisturbed, point: str, *, uploads: int) -> None:
    with Workspace.open(onramp.home) as workspace:
        history, state = workspace.history.list(), state_of(workspace)
    assert len(history) == uploads, point
    upload = history[0].model_dump(mode="json")
    assert (upload["status"], upload["error"]["code"]) == ("Failed", "interrupted"), point
    assert upload["finished_at"], point
    check_receipt(upload)
    assert counts(state) == expected.counts_before, point
    assert state["digest"] == expected.before["digest"], point
    assert list((onramp.home / "tmp").iterdir()) == list((onramp.home / "landing").iterdir()) == [], point


def _assert_loads(onramp: Onramp, file: Path, options: list[str], expected: Undisturbed) -> None:
    receipt = onramp.load(file, "--auto", *options)
    changing = {"request_id", "steps", "created_at", "started_at", "finished_at", "mapping_version"}
    assert {name: value for name, value in receipt.items() if name not in changing} == {
        name: value for name, value in expected.receipt.items() if name not in changing
    }
    assert onramp.json("digest") == expected.after
