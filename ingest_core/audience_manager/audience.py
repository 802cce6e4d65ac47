"""The Audience Manager side of a workspace: traits, batches of files, who has which traits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ingest_core.audience_manager.batch_list import (
    Asked,
    BatchDetail,
    BatchSummary,
    batch_detail,
    count_batches,
    list_batches,
)
from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.forgetting import Forgotten, Request, forget, forgotten_ids
from ingest_core.audience_manager.messages import Messages
from ingest_core.audience_manager.observing import Observer
from ingest_core.audience_manager.originals import Originals, give_up
from ingest_core.audience_manager.processing import Batch, BatchOptions
from ingest_core.audience_manager.qualified import Members, Page, Profile, Scope, make_live, members, page_of_members
from ingest_core.audience_manager.receipt_mail import events
from ingest_core.audience_manager.receipts import BatchReport
from ingest_core.audience_manager.refold import refold
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.reports import Reports
from ingest_core.audience_manager.searching import Search
from ingest_core.audience_manager.signal_loads import hand_over
from ingest_core.audience_manager.source_editing import SourceEditing
from ingest_core.audience_manager.state import digest
from ingest_core.audience_manager.trait_editing import TraitEditing
from ingest_core.audience_manager.traits import Traits
from ingest_core.audience_manager.undoing import Action, BatchUndo, BatchUndoing
from ingest_core.catalog import Sources
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, ignore_progress
from ingest_core.errors import InputError, OnrampError
from ingest_core.faults import abort_point
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.outbox import tell
from ingest_core.ledger.uploads import new_request_id
from ingest_core.models import ByteSource, Progress
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, LandingZone


class AudienceManager:
    """Data sources are sources with a DPID; people and traits of files are told by them."""

    def __init__(
        self,
        engine: Engine,
        keyset: Keyset,
        sources: Sources,
        landing: LandingZone,
        pgp_keys: PgpKeys,
        settings: Settings,
        user: str,
    ) -> None:
        self._engine = engine
        self._landing = landing
        self._pgp_keys = pgp_keys
        self._keyset = keyset
        self._sources = sources
        self._user = user
        self.on_signals: Callable[[], None] = lambda: None  # files were left whose signals are to be loaded
        self.traits = Traits(engine, user)
        self.trait_editing = TraitEditing(engine, self.traits, user)
        self.originals = Originals(engine, landing, settings, user)
        self.source_editing = SourceEditing(engine, sources)
        self.reports = Reports(engine, keyset, sources, user)

    def registered(self) -> Registered:
        """The data sources that have a DPID."""
        return Registered.of(self._sources.list())

    def ingest(
        self,
        files: Sequence[ByteSource],
        options: BatchOptions | None = None,
        *,
        is_dry_run: bool = False,
        progress: Progress = ignore_progress,
        also: Callable[[Session, BatchReport], None] = lambda session, report: None,
        user: str | None = None,
    ) -> BatchReport:
        """Processes files as one batch, in one transaction; a file that is refused never stops the others.

        The beta environment is a dry run without any mapping of ids (spec §2). ``also``: what else is written in the
        transaction of what is stored; ``user``: for whom, where it is not the one who works. InputError ``no_file``.
        """
        _refuse_none(files)
        options = options or BatchOptions(now())
        is_tried = options.is_beta or is_dry_run
        keeper = self.originals.keeper(is_on=options.keeps_files and not is_tried)
        handed: list[str] = []
        with self._engine.write, self._messages() as messages, keeper, self._engine.session() as session:
            started_at = now()
            session.run("BEGIN")
            try:
                registered = self.registered()
                observer = Observer(session, self._keyset, registered, options.at, started_at, progress)
                batch = Batch(Runner(session, progress), registered, options, observer, messages, keeper)
                batch.run(files)
                if is_tried:
                    session.run("ROLLBACK")
                    return batch.report
                self._keep(session, batch, observer, started_at, user or self._user, is_told=options.keeps_files)
                handed += hand_over(session, self._landing, registered, batch.number, batch.taken, user or self._user)
                also(session, batch.report)
                abort_point("commit", "before")
                session.run("COMMIT")
                keeper.is_done()
            except BaseException:
                self._take_back(session, handed)
                raise
            abort_point("commit", "after")
        batch.report.steps = batch.steps
        if handed:
            self.on_signals()
        return batch.report

    def _keep(
        self, session: Session, batch: Batch, observer: Observer, started_at: datetime, user: str, *, is_told: bool
    ) -> None:
        """The batch with its receipts, who is to be told of them, and the audit entry."""
        ended_at, report = now(), batch.report
        batch.keep(new_request_id(), user, started_at, ended_at)
        observer.let_go()
        times = (f"{started_at:%Y-%m-%d %H:%M:%S}", f"{ended_at:%Y-%m-%d %H:%M:%S}")
        for event in events(report, self.registered(), times) if is_told else ():
            tell(session, event)
        files = sum(len(receipt.files) for receipt in report.receipts) + len(report.id_sync) + len(report.rejected)
        detail = {"files": files, "rejected": len(report.rejected)}
        write_audit(session, user, "am ingest", str(report.request_id), detail)

    def _messages(self) -> Messages:
        return Messages(self._landing, self._pgp_keys.private)

    def _take_back(self, session: Session, handed: Sequence[str]) -> None:
        """A batch that was not stored leaves nothing, no copy of a file either."""
        _roll_back(session)
        for landing_id in handed:
            self._landing.delete(landing_id)

    def has_batch(self, request_id: str) -> bool:
        """Whether this is the Request ID of a batch."""
        with self._engine.session() as session:
            return bool(session.value("SELECT count(*) FROM am_batch WHERE request_id = ?", [request_id]))

    def undo(self, request_id: str, *, is_preview: bool = False, progress: Progress = ignore_progress) -> BatchUndo:
        """Takes a batch back: all is as if its files had never come. ``BatchUndoing.run`` says what is refused."""
        return self._undoing("undo", request_id, is_preview, progress)

    def redo(self, request_id: str, *, is_preview: bool = False, progress: Progress = ignore_progress) -> BatchUndo:
        """Lets an undone batch count again, at its place among the others."""
        return self._undoing("redo", request_id, is_preview, progress)

    def _undoing(self, action: Action, request_id: str, is_preview: bool, progress: Progress) -> BatchUndo:
        work = BatchUndoing(self._engine, self._user)
        return work.run(request_id, action, self.registered(), is_preview=is_preview, progress=progress)

    def forget(self, dpid: int, identifier: str) -> Forgotten:
        """Erases an id with its traits and mappings, a customer's devices, too; later files are passed over for it.

        InputError ``unknown_data_source``, ``empty_id``.
        """
        registered = self.registered()
        if dpid not in registered.sources and not is_device(dpid):
            raise InputError(
                f"There is no data source with the DPID {dpid}. Nothing was changed.",
                code="unknown_data_source",
                hint="See: source list",
            )
        if not identifier:
            raise InputError("The id is empty. Nothing was changed.", code="empty_id", hint="Name the id to forget.")
        with self._engine.write, self._messages() as messages:
            with self._engine.session() as session, session.transaction():
                done = forget(Runner(session), registered, Request(dpid, identifier, now(), self._user))
                holders = Search(self._landing, messages, registered, forgotten_ids(session)).holders(session)
                give_up(session, list(holders))
                done = done.model_copy(update={"files": len(holders)})
                detail = done.model_dump()
                write_audit(session, self._user, "am forget", str(dpid), detail)
                abort_point("commit", "before")
            abort_point("commit", "after")
            for landing_id in holders.values():
                self._landing.delete(landing_id)
        return done

    def refold(self, runner: Runner) -> None:
        """Computes all folds again from the log, inside the caller's transaction."""
        refold(runner, self.registered())

    def digest(self) -> dict[str, Any]:
        """{digest, qualifications, profiles, mappings, links, addresses} of the state; equal states, equal digests."""
        with self._engine.session() as session:
            return digest(session)

    def members(self, at: datetime | None = None, scope: Scope = "profile_only") -> dict[Profile, dict[int, datetime]]:
        """(dpid, id) → trait → when it was realised, of everybody who has a trait at a moment (UTC, naive; now)."""
        with self._engine.session() as session:
            make_live(session, self.registered(), at or now(), scope)
            return members(session)

    def page_of_members(self, page: Page, at: datetime | None = None, scope: Scope = "profile_only") -> Members:
        """Who has which traits at a moment (UTC, naive; now), a page of them; the memory of many more is not needed."""
        with self._engine.session() as session:
            make_live(session, self.registered(), at or now(), scope)
            return page_of_members(session, page)

    def receipts(self, asked: Asked | None = None, *, limit: int = 100, offset: int = 0) -> list[BatchSummary]:
        """Batches with their receipts, the newest first."""
        with self._engine.session() as session:
            return list_batches(session, asked or Asked(), limit, offset)

    def count_receipts(self, asked: Asked | None = None) -> int:
        """How many batches there are."""
        with self._engine.session() as session:
            return count_batches(session, asked or Asked())

    def receipt(self, request_id: str) -> BatchDetail:
        """One batch with everything that is known of it. InputError ``no_such_batch``."""
        with self._engine.session() as session:
            return batch_detail(session, request_id)

    def batches(self, limit: int = 100) -> list[dict[str, Any]]:
        """Receipts of the newest batches: {request_id, at, uploaded_by, undone_at, dpid, target, counts}."""
        with self._engine.session() as session:
            return session.records(_RECEIPTS, [limit])


_RECEIPTS = """
SELECT request_id, counts_at AS "at", uploaded_by, undone_at, receipt.dpid, receipt.target, receipt.counts
FROM am_receipt AS receipt JOIN am_batch USING (batch_no)
ORDER BY batch_no DESC, receipt.dpid, receipt.target LIMIT ?
"""


def _refuse_none(files: Sequence[ByteSource]) -> None:
    if not files:
        raise InputError("No file was given. Nothing was changed.", code="no_file", hint="Name one or more files.")


def _roll_back(session: Session) -> None:
    try:
        session.run("ROLLBACK")
    except OnrampError:
        return  # the transaction ended already, or the engine did
