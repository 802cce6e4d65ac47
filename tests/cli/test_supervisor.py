"""The app is started again when it had to leave, ends when it is told to, and never outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from ingest_core.cli import supervisor
from ingest_core.cli.supervisor import LEAVE, MOST, WITHIN_SECONDS, Supervisor
from ingest_core.errors import StateError

SUPERVISE = """
import sys
from pathlib import Path
from ingest_core.cli import supervisor
supervisor.GRACE_SECONDS = int(sys.argv[2])
command = [sys.executable, "-c", sys.argv[1]]
sys.exit(supervisor.Supervisor(lambda line: print(line, file=sys.stderr, flush=True)).run(command, command, Path.cwd()))
"""
WAIT = "import os, time; print('up', os.getpid(), flush=True); time.sleep(60); print('outlived', flush=True)"


class Time:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


class Child:
    """A command whose every start takes the next of the given endings, and notes that it was started."""

    def __init__(self, folder, *endings):
        self.folder, self.notes = folder, folder / "starts"
        self.endings = endings
        self.said = []

    def command(self, word):
        script = (
            "import os, signal, sys; from pathlib import Path\n"
            "notes = Path('starts'); number = len(notes.read_text()) if notes.exists() else 0\n"
            "notes.open('a').write(sys.argv[1])\n"
            f"ending = {list(self.endings)!r}[number]\n"
            "os._exit(ending) if ending >= 0 else os.kill(os.getpid(), -ending)\n"
        )
        return [sys.executable, "-S", "-c", script, word]

    def run(self, clock=None):
        return Supervisor(self.said.append, clock or Time()).run(self.command("f"), self.command("a"), self.folder)

    @property
    def starts(self):
        return self.notes.read_text()


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_child_that_ends_by_itself_has_ended(tmp_path, code):
    child = Child(tmp_path, code)
    assert child.run() == code
    assert (child.starts, child.said) == ("f", [])


def test_a_child_that_had_to_leave_or_was_killed_is_started_again(tmp_path):
    child = Child(tmp_path, LEAVE, -signal.SIGKILL, -signal.SIGSEGV, 0)
    assert child.run() == 0
    assert child.starts == "faaa", "the second command is for every start but the first"
    assert [line.partition("(")[2].partition(")")[0] for line in child.said] == [
        "the database stopped",
        "killed by SIGKILL",
        "killed by SIGSEGV",
    ]


def test_one_that_keeps_leaving_is_given_up_with_an_error(tmp_path):
    child = Child(tmp_path, *[LEAVE] * 99)
    with pytest.raises(StateError) as caught:
        child.run()
    assert (caught.value.code, caught.value.exit_code) == ("keeps_stopping", 3)
    assert len(child.starts) == MOST + 1


def test_one_that_leaves_now_and_then_is_not_given_up(tmp_path):
    clock = Time()
    child = Child(tmp_path, *[LEAVE] * (3 * MOST), 0)
    said = child.said.append

    def say(line):
        said(line)
        clock.seconds += WITHIN_SECONDS / MOST

    assert Supervisor(say, clock).run(child.command("f"), child.command("a"), tmp_path) == 0


@contextmanager
def supervised(repository, script=WAIT, grace=60):
    """(supervisor, PID of its child, what the child writes): the child's words end when it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, script, str(grace)],
        cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process, int(process.stdout.readline().split()[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_child_never_outlives_a_killed_supervisor(repository):
    """The pipe has two holders, supervisor and child: that it ends without a word says that both are gone."""
    with supervised(repository) as (process, _):
        process.kill()
        assert process.stdout.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_wish_to_end_reaches_the_child_which_ends_in_its_own_way(repository, number):
    script = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), os._exit(7)))\n"
        "print('up', os.getpid(), flush=True); time.sleep(600)"
    )
    with supervised(repository, script) as (process, _):
        process.send_signal(number)
        assert process.stdout.read() == "bye\n"
        assert process.wait() == 7


def test_the_second_wish_is_enforced(repository):
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('no', flush=True))\n"
        "print('up', os.getpid(), flush=True)\nwhile True: time.sleep(600)"
    )
    with supervised(repository, script) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "no\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait() == 128 + signal.SIGKILL


def test_a_child_that_does_not_end_in_time_is_killed(repository):
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('up', os.getpid(), flush=True)\nwhile True: time.sleep(600)"
    )
    with supervised(repository, script, grace=1) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGKILL


def test_a_terminal_reaches_the_child_through_the_supervisor_only(repository):
    """A Ctrl-C goes to the whole group of the terminal; a second one would kill the child in its clean-up."""
    with supervised(repository) as (_, pid):
        assert os.getpgid(pid) == pid


def test_leaving_is_named():
    assert LEAVE == os.EX_TEMPFAIL == 75
    assert supervisor.GRACE_SECONDS > 30, "the worker has thirty seconds to leave an upload"
