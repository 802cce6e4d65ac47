"""Hours of faults: collected only when they are asked for, by ``make soak`` or ``pytest -m soak``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import can_trace, processes

__all__ = ["can_trace", "processes"]  # fixtures

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves the file out."""
    return None if "soak" in config.option.markexpr else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks everything in this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.soak)
