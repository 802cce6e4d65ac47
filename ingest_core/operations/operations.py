"""What can be done with an open workspace as a whole, in one place for command line and app."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from ingest_core.catalog import Drafts
from ingest_core.engine import Engine
from ingest_core.errors import StateError
from ingest_core.ledger.audit import verify_audit
from ingest_core.operations.backup import Backup
from ingest_core.operations.chores import Chores
from ingest_core.operations.keyring import Keyring
from ingest_core.operations.maintenance import Maintenance
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, LandingZone


class Operations:
    """Backup, maintenance, keys and audit of one workspace. ``worker`` is app or command."""

    def __init__(
        self,
        home: Path,
        engine: Engine,
        keyset: Keyset,
        settings: Settings,
        landing: LandingZone,
        drafts: Drafts,
        user: str,
        worker: str,
    ) -> None:
        self._engine = engine
        self._backup = Backup(home, engine, keyset, landing, drafts)
        self._is_backing_up = threading.Lock()
        self._keyring = Keyring(home, engine, keyset, landing, drafts, user)
        self.check_keys = self._keyring.check
        self.rotate_keys = self._keyring.rotate
        self.maintenance = Maintenance(home, engine, keyset, settings, landing, drafts, user, worker)
        self.maintain = self.maintenance.run
        self.chores = Chores()

    def share(self, other: Operations) -> None:
        """One backup and one chore at a time, whoever begins it."""
        self._is_backing_up, self.chores = other._is_backing_up, other.chores

    @property
    def key_versions(self) -> tuple[int, list[int]]:
        """(the version that new pages are sealed with, all versions that are kept)."""
        return self._keyring.versions

    def backup(self, out: Path, *, with_keys: bool = True, is_quick: bool = False) -> dict[str, Any]:
        """As ``Backup.write``; one at a time. Works beside a running load and holds nobody up.

        StateError ``backup_running``.
        """
        if not self._is_backing_up.acquire(blocking=False):
            raise StateError(
                "A backup of this workspace is being made already. Nothing was written.",
                code="backup_running",
                hint="Wait until it is done.",
            )
        try:
            return self._backup.write(out, with_keys=with_keys, is_quick=is_quick)
        finally:
            self._is_backing_up.release()

    def verify_audit(self) -> dict[str, Any]:
        """{entries} of an audit log that nobody changed. StateError ``audit_changed`` names the first that was."""
        with self._engine.session() as session, session.transaction():
            entries = int(session.value("SELECT count(*) FROM audit"))
            changed = verify_audit(session)
        if changed is not None:
            raise StateError(
                f"The audit log was changed: entry {changed} is not what was written.",
                code="audit_changed",
                hint="Compare it with the log of a backup, and find out who could write to the database file.",
                facts={"entry": changed, "entries": entries},
            )
        return {"entries": entries}
