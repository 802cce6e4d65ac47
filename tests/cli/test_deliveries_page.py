"""The examples of docs/deliveries.md do what the page says, one after the other."""

from __future__ import annotations

import json
import re
import shlex
import subprocess

from tests.cli.onramp import Onramp


def commands(text: str) -> list[str]:
    """The lines of all shell examples, in order."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [line for language, block in blocks if not language for line in block.splitlines()]


def test_every_example_runs_and_the_receiver_gets_what_the_page_says(repository, tmp_path, monkeypatch):
    partner = tmp_path / "partner"
    partner.mkdir()
    monkeypatch.chdir(tmp_path)
    onramp = Onramp(tmp_path / "home")
    text = (repository / "docs" / "deliveries.md").read_text("utf-8")
    for line in commands(text):
        command = line.replace("/srv/partner", str(partner))
        if command.startswith("onramp "):
            done = onramp.run(*shlex.split(command)[1:])
            assert done.code == 0, (line, done.err)
        else:
            subprocess.run(["sh", "-c", command], check=True, cwd=tmp_path)
    sent = onramp.json("delivery", "list")
    assert {one["status"] for one in sent} == {"delivered"}
    changed = (partner / sent[0]["file"]).read_text("utf-8")
    assert changed == "change\tcrmid\tcity\nchanged\tC1\tGoa\nadded\tC3\tOslo\n"
    first = sent[-1]
    told = json.loads((partner / first["control_file"]).read_text("utf-8"))
    shown = json.loads(re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)[0])
    assert [[*one] for one in told["Files"]] == [[*one] for one in shown["Files"]]
    assert told["Totals"].keys() == shown["Totals"].keys()
    assert b"ben@" not in (partner / first["file"]).read_bytes()
