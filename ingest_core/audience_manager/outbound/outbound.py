"""What leaves: orders and their exports, builds, and the runs of both, in one place for command line and screens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingest_core.audience_manager.outbound.builds import Builds
from ingest_core.audience_manager.outbound.exports import Exports
from ingest_core.audience_manager.outbound.orders import Orders
from ingest_core.audience_manager.outbound.runs import Connecting, Runs
from ingest_core.audience_manager.outbound.segments import TraitSegments
from ingest_core.audience_manager.registered import Registered
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.engine import Engine
from ingest_core.vault import Keyset, LandingZone


class Outbound:
    """The outgoing side of Audience Manager of one workspace."""

    def __init__(
        self, home: Path, engine: Engine, keyset: Keyset, destinations: Connecting, pgp_keys: PgpKeys,
        registered: Callable[[], Registered], user: str,
    ) -> None:  # fmt: skip
        zone = LandingZone(home / "exports", keyset)
        self.segments = TraitSegments(engine, user)
        self.runs = Runs(engine, zone, destinations)
        self.orders = Orders(engine, user, self.runs.forget)
        self.exports = Exports(engine, zone, self.orders, self.runs, registered)
        self.builds = Builds(engine, keyset, zone, self.runs, pgp_keys, registered, user)
        _sweep(self.runs, zone)


def _sweep(runs: Runs, zone: LandingZone) -> None:
    """At opening: files of runs that were never kept, or have arrived, go."""
    if found := zone.ids():
        needed = {file.landing for run in runs.prepared() for file in run.files}
        for landing in found:
            if landing not in needed:
                zone.delete(landing)
