"""Memory that ends in the middle of a command is one clear error, and nothing has changed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_core.cli import main as command_line
from ingest_core.engine import memory

ROOT = Path(__file__).parents[2]
LIMITED = """
import resource, sys
import ingest_core.cli.main as command_line
from ingest_core.plan import load
size = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmSize"))
limit = size + int(sys.argv.pop(1)) * (1 << 20)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(command_line.main())
"""
"""The command line with so many megabytes left once everything is imported."""


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    """A file that needs some more memory than a small one."""
    file = tmp_path_factory.mktemp("big") / "big.tsv"
    with file.open("w") as stream:
        stream.write("crmid\temail\tcity\n")
        stream.writelines(f"K{n * 7919}\tperson{n * 104729}@example.com\tTown {n * 31}\n" for n in range(300_000))
    return file


def limited(home, megabytes, *arguments):
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(megabytes), "--json", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "ONRAMP_HOME": str(home), "ONRAMP_THREADS": "2"}, capture_output=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
@pytest.mark.parametrize(("megabytes", "where"), [(100, "opening"), (1000, "loading")])
def test_a_command_that_runs_out_of_memory_says_so_and_keeps_nothing(onramp, people, big, megabytes, where):
    onramp.load(people, "--auto")
    before, counts = onramp.json("digest"), onramp.counts()
    done = limited(onramp.home, megabytes, "ingest", big, "--source", "CRM", "--auto")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (3, "out_of_memory")
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 2, "message and next move"
    assert onramp.json("digest") == before
    assert onramp.counts() == counts
    uploads = onramp.json("history")[:-1]
    expected = [("Failed", "out_of_memory")] if where == "loading" else []
    assert [(upload["status"], upload["error"]["code"]) for upload in uploads] == expected


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("libarrow.so: failed to map segment from shared object"),
        type("PanicException", (BaseException,), {})("could not spawn threads: ThreadPoolBuildError"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_wherever_memory_ends_it_is_told_in_the_same_words(onramp, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(command_line, "_run", fail)
    done = onramp.run("--json", "digest")
    assert (done.code, done.json["error"]["code"]) == (3, "out_of_memory")


def test_the_panic_of_a_library_is_a_fault_of_ours_without_its_text(onramp, monkeypatch):
    """It is no ``Exception``, and its text may quote a cell."""

    def fail(*_):
        raise type("PanicException", (BaseException,), {})("priya.raman@example.in")

    monkeypatch.setattr(command_line, "_run", fail)
    done = onramp.run("--json", "digest")
    assert (done.code, done.json["error"]["code"]) == (1, "internal_error")
    assert "priya" not in done.out + done.err


def test_room_is_only_asked_for_where_there_is_a_limit(monkeypatch):
    asked = []
    monkeypatch.setattr(memory.mmap, "mmap", lambda *_: asked.append(1) or _refuse())
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (memory.resource.RLIM_INFINITY,) * 2)
    memory.require_room()
    assert asked == []
    monkeypatch.setattr(memory.resource, "getrlimit", lambda _: (1 << 30, 1 << 30))
    with pytest.raises(MemoryError):
        memory.require_room()
    assert asked == [1]


def _refuse():
    raise OSError(errno.ENOMEM, "Cannot allocate memory")
