"""What leaves: orders and their exports, builds, and the runs of both, in one place for command line and screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.audience_manager.outbound.approvals import Approvals
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.build_editing import BuildEditing
from ingest_core.audience_manager.outbound.builds import Builds
from ingest_core.audience_manager.outbound.errands import Errands
from ingest_core.audience_manager.outbound.exports import Exports
from ingest_core.audience_manager.outbound.orders import Orders
from ingest_core.audience_manager.outbound.runs import Run, Runs
from ingest_core.audience_manager.outbound.segment_counts import SegmentCounts
from ingest_core.audience_manager.outbound.segments import TraitSegments
from ingest_core.audience_manager.preflight import NO_KEYS, Preflight, preflight
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.engine.steps import ignore_progress
from ingest_core.files.in_memory import InMemory
from ingest_core.models import ByteSource, Progress
from ingest_core.vault import Keyset


class Outbound:
    """The outgoing side of Audience Manager of one workspace."""

    def __init__(
        self, engine: Engine, keyset: Keyset, runs: Runs, pgp_keys: PgpKeys, audience: AudienceManager, user: str
    ) -> None:
        self.runs = runs
        self.segments = TraitSegments(engine, user)
        self.orders = Orders(engine, user, runs)
        self.segment_counts = SegmentCounts(engine, self.orders, runs, audience.registered)
        self.exports = Exports(engine, self.orders, runs, audience.registered)
        self.builds = Builds(engine, keyset, runs, pgp_keys, audience.registered, user)
        self.approvals = Approvals(engine, runs.alone)
        self.errands = Errands(engine, runs, {"export": self._export, "build": self._build})
        self.editing = BuildEditing(engine, keyset, pgp_keys, audience.registered)
        self._engine = engine
        self._audience = audience

    def preflight(
        self, files: Sequence[ByteSource], at: datetime | None = None, *, keys: Mapping[str, str] = NO_KEYS,
        progress: Progress = ignore_progress,
    ) -> Preflight:  # fmt: skip
        """What would become of files if they were sent now; as ``preflight.preflight``."""
        return preflight(self._engine, self._audience, files, at or now(), keys=keys, progress=progress)

    def preflight_build(self, build: Build, *, is_full: bool = False) -> Preflight | None:
        """What would become of the next run of a build; None where it is too large to be tried in memory.

        Raises as ``builds.preview``.
        """
        tried = self.builds.tried(build, is_full=is_full)
        if tried is None:
            return None
        files = [InMemory(file.name.rpartition("/")[2], file.open().read()) for file in tried]
        keys = {file.name.rpartition("/")[2]: file.name for file in tried if "/" in file.name}
        return self.preflight(files, keys=keys)

    def _export(self, definition: str, wanted: Mapping[str, Any], user: str, progress: Progress) -> Run:
        """The maker of exports. ``wanted``: {mode}."""
        return self.exports.run(definition, wanted.get("mode", "iter"), user=user, progress=progress)

    def _build(self, definition: str, wanted: Mapping[str, Any], user: str, progress: Progress) -> Run:
        """The maker of builds. ``wanted``: {name, full, after}, or {approve, note, content}."""
        if run_id := wanted.get("approve"):
            note, content = wanted.get("note", ""), wanted.get("content")
            return self.builds.approve(run_id, user, note=note, content=content, progress=progress)
        is_full, after = bool(wanted.get("full")), wanted.get("after")
        return self.builds.run(wanted["name"], is_full=is_full, after=after, user=user, progress=progress)
