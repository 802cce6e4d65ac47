"""As a process: pipes that close, streams that cannot, another process that holds the workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def start(home: Path, *arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ingest_core", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "ONRAMP_HOME": str(home), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_module_runs_the_command_and_exits_with_its_code(onramp, people):
    done = start(onramp.home, "ingest", people, "--source", "CRM", "--auto", "--json")
    out, err = done.communicate()
    assert (done.returncode, err) == (0, b"")
    assert json.loads(out)["stored"] == 3
    again = start(onramp.home, "ingest", people, "--source", "CRM", "--auto", "--json")
    out, err = again.communicate()
    assert again.returncode == 3
    assert json.loads(out)["error"]["code"] == "already_loaded"
    assert err.decode().splitlines()[-1] == "Use --again to load it once more."


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_is_no_error(onramp, options):
    process = start(onramp.home, "attribute", "list", *options)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_result_that_cannot_be_written_is_told(onramp):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ingest_core", "--home", onramp.home, "digest"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith(b"The command is done, but its result could not be written")
    assert b"Traceback" not in done.stderr


def test_names_outside_ascii_survive_a_terminal_that_knows_ascii_only(onramp):
    onramp.json("source", "add", "Köln")
    narrow = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    out, err = start(onramp.home, "source", "list", environment=narrow).communicate()
    assert b"K?ln" in out
    assert err == b""
    out, _ = start(onramp.home, "source", "list", "--json", environment=narrow).communicate()
    assert "Köln" in {source["name"] for source in json.loads(out.decode("utf-8"))}


def test_a_workspace_that_another_process_holds_is_left_alone(onramp, people):
    script = (
        "import sys; from pathlib import Path; from ingest_core.workspace import Workspace\n"
        "with Workspace.open(Path(sys.argv[1]), worker='app'):\n"
        "    print('open', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(onramp.home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        done = onramp.run("--json", "ingest", people, "--source", "CRM", "--auto")
        assert done.code == 3
        error = done.json["error"]
        assert error["code"] == "workspace_locked"
        since = error["facts"].pop("since")
        assert error["facts"] == {"pid": holder.pid, "holder": "app"}
        assert since.rstrip("Z").replace("T", " ") in error["message"]
        assert f"PID {holder.pid}" in error["message"]
    finally:
        holder.send_signal(signal.SIGKILL)  # the kernel gives the lock back, however the holder ends
        holder.communicate()
    assert onramp.load(people, "--auto")["stored"] == 3


ENDLESS = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE (a.range * b.range) % 7 = 3"
SLOW = f"""
import os, sys, threading, time
import ingest_core.plan.load as load
from ingest_core.cli.main import main
from ingest_core.engine.session import Session
from ingest_core.engine.steps import Step
from ingest_core.jobs.loads import Loads

ENDLESS = {ENDLESS!r}
rows = Session.rows

def tell(session):
    while not session._is_running:
        time.sleep(0.001)
    os.write(2, b"inside\\n")

def telling(self, sql, parameters=()):
    if sql == ENDLESS:
        threading.Thread(target=tell, args=[self], daemon=True).start()
    return rows(self, sql, parameters)

def reading(*_):
    os.write(2, b"inside\\n")
    while True:
        pass

def cleaning(*_, **__):
    os.write(2, b"cleaning\\n")
    time.sleep(60)

Session.rows = telling
where = sys.argv.pop(1)
if where == "reading":
    load.stage_file = reading
else:
    load._APPEND = Step("log", "Never ends.", ENDLESS)
if where == "cleaning":
    Loads.fail = cleaning
sys.exit(main())
"""
"""The command line with a load that never ends: in a statement, in Python, or in a clean-up that takes its time."""


@pytest.fixture
def slow(onramp, people):
    """slow(where) → a process that is inside."""
    started = []

    def starting(where):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, where, "ingest", people, "--source", "CRM", "--auto", "--json"],
            cwd=ROOT, env={**os.environ, "ONRAMP_HOME": str(onramp.home)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        assert process.stderr.readline() == b"inside\n"
        return process

    yield starting
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("where", ["statement", "reading"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_command_ends_at_once_in_one_document_and_keeps_nothing(onramp, slow, where, number, code):
    """Also in the middle of a statement, which Python cannot see into: it would end after some centuries."""
    before = onramp.json("digest")
    process = slow(where)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == code
    assert json.loads(out)["error"]["code"] == "stopped"
    assert err.decode().splitlines() == [json.loads(out)["error"]["message"], json.loads(out)["error"]["hint"]]
    assert onramp.json("digest") == before
    (upload,) = onramp.json("history")
    assert (upload["status"], upload["badges"]) == ("Failed", ["Cancelled"])


def test_the_second_signal_ends_the_command_where_it_stands(onramp, slow, people):
    process = slow("cleaning")
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline() == b"cleaning\n"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    (upload,) = onramp.json("history")
    assert (upload["status"], upload["error"]["code"]) == ("Failed", "interrupted")
    assert onramp.load(people, "--auto")["stored"] == 3


def test_a_signal_that_is_ignored_where_the_command_was_started_stays_ignored(onramp, people):
    """As with nohup, and as a shell starts what runs in the background."""
    ignoring = (
        "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from ingest_core.cli.signals import Signals\n"
        "with Signals() as signals: os.kill(os.getpid(), signal.SIGINT); print(signals.received)"
    )
    done = subprocess.run([sys.executable, "-c", ignoring], cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"None\n")


def test_signals_are_as_they_were_after_a_command(onramp):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    onramp.json("digest")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert not [thread for thread in threading.enumerate() if thread.name == "onramp-signals"]
