"""What tests/faults does with a handful of faults, done with all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_core.workspace import Workspace
from tests.faults.contention import Crowd, accounts, load, make_files, prepare
from tests.faults.facts import problems
from tests.faults.operations import OPERATIONS
from tests.faults.stage import Stage, Verdict
from tests.faults.test_system_calls import CODES, EIO, ENOSPC, KILL, struck
from tests.soak.kill_matrix import Matrix, write

ROWS = 300


@pytest.fixture
def staged(tmp_path, processes) -> Callable[[str], Stage]:
    return lambda name: Stage(name, tmp_path, processes, rows=ROWS)


def test_no_kill_loses_doubles_or_tears_a_row(tmp_path, repository):
    """Writes the table of docs/reliability.md when SOAK_WRITE is set."""
    kills, seed = int(os.environ.get("SOAK_KILLS", "60")), int(os.environ.get("SOAK_SEED", "1"))
    matrix = Matrix(tmp_path, kills, seed, rows=500).run()
    print(f"\n{matrix.text()}")
    assert matrix.failures() == []
    assert all(row.kills >= kills for row in matrix.rows.values())
    if os.environ.get("SOAK_WRITE"):
        write(Path(repository) / "docs" / "reliability.md", matrix.text())


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["kill", "error"])
def test_the_nth_abort_point_until_it_passes(staged, name, kind):
    """And the operation is done again after each."""
    stage = staged(name)
    for number in range(1, len(stage.points) + 2):
        folder = stage.fresh()
        died = stage.run(folder, fault=f"nth:{number}:{kind}")
        verdict = stage.judge(folder)
        assert verdict.is_sound, (died.points[-1:], verdict)
        assert died.code in (-9, 3, stage.died.code)
        stage.finish(folder, verdict)
        if len(died.points) < number:
            break
    assert (died.code, died.points[number - 1 :]) == (stage.died.code, [])


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("how", [KILL, EIO, ENOSPC])
def test_the_nth_system_call_until_it_passes(staged, can_trace, name, how):
    """On the database and its log, from the command's first call on."""
    stage = staged(name)
    for call in ("write", "fdatasync", "pwrite64", "pread64", "unlink", "openat"):
        for died, verdict in struck(stage, call, how, stop_at=None, most=60):
            assert verdict.is_sound, (call, verdict)
            assert "Traceback" not in died.err
            if died.code == 3:
                assert died.json["error"]["code"] in CODES
            if died.code == 0 and stage.is_told_apart and not verdict.has_ended:
                assert verdict.is_done, call


@pytest.mark.parametrize("seed", range(5))
def test_threads_at_once_are_as_one_after_the_other(tmp_path, seed):
    (tmp_path / "files").mkdir()
    files = make_files(tmp_path / "files", 8 * 20, rows=300, people=2_000, seed=seed)
    crowd = Crowd()
    with prepare(Workspace.open(tmp_path / "crowded")) as workspace:
        crowd.work(workspace, files, threads=8)
        assert crowd.errors == []
        assert problems(workspace) == []
        crowded, digest = accounts(workspace), workspace.digest()
        assert workspace.rebuild()["digest"] == digest["digest"]
    by_name = {file.path.name: file for file in files}
    with prepare(Workspace.open(tmp_path / "serial")) as workspace:
        for name, _ in crowded:
            load(workspace, by_name[name])
        assert accounts(workspace) == crowded
        assert workspace.digest() == digest


def test_a_hundred_kills_of_one_load_on_one_workspace(staged):
    """Nothing gathers: no file, no row, and it opens as fast as ever."""
    stage = staged("load that joins")
    folder = stage.fresh()
    size = stage.size()
    for number in range(100):
        stage.run(folder, fault=f"nth:{number % (len(stage.points) - 1) + 1}:kill")
    verdict = stage.judge(folder)
    assert verdict.is_sound
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 2 * size
    stage.finish(folder, Verdict(is_done=False))
