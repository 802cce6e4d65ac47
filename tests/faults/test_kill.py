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

taken: set[tuple[str, str, str]] = set()


def strikes(stage: Stage, kind: str, moment: str) -> list[tuple[int, str, str]]:
    """Abort points (number, step, when) at which no operation was struck with this kind of fault.

    One moment of each step is enough, as its end is the beginning of the next; every operation's commit has all.
    """
    chosen = []
    for number, (step, when) in enumerate(stage.points, 1):
        is_wanted = when == moment or (step == "commit" and kind != "inside") or number == 1
        if is_wanted and (step, when, kind) not in taken:
            chosen.append((number, step, when))
            if step != "commit" or kind == "error":
                taken.add((step, when, kind))
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
    """One after the other on one workspace: each shows that the one before it did no harm."""
    stage = staged(name)
    folder = stage.fresh()
    for number, step, when in strikes(stage, "kill", "after"):
        died = stage.run(folder, fault=f"nth:{number}:kill")
        assert (died.code, died.out) == (-9, ""), (step, when)
        verdict = stage.judge(folder)
        assert verdict.is_sound, (step, when, verdict)
        if verdict.is_done:
            stage.finish(folder, verdict)
        folder = stage.next(folder, verdict)
    stage.finish(folder, Verdict(is_done=False))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_kill_inside_a_step_leaves_all_or_nothing(staged, name):
    """The moment is drawn with a seed; a step may be faster this time, and then the operation is done."""
    stage, draw = staged(name), random.Random(name)
    folder, seconds = stage.fresh(), stage.seconds()
    for _, step, _ in strikes(stage, "inside", "before"):
        died = stage.run(folder, fault=f"{step}:{draw.random() * seconds[step] * 1000:.3f}ms:kill")
        assert died.code in (-9, stage.died.code), step
        verdict = stage.judge(folder)
        assert verdict.is_sound, (step, verdict)
        assert verdict.is_done or died.code == -9 or not stage.is_told_apart, step
        folder = stage.next(folder, verdict)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_error_at_any_point_leaves_all_or_nothing(staged, name):
    stage = staged(name)
    folder = stage.fresh()
    for number, step, when in strikes(stage, "error", "before"):
        failed = stage.run(folder, fault=f"nth:{number}:error")
        verdict = stage.judge(folder)
        assert verdict.is_sound, (step, when, verdict)
        if failed.code == 3:
            assert failed.json["error"]["code"] == "fault_injected", (step, when)
            assert "Traceback" not in failed.err
        else:  # where an error ends nothing, such as in the queue or in the tidying after the work
            assert failed.code == stage.died.code, (step, when, failed.err)
        folder = stage.next(folder, verdict)
    stage.finish(folder, Verdict(is_done=False))


def test_interrupted_uploads_are_failed_and_count_nothing(staged):
    """What a person finds in the history after each kill."""
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
