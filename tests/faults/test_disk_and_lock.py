"""A full disk and two processes at once: a clear error, nothing half-visible, and it works as soon as it can."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.onramp import Onramp
from tests.faults.stage import Stage

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Path:
    """A file whose people need some megabytes in the database."""
    file = tmp_path_factory.mktemp("big") / "big.tsv"
    with file.open("w") as stream:
        stream.write("crmid\temail\tcity\n")
        stream.writelines(f"K{n * 7919}\tperson{n * 104729}@example.com\tTown {n * 31}\n" for n in range(40_000))
    return file


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Callable[[int], Path]]:
    """Makes a file system of so many bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def make(size: int) -> Path:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("mounting a small file system is not permitted here")
        return folder

    yield make
    subprocess.run(["umount", str(folder)], capture_output=True)


def test_a_full_disk_ends_the_upload_and_loses_nothing(small_disk, loaded_home, big, processes):
    size = sum(path.stat().st_size for path in loaded_home.rglob("*") if path.is_file())
    onramp = Onramp(shutil.copytree(loaded_home, small_disk(size + 4 * MEGABYTE) / "home"))
    before, counts = onramp.json("digest"), onramp.counts()
    died = processes.run(onramp.home, "ingest", big, "--source", "CRM", "--auto")
    _assert_disk_error(died)
    assert onramp.json("digest") == before
    assert onramp.counts() == counts
    assert onramp.json("history")[0]["status"] == "Failed"
    shutil.copytree(onramp.home, big.parent / "moved")
    moved = Onramp(big.parent / "moved")
    assert moved.load(big, "--auto")["created"] == 40_000


@pytest.mark.parametrize("name", ["queued load", "undo", "rebuild"])  # others: tests/operations/test_disk.py
def test_a_full_disk_ends_anything_and_loses_nothing(small_disk, tmp_path, processes, name):
    """What is left is looked at where there is room again."""
    (tmp_path / "stage").mkdir()
    stage = Stage(name, tmp_path / "stage", processes, rows=3_000)
    folder = stage.fresh(small_disk(stage.size() + MEGABYTE // 4) / "ground")
    died = stage.run(folder)
    with_room = shutil.copytree(folder, tmp_path / "with room")
    verdict = stage.judge(with_room)
    assert verdict.is_sound, verdict
    if name != "queued load":  # there the upload ends, and the worker goes on
        _assert_disk_error(died)
    assert not verdict.is_done
    stage.finish(with_room, verdict)


@pytest.mark.parametrize("room", [0, 0.05, 0.5, 2])
def test_a_file_that_cannot_grow_ends_the_upload_and_loses_nothing(onramp, big, processes, room):
    """The limit on the size of a file is a disk that is full for one process only."""
    before, counts = onramp.json("digest"), onramp.counts()
    limit = (onramp.home / "onramp.duckdb").stat().st_size + int(room * MEGABYTE)
    died = processes.run(onramp.home, "ingest", big, "--source", "CRM", "--auto", file_size=limit)
    _assert_disk_error(died)
    assert onramp.json("digest") == before
    assert onramp.counts() == counts
    assert [upload["status"] for upload in onramp.json("history")][:-1] in ([], ["Failed"])
    assert onramp.load(big, "--auto")["created"] == 40_000


@pytest.mark.parametrize("limit", [1_000, 20_000, 100_000, 1_000_000, None])
def test_the_answer_and_the_state_agree_wherever_writing_stops(onramp, processes, tmp_path, limit):
    """Also where the log of the database still took the load and only its file cannot grow."""
    file = tmp_path / "a.tsv"
    file.write_text("crmid\temail\n" + "".join(f"K{n}\tperson{n}@example.com\n" for n in range(500)))
    before = onramp.json("digest")
    limit = limit or (onramp.home / "onramp.duckdb").stat().st_size
    died = processes.run(onramp.home, "ingest", file, "--source", "CRM", "--auto", file_size=limit)
    after = onramp.json("digest")
    if died.code == 0:
        assert after["profiles"] == 504
        assert onramp.json("history")[0]["request_id"] == died.json["request_id"]
    else:
        _assert_disk_error(died)
        assert after == before
        assert onramp.load(file, "--auto")["created"] == 500


def test_a_file_that_does_not_fit_the_landing_zone_leaves_nothing_there(onramp, big, processes):
    before = onramp.state()
    died = processes.run(
        onramp.home, "ingest", big, "--source", "CRM", "--auto", "--at", "2099-01-01", file_size=MEGABYTE
    )
    _assert_disk_error(died)
    assert onramp.state() == before


def test_reject_files_do_not_pretend_on_a_full_disk(onramp, processes, tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("crmid\temail\n" + "".join(f"C{n}\tno address {n}\n" for n in range(99)) + "C1\tanna@example.com\n")
    mapping = tmp_path / "m.json"
    mapping.write_text(
        '{"columns": [{"column": "crmid", "attribute": "crmid"}, {"column": "email", "attribute": "email"}]}'
    )
    request_id = onramp.load(file, "--mapping", mapping)["request_id"]
    died = processes.run(onramp.home, "rejects", request_id, "--out", tmp_path / "out.tsv", file_size=1000)
    assert died.code == 3, died.err
    assert died.json["error"]["code"] == "disk_full"


def test_two_commands_at_once_load_once(onramp, big, processes):
    """One holds the workspace, the other is told who does; together they load the file once."""
    second = type(processes)()
    answers = []

    def run(one) -> None:
        answers.append(one.run(onramp.home, "ingest", big, "--source", "CRM", "--auto"))

    threads = [threading.Thread(target=run, args=(one,)) for one in (processes, second)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        second.close()
    assert sorted(answer.code for answer in answers) == [0, 3]
    refused = next(answer for answer in answers if answer.code == 3)
    assert refused.json["error"]["code"] in {"workspace_locked", "already_loaded"}
    assert onramp.json("digest")["profiles"] == 40_004
    assert len(onramp.json("history")) == 2


def _assert_disk_error(died) -> None:
    assert died.code == 3, (died.code, died.out, died.err)
    error = died.json["error"]
    assert error["code"] in {"disk_full", "disk_error"}
    assert error["hint"]
    assert "Traceback" not in died.err
