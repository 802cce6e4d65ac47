"""One process owns a workspace; the others are told which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ingest_core.engine.lock import WorkspaceLock
from ingest_core.errors import StateError

HOLD = """
import sys
from pathlib import Path
from ingest_core.engine.lock import WorkspaceLock
lock = WorkspaceLock(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path, repository):
    """Starts another process that holds the lock."""
    processes = []

    def holding(worker):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path), worker],
            cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield holding
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("worker", "words"), [("app", "the app"), ("command", "another command")])
def test_a_second_process_is_told_who_holds_the_workspace(tmp_path, hold, worker, words):
    holder = hold(worker)
    with pytest.raises(StateError) as caught:
        WorkspaceLock(tmp_path, "command")
    assert caught.value.code == "workspace_locked"
    assert caught.value.facts == {"pid": holder.pid, "holder": worker}
    assert f"{words} (PID {holder.pid})" in caught.value.message


def test_the_kernel_releases_the_lock_of_a_killed_process(tmp_path, hold):
    holder = hold("app")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    lock = WorkspaceLock(tmp_path, "command")
    assert (tmp_path / "lock").read_text() == f"{os.getpid()} command"
    lock.release()


def test_a_lock_that_was_released_can_be_taken_again(tmp_path):
    for _ in range(3):
        WorkspaceLock(tmp_path, "command").release()


def test_a_lock_file_that_says_nothing_still_locks(tmp_path):
    lock = WorkspaceLock(tmp_path, "app")
    (tmp_path / "lock").write_text("")
    with pytest.raises(StateError) as caught:
        WorkspaceLock(tmp_path, "command")
    assert caught.value.facts["pid"] is None
    lock.release()
