"""Maintenance: retention, values that nobody holds, and a database file without what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_core.catalog import Drafts
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.jobs.inbox import inbox_folder, tidy
from ingest_core.jobs.sweep import collect
from ingest_core.ledger.audit import write_audit
from ingest_core.operations.retention import Keep, retain
from ingest_core.operations.rewrite import refuse_app, rewrite
from ingest_core.operations.standing import fields_of
from ingest_core.operations.steps import step
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, LandingZone
from ingest_core.vault.upkeep import drop_dead_pages, find_dead, keep_living, touched_batches


@dataclass(frozen=True)
class Maintenance:
    """Puts one workspace in order. Only for the process that has it for itself."""

    home: Path
    engine: Engine
    keyset: Keyset
    settings: Settings
    landing: LandingZone
    drafts: Drafts
    user: str
    worker: str

    def run(self, keep_days: int | None = None) -> dict[str, Any]:
        """{removed: {...}, bytes_before, bytes_after}; the database is closed afterwards: close the workspace.

        ``keep_days`` stands for this run in the place of all retention settings. StateError ``app_serves``,
        ``copy_differs``. A kill leaves the workspace as it was or with a part of the work done; run it again.
        """
        refuse_app(self.worker, "Maintenance")
        before = self._bytes()
        with self.engine.write:
            with self.engine.session() as session:
                with step("maintain retention"):
                    removed = self._retain(session, Keep.of(self.settings, keep_days))
                removed["received_files"] = collect(self.engine, self.landing, self.drafts)
                removed["inbox_files"] = self._tidy_inbox(keep_days)
                removed["values"] = self._drop_values(session)
            rewrite(self.engine, self.home, "maintain")
        return {"removed": removed, "bytes_before": before, "bytes_after": self._bytes()}

    def _retain(self, session: Session, keep: Keep) -> dict[str, int]:
        with session.transaction():
            removed = retain(session, keep, now())
            write_audit(session, self.user, "maintain", "", removed)
        return removed

    def _tidy_inbox(self, keep_days: int | None) -> int:
        days = self.settings.inbox_keep_days if keep_days is None else keep_days
        return tidy(inbox_folder(self.home, self.settings), days)

    def _drop_values(self, session: Session) -> int:
        columns = {a.attribute_id: a.column for a in fields_of(session).attributes if a.pii}
        dead = find_dead(session, columns)
        with step("maintain vault"), session.transaction():
            drop_dead_pages(session)
        for attribute_id, batch in touched_batches(session, columns):
            with step("maintain vault"):
                keep_living(session, self.keyset, attribute_id, batch)
        return dead

    def _bytes(self) -> int:
        return sum(path.stat().st_size for path in self.home.rglob("*") if path.is_file())
