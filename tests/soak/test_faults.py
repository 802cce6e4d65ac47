"""What tests/faults does with a handful of faults, done with all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.contention import at_once_and_in_order, make_files
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
    numbers = range(1, len(stage.points) + 2)  # the last one is not reached: the operation passes
    codes = []
    for _, folder, died, verdict in stage.strike(f"nth:{number}:{kind}" for number in numbers):
        assert verdict.is_sound, (died.points[-1:], verdict)
        stage.finish(folder, verdict)
        codes.append(died.code)
    assert set(codes[:-1]) <= {-9, 3, stage.died.code}
    assert codes[-1] == stage.died.code


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
    at_once_and_in_order(tmp_path, make_files(tmp_path / "files", 8 * 20, rows=300, people=2_000, seed=seed), threads=8)


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
