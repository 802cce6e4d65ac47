"""Processes that can die, and workspaces for them to die in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.onramp import Onramp
from tests.faults.operations import Ground, loaded
from tests.faults.processes import Processes


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


@pytest.fixture(scope="session")
def loaded_home(tmp_path_factory, processes) -> Path:
    """A workspace with four people in it, to be copied."""
    ground = Ground(tmp_path_factory.mktemp("loaded"), processes)
    loaded(ground)
    return ground.onramp.home


@pytest.fixture
def onramp(loaded_home, tmp_path) -> Onramp:
    shutil.copytree(loaded_home, tmp_path / "home")
    return Onramp(tmp_path / "home")


@pytest.fixture(scope="session")
def can_trace(processes, tmp_path_factory) -> None:
    """Skips where system calls cannot be made to fail."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    traced = processes.ask(
        arguments=["--home", str(tmp_path_factory.mktemp("traced")), "digest"], strace=["-e", "trace=openat"]
    )
    if not traced.calls:
        pytest.skip("tracing another process is not permitted here")
