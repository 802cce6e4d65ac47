"""The disk itself fails, or the process dies between two writes: of the commit, of the checkpoint, of the recovery.

``strace`` makes the N-th system call on the database file or its log fail or kill, for N = 1, 2, 3 … until the command
passes. A kill strikes before the call; after it the file is what the calls before have made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.processes import Died
from tests.faults.stage import Stage, Verdict

CODES = {"disk_error", "disk_full", "engine_stopped", "engine_error"}

KILL, EIO, ENOSPC = "signal=SIGKILL", "error=EIO", "error=ENOSPC"


def struck(stage: Stage, call: str, how: str, *, stop_at: str | None, most: int) -> Iterator[tuple[Died, Verdict]]:
    """The operation on fresh ground with its first such call struck, then its second …, and what each left."""
    for number in range(1, most + 1):
        folder = stage.fresh()
        database = folder / stage.operation.home / "onramp.duckdb"
        died = stage.run(
            folder,
            stop_at=stop_at,
            strace=[
                *("-P", str(database), "-P", f"{database}.wal", "-e", f"trace={call}"),
                *("-e", f"inject={call}:{how}:when={number}"),
            ],
        )
        yield died, stage.judge(folder)
        if died.calls < number:
            return


@pytest.fixture(scope="module")
def staged(tmp_path_factory, processes, can_trace) -> Callable[[str], Stage]:
    made: dict[str, Stage] = {}

    def get(name: str) -> Stage:
        if name not in made:
            made[name] = Stage(name, tmp_path_factory.mktemp("stage"), processes)
        return made[name]

    return get


@pytest.mark.parametrize(
    ("name", "call", "most"),
    [
        ("load that joins", "write", 9),  # of the log: the transaction, then the mark that makes it count
        ("load that joins", "fdatasync", 2),
        ("load that joins", "pwrite64", 3),  # of the checkpoint when the workspace is closed
        ("load that joins", "unlink", 1),
        ("undo", "write", 3),
        ("keys rotate", "write", 2),
    ],
)
def test_a_kill_between_two_writes_of_the_commit_leaves_all_or_nothing(staged, name, call, most):
    stage = staged(name)
    verdicts = []
    for died, verdict in struck(stage, call, KILL, stop_at="commit" if name != "keys rotate" else None, most=most):
        assert verdict.is_sound, verdict
        assert verdict.is_done or died.code == -9
        verdicts.append((died.code, verdict.is_done))
    assert verdicts[0][0] == -9
    assert sorted(verdicts, key=lambda one: one[1]) == verdicts  # from some call on it is done, before it is not


@pytest.mark.parametrize("call", ["pwrite64", "unlink", "pread64"])
def test_a_kill_between_two_calls_of_a_recovery_leaves_it_to_the_next(staged, call):
    """The first command after a kill replays the log of the database; it is killed, too."""
    stage = staged("opening after a kill after the commit")
    codes = []
    for died, verdict in struck(stage, call, KILL, stop_at=None, most=2):
        assert verdict.is_sound, verdict
        codes.append(died.code)
    assert codes[0] == -9


@pytest.mark.parametrize(
    ("call", "how", "stop_at"),
    [
        ("write", EIO, "commit"),
        ("write", ENOSPC, "commit"),
        ("fdatasync", EIO, "commit"),
        ("pwrite64", EIO, "commit"),
        ("pread64", EIO, None),
    ],
)
def test_an_error_of_the_disk_is_told_and_leaves_all_or_nothing(staged, call, how, stop_at):
    """Who is told that it is done, has it; who is told of an error, has all or nothing, and may do it again."""
    stage = staged("load that joins")
    outcomes = set()
    for died, verdict in struck(stage, call, how, stop_at=stop_at, most=4):
        assert verdict.is_sound, verdict
        assert "Traceback" not in died.err
        if died.code == 0:
            assert verdict.is_done
        else:
            error = died.json["error"]
            assert died.code == 3
            assert error["code"] in CODES
            assert error["hint"]
            assert not verdict.is_done or "othing was" not in error["message"], error
        outcomes.add(died.code)
    assert outcomes <= {0, 3}
    assert 3 in outcomes or call == "pwrite64"  # a failing checkpoint is made good at the next opening
