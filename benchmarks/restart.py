"""How long the first command after a kill takes in a workspace of a million profiles, and that nothing was lost.

python benchmarks/restart.py [--profiles 1000000] [--rows 385000] [--runs 3]

A load is killed where it leaves most behind: while it reads, in its transaction, at moments inside its commit, and
just after it, when all it committed has to be replayed from the write-ahead log. Each kill is of a fresh copy of the
workspace. Seconds are wall-clock: ``opening`` of the workspace alone, ``command`` of a whole process (``history``),
interpreter included; medians, and the longest opening of all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ingest import ROOT, run, sample, store

OPEN = """
import json, sys, time
from pathlib import Path
from ingest_core.workspace import Workspace
begun = time.perf_counter()
workspace = Workspace.open(Path(sys.argv[1]))
opening = time.perf_counter() - begun
with workspace:
    uploads = [upload.status for upload in workspace.history.list()]
    print(json.dumps({"opening": opening, "profiles": workspace.profiles.count(), "newest": uploads[0]}))
"""

FAULTS = ("read:500ms:kill", "profiles:after:kill", "commit:before:kill")
COMMIT_SHARES = (0.1, 0.5, 0.9)
AFTER = "commit:after:kill"


def onramp(home: Path, *arguments: object, fault: str = "") -> subprocess.CompletedProcess[bytes]:
    """One command in a process of its own."""
    command = [sys.executable, "-m", "ingest_core", "--home", str(home), "--json", *map(str, arguments)]
    environment = {**os.environ, "ONRAMP_FAULT": fault}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)


def kill_and_restart(template: Path, load: list[object], fault: str) -> dict[str, Any]:
    """Kills a load of a copy of the workspace, then opens it in one process and, from another copy, in a command."""
    home = template.with_name("copy")
    shutil.copytree(template, home)
    died = onramp(home, "ingest", *load, fault=fault)
    killed = home.with_name("killed")
    shutil.copytree(home, killed)
    left = sum(path.stat().st_size for path in home.glob("onramp.duckdb.wal"))
    result = run(OPEN, home)
    begun = time.perf_counter()
    onramp(killed, "history", "--limit", 1)
    result["command"] = time.perf_counter() - begun
    for folder in (home, killed):
        shutil.rmtree(folder)
    return {**result, "was_killed": died.returncode == -signal.SIGKILL, "log_megabytes": left >> 20}


def commit_milliseconds(template: Path, load: list[object]) -> float:
    """How long the commit takes when nothing disturbs it, up to a tenth: the longest time in which it can be killed."""
    shortest, longest = 0.0, 4000.0
    while longest - shortest > max(1.0, longest / 10):
        middle = (shortest + longest) / 2
        home = template.with_name("tried")
        shutil.copytree(template, home)
        was_killed = onramp(home, "ingest", *load, fault=f"commit:{middle}ms:kill").returncode == -signal.SIGKILL
        shutil.rmtree(home)
        shortest, longest = (middle, longest) if was_killed else (shortest, middle)
    return shortest


def _median(measured: list[dict[str, Any]], what: str) -> float:
    return round(statistics.median(one[what] for one in measured), 2)


def main() -> None:
    """Measures and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=385_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="onramp-restart-") as name:
        folder = Path(name)
        template = folder / "home"
        mapping = store(template, folder, asked.profiles)
        before = run(OPEN, template)["profiles"]
        file = sample(folder / "file.tsv", asked.rows, 2, known=asked.profiles)
        load: list[object] = [file, "--source", "bench", "--mapping", mapping]
        commit = commit_milliseconds(template, load)
        inside = [f"commit:{commit * share:.1f}ms:kill" for share in COMMIT_SHARES]
        result: dict[str, Any] = {"profiles": before, "rows": asked.rows, "commit_milliseconds": round(commit)}
        opened: list[float] = []
        for fault in (*FAULTS, *inside, AFTER):
            measured = [kill_and_restart(template, load, fault) for _ in range(asked.runs)]
            opened += [one["opening"] for one in measured]
            result[fault] = {
                "kills": sum(one["was_killed"] for one in measured),
                "profiles": sorted({one["profiles"] for one in measured}),
                "newest_upload": sorted({one["newest"] for one in measured}),
                "log_megabytes": max(one["log_megabytes"] for one in measured),
                "peak_megabytes": max(one["megabytes"] for one in measured),
                **{what: _median(measured, what) for what in ("opening", "command")},
            }
        result["longest_opening"] = round(max(opened), 2)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
