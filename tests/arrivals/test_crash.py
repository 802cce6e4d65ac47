"""A process that dies or fails anywhere between a file and its history: every file once, in order, put away once."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import pytest

from ingest_core.errors import StateError
from ingest_core.workspace import Workspace
from tests.arrivals.conftest import COLUMNS, Night, arrivals_of
from tests.workspaces import Kernel, mapping_of

POINTS = [
    ("arrival: look", "before"), ("arrival: look", "after"), ("arrival: take", "before"), ("arrival: take", "fetched"),
    ("arrival: take", "after"), ("arrival: submit", "before"), ("arrival: submit", "after"),
    ("arrival: follow", "before"), ("arrival: follow", "after"), ("arrival: settle", "before"),
    ("arrival: settle", "between"), ("arrival: settle", "after"),
]  # fmt: skip
FILES = ["a.tsv", "b.tsv", "c.tsv"]


def rules_of(after: str) -> dict[str, object]:
    return {"after": after, "complete": "control"}


def lay(night: Night) -> None:
    for name in FILES:
        night.lay(name)
        night.lay(f"{name}.done")


def check(workspace: Workspace, night: Night, after: str) -> None:
    receipts = workspace.history.list()
    assert [receipt.file for receipt in receipts][::-1] == FILES
    assert {receipt.status for receipt in receipts} == {"Completed"}
    log = arrivals_of(workspace, night.shelf).log()
    assert sorted((one.file, one.state) for one in log) == [(name, "loaded") for name in FILES]
    assert {one.request_id for one in log} == {receipt.request_id for receipt in receipts}
    assert night.shelf.files() == []
    assert night.shelf.files("done") == (FILES if after == "move" else [])
    assert workspace.landing.ids() == []
    assert workspace.profiles.count() == 3


@pytest.mark.parametrize("point", POINTS, ids=[f"{step} {when}" for step, when in POINTS])
@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_turn_that_fails_anywhere_is_made_up_for(home, tmp_path, shelf, wall, monkeypatch, point, after):
    step, when = point
    folder = tmp_path / "files"
    folder.mkdir()
    with Workspace.open(home) as workspace:
        night = Night(
            Kernel(workspace, folder), shelf, wall, arrivals_of(workspace, shelf), Kernel(workspace, folder).source()
        )
        workspace.mappings.save(night.source, mapping_of(COLUMNS))
        night.schedule(**rules_of(after))
        lay(night)
        monkeypatch.setenv("ONRAMP_FAULT", f"{step}:{when}:error")
        with pytest.raises(StateError):
            night.pass_by(20)
    monkeypatch.delenv("ONRAMP_FAULT")
    with Workspace.open(home) as workspace:
        night = Night(Kernel(workspace, folder), shelf, wall, arrivals_of(workspace, shelf), night.source)
        night.pass_by(20)
        check(workspace, night, after)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS, ids=[f"{step} {when}" for step, when in POINTS])
def test_a_process_that_is_killed_anywhere_loses_nothing(home, tmp_path, shelf, wall, repository, point):
    step, when = point
    folder = tmp_path / "files"
    folder.mkdir()
    with Workspace.open(home) as workspace:
        night = Night(
            Kernel(workspace, folder), shelf, wall, arrivals_of(workspace, shelf), Kernel(workspace, folder).source()
        )
        workspace.mappings.save(night.source, mapping_of(COLUMNS))
        night.schedule(**rules_of("move"))
        lay(night)
    wall.step(minutes=15)
    command = [sys.executable, "-m", "tests.arrivals.crash", str(home), str(shelf.folder)]
    moment = wall.moment.replace(tzinfo=None)
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    killed = subprocess.run(
        [*command, moment.isoformat()], env={**environment, "ONRAMP_FAULT": f"{step}:{when}:kill"}, cwd=repository,
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -9
    later = (moment + timedelta(minutes=15)).isoformat()
    done = subprocess.run([*command, later], env=environment, cwd=repository, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    with Workspace.open(home) as workspace:
        check(workspace, night, "move")
