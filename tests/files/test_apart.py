"""A process that reads apart: what it is left with, and how each way of breaking down ends."""

from __future__ import annotations

import ast
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_core.apart.child import Parent, RemoteFile
from ingest_core.apart.frames import BYTES, END, ERROR, HEAD, PLACE, VALUE, frame
from ingest_core.apart.reading import Cage, read_apart
from ingest_core.errors import FileError, Stopped

PROGRAM = "tests.files.rogues"
ORPHAN = """
import sys
from ingest_core.apart.reading import Cage, read_apart
from ingest_core.files import PathSource
said = read_apart("tests.files.rogues", PathSource(sys.argv[1]), {"what": "sleep"}, Cage(600, 1 << 30, 1 << 20), int)
print(next(said), flush=True)
next(said)
"""


@pytest.fixture
def source(source_of):
    return source_of(b"0123456789" * 20)


def say(source, what: str, *, seconds=60, memory=1 << 30, frame=1 << 20, tick=lambda: None, **more) -> Iterator[Any]:
    return read_apart(
        PROGRAM, source, {"what": what, "name": "people.xlsx", **more}, Cage(seconds, memory, frame), tick
    )


def is_there(pid: int) -> bool:
    """Whether the process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    for _ in range(200):
        if not is_there(pid):
            return True
        time.sleep(0.05)
    return False


def test_it_sees_the_file_as_a_file(source):
    told = list(say(source, "echo"))
    assert "".join(reversed(told[:-1])) == told[-1] == "0123456789" * 20


def test_its_side_of_the_conversation_reads_like_a_file():
    """Seekable from the beginning, the place and the end; nothing behind the end, nothing before the beginning."""
    data = bytes(range(256)) * 10
    ours, theirs = socket.socketpair()

    def answer() -> None:
        while head := ours.recv(HEAD.size, socket.MSG_WAITALL):
            offset, size = PLACE.unpack(ours.recv(HEAD.unpack(head)[1], socket.MSG_WAITALL))
            ours.sendall(frame(BYTES, data[offset : offset + size]))

    thread = threading.Thread(target=answer)
    thread.start()
    with theirs, io.BufferedReader(RemoteFile(Parent(theirs), len(data)), 100) as file:
        assert (file.readable(), file.seekable(), file.read(3)) == (True, True, data[:3])
        assert (file.seek(-4, os.SEEK_END), file.read(9)) == (len(data) - 4, data[-4:])
        assert (file.seek(700), file.seek(30, os.SEEK_CUR), file.read(1)) == (700, 730, data[730:731])
        assert (file.seek(5), file.read()) == (5, data[5:])
        assert (file.seek(5_000), file.read(1)) == (5_000, b"")
        with pytest.raises(OSError, match="before the beginning"):
            file.seek(-5_000, os.SEEK_END)
    thread.join()
    ours.close()


def test_its_words_are_frames():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent = Parent(theirs)
        parent.send(["Äpfel"])
        parent.end(None)
        parent.end(FileError("It is damaged.", code="xlsx_damaged"))
        said = ours.recv(10_000)
    error = b'{"code": "xlsx_damaged", "message": "It is damaged.", "hint": "", "facts": {}}'
    assert said == frame(VALUE, '["Äpfel"]'.encode()) + frame(END, b"") + frame(ERROR, error)


def test_it_has_no_keys_no_descriptors_and_hard_limits(source, monkeypatch):
    """Of the parent's environment and open files nothing reaches it."""
    monkeypatch.setenv("ONRAMP_KEY", "secret")
    inherited = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    (told,) = say(source, "cage", seconds=77, memory=1 << 29)
    os.close(inherited)
    assert set(told["environment"]) <= {"PYTHONPATH", "LC_CTYPE"}
    assert told["descriptors"] == []
    assert told["home"] == "/"
    assert told["limits"] == {"RLIMIT_AS": [1 << 29, 1 << 29], "RLIMIT_CPU": [77, 78], "RLIMIT_CORE": [0, 0]}


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("hog", "too_much_memory"),
        ("killed", "too_much_memory"),
        ("burn", "too_slow"),
        ("crash", "reader_died"),
        ("leave", "reader_died"),
        ("fail", "reader_died"),
        ("flood", "reader_died"),
        ("babble", "reader_died"),
        ("odd", "reader_died"),
        ("flee", "reader_died"),
        ("refuse", "xlsx_damaged"),
    ],
)
def test_however_it_breaks_down_the_file_is_refused_clearly(source, what, code):
    with pytest.raises(FileError) as caught:
        list(say(source, what))
    assert caught.value.code == code
    assert caught.value.hint
    assert caught.value.facts["file"] in {"people.tsv", "people.xlsx"}
    assert "anna" not in str(caught.value.as_dict())


@pytest.mark.parametrize("what", ["spin", "sleep", "deaf"])
def test_time_runs_out_for_one_that_works_on_and_for_one_that_waits(source, what):
    with pytest.raises(FileError) as caught:
        list(say(source, what, seconds=1))
    assert (caught.value.code, caught.value.facts["seconds_limit"]) == ("too_slow", 1)


def test_a_person_can_stop_it_while_it_says_nothing(source):
    def tick() -> None:
        raise Stopped

    said = say(source, "sleep", seconds=0, tick=tick)
    pid = next(said)
    with pytest.raises(Stopped):
        next(said)
    assert gone(pid)


def test_it_ends_when_nobody_listens_any_more(source):
    said = say(source, "sleep")
    pid = next(said)
    assert is_there(pid)
    said.close()
    assert gone(pid)


def test_an_interrupt_at_the_terminal_is_for_its_parent(source):
    """Ctrl-C goes to everything in the foreground; the upload must end as stopped, not as a breakdown."""
    said = say(source, "sleep")
    pid = next(said)
    assert os.getpgid(pid) == pid != os.getpgid(0)
    said.close()


def test_it_never_outlives_its_parent(source):
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(source.path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    pid = int(parent.stdout.readline())
    assert is_there(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


def test_it_can_write_no_file(source, tmp_path):
    with pytest.raises(FileError) as caught:
        list(say(source, "write", where=str(tmp_path / "harm")))
    assert caught.value.code == "reader_died"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0


def test_only_the_program_that_runs_apart_imports_the_workbook_library():
    root = Path(__file__).parents[2] / "ingest_core"
    importers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if "python_calamine"
        in (
            getattr(node, "module", None) or "",
            *(a.name for a in getattr(node, "names", ()) if isinstance(node, ast.Import)),
        )
    }
    assert importers == {"apart/workbook.py"}
