"""The examples of docs/arrivals.md do what the page says, one after the other."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

from tests.cli.onramp import Onramp


def commands(text: str) -> list[str]:
    """The lines of all examples, in order."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def test_every_example_runs_and_the_file_of_the_inbox_is_loaded(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").symlink_to(repository / "samples")
    onramp = Onramp(tmp_path / "home")
    environment = {**os.environ, "ONRAMP_HOME": str(onramp.home), "PWD": str(tmp_path)}
    ran = commands((repository / "docs" / "arrivals.md").read_text("utf-8"))
    for line in ran:
        if line.startswith("onramp "):
            done = onramp.run(*shlex.split(line.replace("$PWD", str(tmp_path)))[1:])
            assert done.code == 0, (line, done.err)
        else:
            subprocess.run(["sh", "-c", line], check=True, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    assert len(ran) > 10
    (arrival,) = onramp.json("arrivals")
    assert (arrival["file"], arrival["state"]) == ("customers_20261128.tsv", "loaded")
    assert [one["request_id"] for one in onramp.json("history")] == [arrival["request_id"]]
    assert [path.name for path in (onramp.home / "inbox" / "done").iterdir()] == ["customers_20261128.tsv"]
    first, second, daily = onramp.json("schedule", "list")
    assert (first["is_paused"], second["is_paused"]) == (False, True)
    assert (second["every_seconds"], second["after"], second["threshold_percent"]) == (3600, "leave", 2.5)
    assert (daily["folder"], daily["days_back"]) == ("partner/date=*", 3)
    assert second["notify"] == ["ops@example.com"]
