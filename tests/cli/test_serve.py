"""The whole app as a person starts it: it comes back by itself, ends when told to, and says why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_core.engine.lock import WorkspaceLock
from ingest_core.models import Options
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, home, mapping_of, template

pytest.importorskip("streamlit")
pytestmark = pytest.mark.slow

__all__ = ["home", "template"]

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
BREAK_ONCE = '''
import gc, os
import ingest_core.faults as faults

def abort_point(step, when):
    """The engine of this process stops in the middle of its first load; that of the next process does not."""
    mark = os.environ["BROKEN_MARK"]
    if (step, when) == ("profiles", "before") and not os.path.exists(mark):
        open(mark, "w").close()
        from ingest_core.engine.boundary import Condition
        for found in gc.get_objects():
            if isinstance(found, Condition):
                found.breaks("FATAL Error: it stopped")

faults.abort_point = abort_point
'''


@contextmanager
def serving(home, tmp_path, **environment):
    """(process, address, path of its log) of ``serve`` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest_core", "--home", home, "serve", "--port", str(port), "--no-browser"],
            cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process, f"http://127.0.0.1:{port}", log
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition, log):
    end = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < end, log.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.1)


def healthy(address):
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=5) as answer:
            return json.load(answer)["status"] == "ok"
    except (urllib.error.URLError, OSError):
        return False


def is_refused(address):
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def queue_upload(home, folder):
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, folder)
        landing_id = kernel.land(b"crmid\temail\nK1\tanna@example.com\n")
        mapping = mapping_of({"crmid": "crmid", "email": "email"})
        return workspace.jobs.submit(landing_id, kernel.source(), mapping, Options(), idempotency_key="key")


def test_the_app_leaves_when_the_database_stopped_comes_back_and_finishes_what_was_queued(home, tmp_path):
    request_id = queue_upload(home, tmp_path)
    (tmp_path / "sitecustomize.py").write_text(BREAK_ONCE)
    environment = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "BROKEN_MARK": str(tmp_path / "mark")}
    with serving(home, tmp_path, **environment) as (process, address, log):
        until(lambda: "is started again" in log.read_text("utf-8", "replace"), log)
        until(lambda: healthy(address), log)
        until(lambda: not list((home / "landing").iterdir()), log)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    lines = log.read_text("utf-8", "replace").splitlines()
    left = [line for line in lines if "database stopped" in line]
    assert [line for line in left if "leaves" in line or "again" in line] == left
    assert len(left) == 2, "one line of the app, one of who starts it again"
    assert "Traceback" not in "\n".join(lines)
    with Workspace.open(home) as workspace:
        receipt = workspace.history.get(request_id)
        assert (receipt.status, receipt.stored) == ("Completed", 1)


def test_a_killed_app_is_started_again_on_the_same_port_with_its_visitors_still_connected(home, tmp_path):
    with serving(home, tmp_path) as (process, address, log):
        until(lambda: healthy(address), log)
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as visitor:
            visitor.sendall(b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert visitor.recv(15) == b"HTTP/1.1 200 OK"
            os.kill(int((home / "lock").read_text().split()[0]), signal.SIGKILL)
            until(lambda: "killed by SIGKILL" in log.read_text("utf-8", "replace"), log)
            until(lambda: healthy(address), log)
        process.kill()  # and nothing of the app is left when its supervisor is killed
        process.wait()
        until(lambda: is_refused(address), log)
    WorkspaceLock(home, "command").release()


def test_a_workspace_that_is_held_is_told_in_two_lines_and_the_exit_code(home, tmp_path):
    lock = WorkspaceLock(home, "command")
    with serving(home, tmp_path) as (process, _, log):
        assert process.wait(START_SECONDS) == 3
    lock.release()
    text = log.read_text("utf-8", "replace")
    assert f"held by another command (PID {os.getpid()}" in text
    assert "Traceback" not in text
    assert "started again" not in text
