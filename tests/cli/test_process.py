"""As a process: pipes that close, streams that cannot, another process that holds the workspace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
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
        assert error["facts"] == {"pid": holder.pid, "holder": "app"}
        assert f"PID {holder.pid}" in error["message"]
    finally:
        holder.send_signal(signal.SIGKILL)  # the kernel gives the lock back, however the holder ends
        holder.communicate()
    assert onramp.load(people, "--auto")["stored"] == 3


def test_an_interrupted_command_answers_in_one_document_and_keeps_nothing(onramp, tmp_path):
    big = tmp_path / "big.tsv"
    with big.open("w") as file:
        file.write("crmid\temail\n")
        file.writelines(f"C{n}\tperson{n}@example.com\n" for n in range(300_000))
    before = onramp.json("digest")
    process = start(onramp.home, "ingest", big, "--source", "CRM", "--auto", "--json")
    deadline = time.monotonic() + 30
    while not (onramp.home / "lock").read_text().startswith(f"{process.pid} ") and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "stopped"
    assert b"Traceback" not in err
    assert onramp.json("digest") == before
    assert [upload["badges"] for upload in onramp.json("history")] in ([], [["Cancelled"]])
