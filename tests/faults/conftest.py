"""Commands in processes of their own, so that they can die."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.onramp import Onramp

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Died:
    """How a process ended: ``code`` is negative for a signal, ``peak`` its memory in bytes."""

    code: int
    out: str
    err: str
    peak: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Processes:
    """Runs each command in a process of its own."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, home: Path, *arguments: object, fault: str | None = None, file_size: int | None = None, **settings: object
    ) -> Died:
        """One ``--json`` command; ``fault`` is an abort point, ``settings`` are settings of the workspace."""
        environment = {f"ONRAMP_{name.upper()}": str(value) for name, value in settings.items()}
        request = {
            "arguments": ["--json", "--home", str(home), *map(str, arguments)],
            "environment": environment | ({"ONRAMP_FAULT": fault} if fault else {}),
            "file_size": file_size,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Died(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        self._server.communicate(timeout=30)


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


@pytest.fixture(scope="session")
def loaded_home(tmp_path_factory) -> Path:
    """A workspace with a few people in it, to be copied: two with secondary identifiers only, who can be joined."""
    folder = tmp_path_factory.mktemp("loaded")
    onramp = Onramp(folder / "home")
    for source in ("CRM", "Shop"):
        onramp.json("source", "add", source)
    file = folder / "first.tsv"
    file.write_text(
        "crmid\temail\tphone\tcity\n"
        "C1\tanna@example.com\t+442079460001\tBonn\n"
        "C2\tben@example.com\t+442079460002\tOslo\n"
        "\tcleo@example.com\t\tRome\n"
        "\t\t+442079460004\tLyon\n"
    )
    assert onramp.load(file, "--auto", "--segment", "create:FIRST")["stored"] == 4
    return onramp.home


@pytest.fixture
def onramp(loaded_home, tmp_path) -> Onramp:
    shutil.copytree(loaded_home, tmp_path / "home")
    return Onramp(tmp_path / "home")
