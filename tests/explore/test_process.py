"""The process around a person's SQL: what it can open, what it knows, and that it never outlives anybody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest_core.errors import InputError
from ingest_core.explore.sandbox import Limits, Sandbox
from tests.explore.test_limits import ENDLESS

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
PATIENCE = 60.0


def is_gone(pid: int) -> bool:
    """Whether a process has ended, waiting for it; a dead one that nobody asks about counts."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def sandbox(monkeypatch):
    monkeypatch.setenv("ONRAMP_KEYS", "not for anybody")
    made = Sandbox(Limits(memory=256 << 20))
    yield made
    made.close()


@linux
def test_it_has_no_key_no_file_and_no_way_to_one(sandbox):
    proc = Path(f"/proc/{sandbox.pid}")
    names = {entry.partition(b"=")[0] for entry in (proc / "environ").read_bytes().split(b"\0") if entry}
    assert names == {b"PYTHONPATH", b"MALLOC_ARENA_MAX", b"OPENBLAS_NUM_THREADS", b"OMP_NUM_THREADS"}
    opened = {entry.name: str(entry.readlink()) for entry in (proc / "fd").iterdir()}
    assert opened.pop("0").startswith("socket:")
    assert set(opened.values()) == {"/dev/null"}
    limits = (proc / "limits").read_text()
    for what in ("Max open files", "Max file size", "Max core file size"):
        line = next(line for line in limits.splitlines() if line.startswith(what))
        assert line.removeprefix(what).split()[:2] == ["0", "0"]
    memory = next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert memory.removeprefix("Max address space").split()[0] != "unlimited"
    assert (proc / "cwd").readlink() == Path("/")


def test_behind_the_closed_door_nothing_opens():
    """As code would find it that got around the engine."""
    code = """
import socket, sys
from ingest_core.explore.child import _close_everything
_close_everything(1 << 30)
tried = [lambda: open("/etc/hostname"), lambda: open("/dev/null", "w"), socket.socket, lambda: socket.socketpair()]
met = 0
for attempt in tried:
    try:
        attempt()
    except OSError:
        met += 1
print(met, len(tried))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["4", "4"], done.stderr


def test_closing_ends_the_process(sandbox):
    assert sandbox.is_alive
    sandbox.close()
    assert not sandbox.is_alive
    sandbox.close()


@linux
def test_forgotten_it_ends_too(tmp_path):
    made = Sandbox(Limits(memory=256 << 20))
    pid = made.pid
    del made
    assert is_gone(pid)


@linux
def test_it_ends_when_its_parent_is_killed_in_the_middle_of_a_query(tmp_path):
    """Nothing is left: no process, and no file, in the workspace or beside it."""
    code = f"""
import sys, threading
from pathlib import Path
from ingest_core.files import PathSource
from ingest_core.workspace import Workspace
workspace = Workspace.open(Path({str(tmp_path / "home")!r}))
file = PathSource(Path({str(tmp_path / "people.tsv")!r}))
session = workspace.explore.open_file(file, limits=workspace.planner.limits())
session.tables()
threading.Thread(target=lambda: session.run({ENDLESS!r})).start()
print(session._sandbox.pid, flush=True)
sys.stdin.read()
"""
    (tmp_path / "people.tsv").write_text("crmid\tcity\n" + "C1\tZaunkoenighausen\n" * 50_000)
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    pid = int(parent.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    assert is_gone(pid)
    assert list((tmp_path / "home" / "tmp").iterdir()) == []
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or b"Zaunkoenighausen" not in path.read_bytes()


def test_what_is_no_answer_is_not_taken_for_one(sandbox):
    """A process that was taken over may say anything."""
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    real, sandbox._talk = sandbox._talk, ours
    for said in (b"?\x00\x00\x00\x01x", b"z\xff\xff\xff\xff", b"z\x00\x00\x00\x01[", b"e\x00\x00\x00\x02[]"):
        theirs.send(said)
        with pytest.raises(InputError) as caught:
            sandbox.create("a", [("a", "BIGINT")])
        assert caught.value.code in {"sql_broke", "sql_too_much_memory"}
    for one in (ours, theirs, real):
        one.close()
