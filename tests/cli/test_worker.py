"""The worker as a person or a machine starts it: loads what waits, takes commands, ends and comes back like the app."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest_core.engine.lock import WorkspaceLock
from ingest_core.errors import StateError
from ingest_core.models import Options
from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp
from tests.workspaces import Kernel, home, mapping_of, template

__all__ = ["home", "template"]

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 90


def environment(**more):
    return {**os.environ, **more}


@contextmanager
def process(tmp_path, *arguments, module="ingest_core", **more):
    """(process, path of its log) of the worker."""
    log = tmp_path / "worker.log"
    with log.open("ab") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT, env=environment(**more), stdout=subprocess.PIPE, stderr=output, text=True,
        )  # fmt: skip
    try:
        yield started, log
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def until(condition, log=None):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, log.read_text("utf-8", "replace")[-3000:] if log else "it never happened"
        time.sleep(0.05)


def is_there(log):
    return "has the workspace" in log.read_text("utf-8", "replace")


def queue_upload(home, folder, data=b"crmid\temail\nK1\tanna@example.com\n", key="key"):
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, folder)
        mapping = mapping_of({"crmid": "crmid", "email": "email"})
        return workspace.jobs.submit(kernel.land(data), kernel.source(), mapping, Options(), idempotency_key=key)


class TestOnce:
    def run(self, home, *options, **more):
        done = subprocess.run(
            [sys.executable, "-m", "ingest_core", "--home", home, *options, "worker", "--once"],
            cwd=ROOT, env=environment(**more), capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def test_what_is_due_is_loaded_and_told(self, home, tmp_path):
        request_id = queue_upload(home, tmp_path)
        code, out, err = self.run(home, "--json")
        assert (code, json.loads(out)) == (0, {"completed": 1, "failed": 0, "waiting": 0, "trouble": {}})
        assert f"Upload {request_id}: Completed, 1 people stored, 0 rows rejected." in err
        assert "anna" not in err
        assert "people.tsv" not in err
        code, out, _ = self.run(home)
        assert (code, out) == (0, "0 uploads completed, 0 failed.\n")
        with Workspace.open(home) as workspace, workspace.engine.session() as session:
            assert session.rows("SELECT request_id, status, worker FROM upload") == [
                (request_id, "Completed", "worker")
            ]

    def test_an_upload_that_failed_is_exit_code_1(self, home, tmp_path):
        queue_upload(home, tmp_path)
        queue_upload(home, tmp_path, key="the same bytes again")
        code, out, _ = self.run(home, "--json")
        assert (code, json.loads(out)["completed"], json.loads(out)["failed"]) == (1, 1, 1)

    def test_beside_a_holder_it_says_who_and_changes_nothing(self, home):
        lock = WorkspaceLock(home, "worker")
        code, out, err = self.run(home, "--json")
        lock.release()
        assert (code, json.loads(out)["error"]["code"]) == (3, "workspace_locked")
        assert f"held by a worker (PID {os.getpid()}" in err


def test_a_killed_worker_leaves_its_upload_to_the_next_one(home, tmp_path):
    """In the middle of a load, as by the machine's end: nothing of it is visible, and nothing is lost."""
    request_id = queue_upload(home, tmp_path)
    with process(tmp_path, home, module="ingest_core.cli.worker", ONRAMP_FAULT="profiles:before:kill") as (killed, _):
        assert killed.wait(WAIT_SECONDS) == -signal.SIGKILL
    onramp = Onramp(home)
    assert (home / "api.json").exists(), "it was killed: its address is still there, and nobody uses it"
    assert onramp.json("profile", "count")["count"] == 0
    assert onramp.json("upload", "show", request_id)["status"] == "Scheduled"
    with process(tmp_path, "--home", home, "worker") as (worker, log):
        until(lambda: f"Upload {request_id}: Completed" in log.read_text(), log)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WAIT_SECONDS) == 0
    assert onramp.json("upload", "show", request_id)["status"] == "Completed"
    assert onramp.json("profile", "count")["count"] == 1
    assert not (home / "api.json").exists()


def test_a_killed_worker_is_started_again_and_none_outlives_its_command(home, tmp_path):
    with process(tmp_path, "--home", home, "worker") as (worker, log):
        until(lambda: is_there(log), log)
        first = int((home / "lock").read_text().split()[0])
        os.kill(first, signal.SIGKILL)
        until(lambda: log.read_text().count("has the workspace") == 2, log)
        assert "killed by SIGKILL" in log.read_text()
        done = Onramp(home).run("--json", "queue", "list")
        assert (done.code, done.json) == (0, {"is_worked_on": True, "trouble": {}, "uploads": []})
        worker.kill()
        worker.wait()

    def is_free():
        try:
            WorkspaceLock(home, "command").release()
        except StateError:
            return False
        return True

    until(is_free, log)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_leaves_the_upload_under_way_to_the_next_one(home, tmp_path, number):
    many = "\n".join(f"K{n}\tperson{n}@example.com" for n in range(300_000))
    request_id = queue_upload(home, tmp_path, f"crmid\temail\n{many}\n".encode())
    with process(tmp_path, "--home", home, "worker") as (worker, log):
        until(lambda: f"Upload {request_id} begins" in log.read_text(), log)
        worker.send_signal(number)
        assert worker.wait(WAIT_SECONDS) == 0
    onramp = Onramp(home)
    assert onramp.json("upload", "show", request_id)["status"] == "Scheduled"
    assert onramp.json("profile", "count")["count"] == 0


def test_a_file_for_later_is_handed_over_and_loaded_at_its_time(home, tmp_path):
    onramp, file = Onramp(home), tmp_path / "later.tsv"
    file.write_text("crmid\temail\nK1\tanna@example.com\n")
    onramp.json("source", "add", "CRM")
    with process(tmp_path, "--home", home, "worker") as (worker, log):
        until(lambda: is_there(log), log)
        at = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        waiting = onramp.json("ingest", file, "--source", "CRM", "--auto", "--at", at)
        assert waiting["status"] == "Scheduled"
        file.unlink()
        until(lambda: onramp.json("upload", "show", waiting["request_id"])["status"] == "Completed", log)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WAIT_SECONDS) == 0


def test_a_workspace_that_is_held_is_told_and_not_tried_again_and_again(home, tmp_path):
    lock = WorkspaceLock(home, "command")
    with process(tmp_path, "--home", home, "worker") as (worker, log):
        assert worker.wait(WAIT_SECONDS) == 3
    lock.release()
    assert f"held by another command (PID {os.getpid()}" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert "started again" not in log.read_text()


def test_an_engine_that_stopped_is_exit_code_75(home, tmp_path):
    """The command that keeps it running starts it again, as the app is."""
    queue_upload(home, tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        "import gc\nimport ingest_core.faults as faults\n\n"
        "def abort_point(step, when):\n"
        "    if (step, when) == ('profiles', 'before'):\n"
        "        from ingest_core.engine.boundary import Condition\n"
        "        for found in gc.get_objects():\n"
        "            if isinstance(found, Condition):\n"
        "                found.breaks('FATAL Error: it stopped')\n\n"
        "faults.abort_point = abort_point\n"
    )
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    with process(tmp_path, home, module="ingest_core.cli.worker", PYTHONPATH=path) as (worker, log):
        assert worker.wait(WAIT_SECONDS) == 75
    assert "The database stopped. The worker leaves (exit code 75)" in log.read_text()
    assert "Traceback" not in log.read_text()
