"""A process that looks after arrivals until nothing is under way, for tests that kill it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest_core import clock
from ingest_core.workspace import Workspace
from tests.arrivals.conftest import arrivals_of
from tests.arrivals.shelf import Shelf
from tests.clock.conftest import Wall


def main(home: str, folder: str, moment: str) -> None:
    """Ten turns, a quarter of a minute apart."""
    wall = Wall()
    wall.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    clock.datetime = wall  # the one clock of the product
    with Workspace.open(Path(home)) as workspace:
        arrivals = arrivals_of(workspace, Shelf(Path(folder)))
        for _ in range(10):
            arrivals.watch.turn(lambda: False)
            workspace.jobs.run_waiting()
            wall.moment += timedelta(seconds=15)
    print(wall.moment.replace(tzinfo=None).isoformat())


if __name__ == "__main__":
    main(*sys.argv[1:])
