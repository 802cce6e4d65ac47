"""What every test gets: a clean environment, markers by folder, and a Chromium where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time; PROPERTY_SEEDED=0 looks for new ones.
settings.register_profile("steady", derandomize=os.environ.get("PROPERTY_SEEDED", "1") == "1", deadline=None)
settings.load_profile("steady")

ROOT = Path(__file__).parent.parent
# A browser has a second try, which the summary names: it shares the machine with a server, and a click can come early.
MARKED_FOLDERS = {
    "browser": (pytest.mark.browser, pytest.mark.flaky(reruns=1)),
    "faults": (pytest.mark.faults,),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a marked folder, so that nobody has to remember to."""
    for item in items:
        relative = item.path.relative_to(ROOT / "tests") if item.path.is_relative_to(ROOT / "tests") else Path()
        for mark in MARKED_FOLDERS.get(relative.parts[0], ()) if relative.parts else ():
            item.add_marker(mark)


@pytest.fixture(autouse=True, scope="session")
def _no_inherited_settings() -> Iterator[None]:
    """No test may touch the workspace or the keys of the person who runs it, whatever the shell has set."""
    inherited = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("ONRAMP_")}
    kept = {name: value for name, value in inherited.items() if name == "ONRAMP_CHROMIUM"}
    os.environ.update(kept)
    yield
    os.environ.update(inherited)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium: ONRAMP_CHROMIUM, the system's, or Playwright's own; skips where there is none."""
    candidates = [os.environ.get("ONRAMP_CHROMIUM")]
    candidates += [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    for candidate in candidates:
        if candidate:
            return candidate
    pytest.importorskip("playwright", reason="Playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if not Path(own).exists():
        pytest.skip("no Chromium on this machine: install one, or set ONRAMP_CHROMIUM to its path")
    return own
