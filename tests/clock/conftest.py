"""A wall clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]


class Wall:
    """What the machine says the time is; it stands still between steps."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self, zone=None) -> datetime:
        return self.moment.astimezone(zone)

    def step(self, **much: float) -> None:
        self.moment += timedelta(**much)


@pytest.fixture
def wall(monkeypatch) -> Wall:
    """The one clock of the product reads this one."""
    wall = Wall()
    monkeypatch.setattr("ingest_core.clock.datetime", wall)
    return wall
