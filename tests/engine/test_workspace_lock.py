"""One process owns a workspace; the others are told which, and since when."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from datetime import datetime

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


def refused(home):
    with pytest.raises(StateError) as caught:
        WorkspaceLock(home, "command")
    assert caught.value.code == "workspace_locked"
    return caught.value


@pytest.mark.parametrize(("worker", "words"), [("app", "the app"), ("command", "another command")])
def test_a_second_process_is_told_who_holds_the_workspace_and_since_when(tmp_path, hold, worker, words):
    holder = hold(worker)
    error = refused(tmp_path)
    since = error.facts.pop("since")
    assert error.facts == {"pid": holder.pid, "holder": worker}
    assert datetime.fromisoformat(since).tzinfo is not None
    assert re.search(rf"{words} \(PID {holder.pid}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)", error.message)


def test_the_kernel_releases_the_lock_of_a_killed_process(tmp_path, hold):
    holder = hold("app")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    lock = WorkspaceLock(tmp_path, "command")
    assert (tmp_path / "lock").read_text().startswith(f"{os.getpid()} command ")
    lock.release()


def test_a_lock_that_was_released_can_be_taken_again(tmp_path):
    for _ in range(3):
        lock = WorkspaceLock(tmp_path, "command")
        lock.release()
        lock.release()


def test_what_a_killed_process_wrote_is_not_believed(tmp_path, hold):
    """Another one has taken the lock since and has not written its name yet: nobody is told a dead PID."""
    dead = hold("app")
    dead.kill()
    dead.wait()
    with (tmp_path / "lock").open() as file:
        assert file.read().startswith(f"{dead.pid} app ")
        fcntl.flock(file, fcntl.LOCK_EX)
        error = refused(tmp_path)
    assert error.facts == {"pid": None, "holder": "process", "since": None}
    assert str(dead.pid) not in error.message


def test_a_name_that_is_written_late_is_waited_for(tmp_path, monkeypatch):
    lock = WorkspaceLock(tmp_path, "app")
    name = (tmp_path / "lock").read_text()
    (tmp_path / "lock").write_text("")
    monkeypatch.setattr("ingest_core.engine.lock.time.sleep", lambda _: (tmp_path / "lock").write_text(name))
    assert refused(tmp_path).facts["pid"] == os.getpid()
    lock.release()


@pytest.mark.parametrize(
    "text", ["", "what", "0 app 2026-01-01T00:00:00", "9" * 60 + " app 2026-01-01T00:00:00", "1 app"]
)
def test_a_lock_file_that_says_nothing_still_locks(tmp_path, text):
    lock = WorkspaceLock(tmp_path, "app")
    (tmp_path / "lock").write_text(text)
    assert refused(tmp_path).facts["pid"] is None
    lock.release()


def test_a_shorter_name_leaves_nothing_of_a_longer_one(tmp_path):
    (tmp_path / "lock").write_text("x" * 500)
    lock = WorkspaceLock(tmp_path, "app")
    assert refused(tmp_path).facts["pid"] == os.getpid()
    lock.release()
