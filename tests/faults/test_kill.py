"""Killed or failing at any point, whatever was being done is done completely or not at all, and can be done afterwards.

Each abort point is taken once here, by the first operation that has it; all of them by all operations, and hundreds of
moments inside the steps, are taken by ``make soak``.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.cli.onramp import Onramp
from tests.faults.operations import OPERATIONS
from tests.faults.stage import Stage, Verdict

taken: set[tuple[str, str]] = set()


def points(stage: Stage, kind: str, moments: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """Abort points (number, step, when) at which no operation was struck with this kind of fault.

    One moment of a step is enough, as its end is the beginning of the next one; a commit is struck in each operation.
    """
    chosen = []
    for number, (step, when) in enumerate(stage.points, 1):
        if step == "commit" or (when in moments and (kind, step) not in taken):
            chosen.append((number, step, when))
    taken.update((kind, step) for _, step, _ in chosen)
    return chosen


@pytest.fixture(scope="module")
def staged(tmp_path_factory, processes) -> Callable[[str], Stage]:
    made: dict[str, Stage] = {}

    def get(name: str) -> Stage:
        if name not in made:
            made[name] = Stage(name, tmp_path_factory.mktemp("stage"), processes)
        return made[name]

    return get


def test_the_operations_take_every_way(staged):
    """The steps that matter are among those struck below, and nobody has to list the others."""
    joining = staged("load that joins")
    assert joining.died.json["merged"] == 1
    steps = {step for name in ("load that joins", "load that replaces", "undo") for step, _ in staged(name).points}
    assert steps >= {"open", "read", "protect", "log", "regrouped profiles", "replace values", "segments", "rows leave"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_kill_at_any_point_leaves_all_or_nothing(staged, name):
    stage = staged(name)
    chosen = {f"nth:{number}:kill": (step, when) for number, step, when in points(stage, "kill", ("after",))}
    for fault, folder, died, verdict in stage.strike(chosen):
        assert (died.code, died.out) == (-9, ""), chosen[fault]
        assert verdict.is_sound, (chosen[fault], verdict)
        if verdict.is_done or fault == next(reversed(chosen)):
            stage.finish(folder, verdict)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_kill_inside_a_step_leaves_all_or_nothing(staged, name):
    """The moment is drawn with a seed; a step may be faster this time, and then the operation is done."""
    stage, draw = staged(name), random.Random(name)
    seconds = stage.seconds()
    steps = {step for _, step, _ in points(stage, "inside", ("before",))}
    faults = [f"{step}:{draw.random() * seconds[step] * 1000:.3f}ms:kill" for step in seconds if step in steps]
    for fault, _, died, verdict in stage.strike(faults):
        assert died.code in (-9, stage.died.code), fault
        assert verdict.is_sound, (fault, verdict)
        assert verdict.is_done or died.code == -9 or not stage.is_told_apart, fault


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_at_any_point_leaves_all_or_nothing(staged, name):
    stage = staged(name)
    chosen = {f"nth:{number}:error": (step, when) for number, step, when in points(stage, "error", ("before",))}
    for fault, folder, failed, verdict in stage.strike(chosen):
        assert verdict.is_sound, (chosen[fault], verdict)
        if failed.code == 3:
            assert failed.json["error"]["code"] == "fault_injected", chosen[fault]
            assert "Traceback" not in failed.err
        else:  # where an error ends nothing, such as in the queue or in the tidying after the work
            assert failed.code == stage.died.code, (chosen[fault], failed.err)
        if fault == next(reversed(chosen)):
            stage.finish(folder, verdict)


def test_kills_one_after_the_other_are_failed_uploads_that_count_nothing(staged):
    """What a person finds in the history; the next load does as if nothing had been."""
    stage = staged("load that joins")
    folder = stage.fresh()
    for step in ("read", "log", "commit"):
        stage.run(folder, fault=f"{step}:before:kill")
    uploads = Onramp(folder / "home").json("history")
    assert [upload["status"] for upload in uploads] == ["Failed", "Failed", "Failed", "Completed"]
    assert {upload["error"]["code"] for upload in uploads[:3]} == {"interrupted"}
    assert all(upload["finished_at"] for upload in uploads)
    stage.finish(folder, Verdict(is_done=False))


def test_a_received_file_is_loaded_by_the_next_worker(staged):
    """Nobody has to bring it again; it is kept until the end state and not longer."""
    stage = staged("queued load")
    folder = stage.fresh()
    home = folder / "home"
    assert stage.run(folder, fault="commit:before:kill").code == -9
    assert Onramp(home).json("history")[0]["status"] == "Scheduled"
    assert list((home / "landing").iterdir())
    assert stage.run(folder).code == 0
    assert Onramp(home).json("history")[0]["status"] == "Completed"
    assert not list((home / "landing").iterdir())


def test_a_kill_while_a_workspace_is_made_is_made_good(tmp_path):
    """What the first command left half done is no hindrance."""
    home = tmp_path / "home"
    first = Onramp(home)
    first.json("source", "add", "CRM")
    for leftover in ("onramp.duckdb.new", "tmp/spill.tmp"):
        (home / leftover).write_bytes(b"half")
    assert first.json("digest")["profiles"] == 0
    assert not (home / "tmp" / "spill.tmp").exists()
