"""The kernel's fixtures, and one stage for all tests that only place people on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.segments.stage import Stage
from tests.workspaces import Kernel, Workspace, home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]


@pytest.fixture(scope="session")
def stage(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One workspace: each test puts its people into a transaction that is rolled back."""
    folder = tmp_path_factory.mktemp("stage")
    (folder / "files").mkdir()
    with Workspace.open(Path(shutil.copytree(template, folder / "home")), user="asha") as workspace:
        yield Stage(Kernel(workspace, folder / "files"))
