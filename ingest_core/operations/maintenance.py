"""Maintenance: retention, values that nobody holds, and a database file without what was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest_core.audience_manager import originals, sampling, unused
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.retaining import cut, rows_due
from ingest_core.catalog import Drafts, Sources
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, ignore_progress
from ingest_core.jobs.inbox import inbox_folder, taken_before, tidy
from ingest_core.jobs.sweep import collect
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Progress
from ingest_core.operations.retention import Keep, due, retain
from ingest_core.operations.rewrite import rewrite
from ingest_core.operations.standing import fields_of
from ingest_core.operations.steps import step
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, LandingZone
from ingest_core.vault.upkeep import drop_dead_pages, find_dead, keep_living, touched_batches


@dataclass(frozen=True)
class Maintenance:
    """Puts one workspace in order. Beside an app that serves: everybody else waits while the file is rewritten."""

    home: Path
    engine: Engine
    keyset: Keyset
    settings: Settings
    landing: LandingZone
    drafts: Drafts
    user: str
    worker: str

    def run(self, keep_days: int | None = None, progress: Progress = ignore_progress) -> dict[str, Any]:
        """{removed: {...}, bytes_before, bytes_after}.

        ``keep_days`` stands for this run in the place of all retention settings. StateError ``copy_differs``,
        ``in_use``. A kill leaves the workspace as it was or with a part of the work done; run it again. Received files
        that nothing needs are left to the next opening where an app or worker runs: one may be on its way, unnamed yet.
        """
        before = self._bytes()
        progress("waiting", 0, None)
        with self.engine.write:
            with self.engine.session() as session:
                progress("retention", 0, None)
                with step("maintain retention"):
                    removed = self._retain(session, Keep.of(self.settings, keep_days))
                is_alone = self.worker == "command"
                removed["received_files"] = collect(self.engine, self.landing, self.drafts) if is_alone else 0
                removed["audience_rows"] = self._cut_audience(session, keep_days)
                with step("maintain samples"), session.transaction():
                    removed["audience_samples"] = sampling.let_go(session, now(), self._sample_days(keep_days))
                    unused.let_go(session, now().date())
                removed["audience_files"] = self._let_files_go(session, keep_days)
                removed["inbox_files"] = self._tidy_inbox(keep_days)
                progress("values", 0, None)
                removed["values"] = self._drop_values(session)
            progress("rewrite", 0, None)
            rewrite(self.engine, self.home, "maintain")
        return {"removed": removed, "bytes_before": before, "bytes_after": self._bytes()}

    def due(self, keep_days: int | None = None) -> dict[str, int]:
        """What ``run`` would remove for its age now: {drafts, uploads, log_rows, rejected_rows, audience_rows,
        audience_samples, audience_files, inbox_files}.
        """
        with self.engine.session() as session:
            counts = due(session, Keep.of(self.settings, keep_days), now())
            before = self._before(self.settings.audience_keep_days, keep_days)
            counts["audience_rows"] = 0 if before is None else rows_due(session, before)
            counts["audience_samples"] = sampling.due(session, now(), self._sample_days(keep_days))
            files_before = self._before(self.settings.audience_files_keep_days, keep_days)
            counts["audience_files"] = 0 if files_before is None else originals.due(session, files_before)
        return counts | {"inbox_files": len(taken_before(*self._inbox(keep_days)))}

    def last(self) -> datetime | None:
        """When the workspace was put in order last (UTC); None when never."""
        with self.engine.session() as session:
            return session.value("SELECT max(happened_at) FROM audit WHERE action = 'maintain'")  # type: ignore[no-any-return]

    def _retain(self, session: Session, keep: Keep) -> dict[str, int]:
        with session.transaction():
            removed = retain(session, keep, now())
            write_audit(session, self.user, "maintain", "", removed)
        return removed

    def _cut_audience(self, session: Session, keep_days: int | None) -> int:
        before = self._before(self.settings.audience_keep_days, keep_days)
        if before is None:
            return 0
        registered = Registered.of(Sources(self.engine, self.user).list(include_archived=True))
        with step("maintain audience"), session.transaction():
            return cut(Runner(session), registered, before, now())

    def _let_files_go(self, session: Session, keep_days: int | None) -> int:
        """Files of Audience Manager as they came: first nothing names them, then they are deleted."""
        before = self._before(self.settings.audience_files_keep_days, keep_days)
        if before is None:
            return 0
        with step("maintain files"), session.transaction():
            gone = originals.let_go(session, before)
        for landing_id in gone:
            self.landing.delete(landing_id)
        return len(gone)

    @staticmethod
    def _before(setting: int | None, keep_days: int | None) -> datetime | None:
        days = setting if keep_days is None else keep_days
        return None if days is None else now() - timedelta(days=days)

    def _sample_days(self, keep_days: int | None) -> int:
        """Sampled lines are personal: they never stay longer than their days, nor than other rejected rows."""
        asked = self.settings.reject_keep_days if keep_days is None else keep_days
        return sampling.KEPT_DAYS if asked is None else min(asked, sampling.KEPT_DAYS)

    def _tidy_inbox(self, keep_days: int | None) -> int:
        return tidy(*self._inbox(keep_days))

    def _inbox(self, keep_days: int | None) -> tuple[Path, int | None]:
        days = self.settings.inbox_keep_days if keep_days is None else keep_days
        return inbox_folder(self.home, self.settings), days

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
