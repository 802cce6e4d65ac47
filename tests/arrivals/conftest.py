"""Arrivals over a folder, on a clock that a test moves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_core.arrivals.arrivals import Arrivals
from ingest_core.arrivals.schedule import Arrival, Rules, Schedule
from ingest_core.clock import now
from ingest_core.models import Source
from ingest_core.workspace import Workspace
from tests.arrivals.shelf import Shelf
from tests.clock.conftest import Wall, wall
from tests.servers.fixtures import _s3, certificate, ftps_server, s3_server, ssh_server
from tests.transport.conftest import site_of
from tests.workspaces import Kernel, home, kernel, mapping_of, template, workspace

__all__ = [
    "Wall",
    "_s3",
    "certificate",
    "ftps_server",
    "home",
    "kernel",
    "s3_server",
    "site_of",
    "ssh_server",
    "template",
    "wall",
    "workspace",
]

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def people(*ids: str, city: str = "Pune") -> str:
    return "crmid\temail\tcity\n" + "".join(f"{one}\t{one.lower()}@example.in\t{city}\n" for one in ids)


def arrivals_of(workspace: Workspace, shelf: Shelf) -> Arrivals:
    """The service as the workspace makes it, over a place of the test's."""
    return Arrivals(
        workspace.engine, workspace.settings, workspace.sources, workspace.mappings, workspace.landing, workspace.jobs,
        workspace.audience, workspace.pgp_keys, shelf, workspace.user,
    )  # fmt: skip


@dataclass
class Night:
    """A workspace, a place, a clock: what a schedule needs."""

    kernel: Kernel
    shelf: Shelf
    wall: Wall
    arrivals: Arrivals
    source: Source

    def schedule(self, **rules: object) -> Schedule:
        given = {"place": "shelf", "every_seconds": 900, "pattern": "*.tsv", **rules}
        return self.arrivals.add(self.source, Rules.model_validate(given))

    def lay(self, name: str, *ids: str, city: str = "Pune") -> Path:
        return self.shelf.lay(name, people(*(ids or (Path(name).stem,)), city=city), now())

    def turn(self, **later: float) -> float:
        """The clock moves, then the round has a turn."""
        self.wall.step(**later)
        return self.arrivals.watch.turn(lambda: False)

    def pass_by(self, minutes: float = 20, *, load: bool = True) -> None:
        """So much time goes by; turns are taken as their round asks for them, and uploads loaded."""
        end = now().timestamp() + minutes * 60
        while True:
            rest = self.turn()
            if load and self.kernel.workspace.jobs.run_waiting():
                continue
            left = end - now().timestamp()
            if left <= 0:
                return
            self.wall.step(seconds=min(max(rest, 1.0), left))

    def states(self) -> dict[str, str]:
        """File → the state of its newest arrival."""
        return {arrival.file: arrival.state for arrival in self.log()}

    def log(self) -> list[Arrival]:
        """Oldest first."""
        return self.arrivals.log()[::-1]

    def history(self) -> list[str]:
        """Files of uploads in the order in which they were made."""
        return [receipt.file for receipt in self.kernel.workspace.history.list()][::-1]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return Shelf(folder)


@pytest.fixture
def night(kernel: Kernel, shelf: Shelf, wall: Wall) -> Night:
    source = kernel.source()
    kernel.workspace.mappings.save(source, mapping_of(COLUMNS))
    return Night(kernel, shelf, wall, arrivals_of(kernel.workspace, shelf), source)
