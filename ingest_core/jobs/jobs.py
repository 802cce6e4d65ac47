"""The queue: uploads wait in the workspace, one worker thread of the server process loads them in order.

What is waiting is in the database (status Scheduled, its landing file kept); what is in memory is only progress.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ingest_core.catalog import Sources
from ingest_core.engine import Engine
from ingest_core.engine.session import Row
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import Held, OnrampError, StateError, Stopped
from ingest_core.jobs.loads import Loads, fault_of, register
from ingest_core.jobs.running import Health, JobProgress, Phase, Running
from ingest_core.jobs.sweep import sweep
from ingest_core.jobs.waiting import Queued, ahead_of, next_due, queued
from ingest_core.ledger import uploads
from ingest_core.models import Mapping, Options, Progress, Receipt, Source
from ingest_core.plan.plan import Plan
from ingest_core.vault import LandingZone

__all__ = ["Health", "JobProgress", "Jobs", "Phase", "sweep"]

_LOOK_SECONDS = 0.1
_LOG = logging.getLogger("onramp.jobs")


class Jobs:
    """Submits, watches and stops uploads; owns the worker thread."""

    def __init__(self, engine: Engine, sources: Sources, landing: LandingZone, loads: Loads) -> None:
        self._engine = engine
        self._sources = sources
        self._landing = landing
        self._loads = loads
        self._wake = threading.Event()
        self._is_closing = False
        self._thread: threading.Thread | None = None
        self._running: Running | None = None
        self.trouble: str | None = None  # the code of what keeps the queue from going on
        self.ended: Counter[str] = Counter()  # what became of the uploads that the queue of this process ran
        self._untold: dict[str, tuple[OnrampError, str | None, bool]] = {}  # ends that could not be written yet

    def submit(
        self,
        landing_id: str,
        source: Source,
        mapping: Mapping | None,
        options: Options,
        *,
        overrides: dict[str, Any] | None = None,
        idempotency_key: str,
        user: str | None = None,
        is_auto: bool = False,
    ) -> str:
        """Queues a received file; returns its Request ID. The same key twice is one upload.

        ``mapping`` and ``is_auto`` as ``Planner.plan`` takes them.
        """
        options = options.model_copy(update={"idempotency_key": idempotency_key})
        if known := self._known(options):
            return known
        try:
            file = self._landing.open(landing_id)
            plan = self._loads.planner.plan(
                file, source, mapping, options, is_auto=is_auto, overrides=overrides, user=user
            )
        except OnrampError:
            if known := self._known(options):  # the other click was faster, and its upload may have ended already
                return known
            raise
        with self._engine.queue:
            if known := self._known(options):
                return known
            request_id = uploads.new_request_id()
            with self._engine.session() as session, session.transaction():
                register(session, plan, request_id, landing=landing_id, overrides=dict(overrides or {}))
        self._wake.set()
        return request_id

    def _known(self, options: Options) -> str | None:
        found = self._loads.find_key(options)
        return None if found is None else found.request_id

    def schedule(self, plan: Plan, overrides: dict[str, Any]) -> Receipt:
        """Queues a planned file for its time: the bytes are copied into the landing zone first."""
        writer = self._landing.create(plan.file.name, plan.file.size)
        try:
            with plan.file.open() as stream:
                while chunk := stream.read(1 << 20):
                    writer.write(chunk)
            landing_id = writer.finish()
            request_id = uploads.new_request_id()
            with self._engine.queue, self._engine.session() as session, session.transaction():
                register(session, plan, request_id, landing=landing_id, overrides=overrides)
        except BaseException:
            self._landing.delete(writer.landing_id)
            raise
        with self._engine.session() as session:
            return uploads.receipts(session, "request_id = ?", [request_id])[0]

    def start_worker(
        self, on_broken: Callable[[], None] = lambda: None, until: Callable[[], bool] | None = None
    ) -> None:
        """Starts the one worker thread; it takes up again what a crash interrupted.

        ``on_broken`` is called once by the thread when the engine has stopped for good: the process should leave.
        With ``until`` the thread ends by itself: when nothing is due, or the queue cannot go on, and it returns True.
        """
        if self._thread is not None and self._thread.is_alive():
            if not self._is_closing:
                return
            self._thread.join()
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, args=[on_broken, until], name="onramp-worker", daemon=True)
        self._thread.start()

    def stop_worker(self, seconds: float = 30) -> bool:
        """Ends the thread; an upload under way is interrupted and waits for the next start.

        False when the thread did not end in so many seconds: it is at work still, and the process should leave.
        """
        self._is_closing = True
        self._wake.set()
        end = time.monotonic() + seconds
        while self._thread is not None and self._thread.is_alive():
            running = self._running
            if running is not None:
                running.stop()
            self._engine.stop_compacting()
            self._thread.join(timeout=0.1)
            if self._thread.is_alive() and time.monotonic() > end:
                return False
        self._thread = None
        return True

    def health(self) -> Health:
        """Whether uploads are loaded at all, asked of the thread and of the engine."""
        try:
            self._engine.check()
        except OnrampError as error:
            return Health(self._is_working(), is_engine_fine=False, problem=error.code)
        return Health(self._is_working(), is_engine_fine=True)

    def has_ended(self, seconds: float) -> bool:
        """Waits for the worker thread, at most so long; whether there is none any more."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self._is_working()

    def _is_working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def progress(self, request_id: str) -> JobProgress | None:
        """Progress of the upload under way, None when it is not the one."""
        running = self._at_work(request_id)
        return None if running is None else running.progress()

    def queued(self) -> list[Queued]:
        """What has not ended, in the order in which it is loaded, with the progress of what runs in this process."""
        with self._engine.session() as session:
            found = queued(session)
        return [replace(one, progress=self.progress(one.request_id)) for one in found]

    def let_pass(self, source: Source, progress: Progress = ignore_progress) -> None:
        """Waits until those uploads of a source have ended that are due already; where no worker runs, loads them.

        For who loads a file at once: a later file never overtakes an earlier one.
        """
        while True:
            with self._engine.session() as session:
                ahead = ahead_of(session, source.source_id)
            if not ahead:
                return
            progress("waiting", 0, None)
            if self._is_working():
                self._wake.set()
                time.sleep(_LOOK_SECONDS)
            else:
                self._run(ahead[0])

    def _at_work(self, request_id: str) -> Running | None:
        running = self._running
        if running is not None and running.request_id == request_id:
            return running
        return self._loads.at_work.get(request_id)

    def stop(self, request_id: str) -> bool:
        """Stops an upload that waits or runs; nothing of it is kept. False when it had ended already.

        One that runs is interrupted also in the middle of a statement; only a commit that has begun is not.
        """
        running = self._at_work(request_id)
        if running is not None:
            running.stop(is_cancelled=True)
            return True
        with self._engine.queue, self._engine.session() as session, session.transaction():
            waiting = session.row(
                "SELECT landing FROM upload WHERE request_id = ? AND status = 'Scheduled'", [request_id]
            )
            if waiting is None:
                return False
            uploads.fail(session, request_id, Stopped().as_dict(), is_cancelled=True)
        if waiting[0] is not None:
            self._landing.delete(waiting[0])
        return True

    def await_end(self, request_id: str) -> None:
        """Until an upload that was told to stop is at work no longer in this process."""
        while self._at_work(request_id) is not None:
            time.sleep(_LOOK_SECONDS)

    def approve(self, request_id: str, user: str) -> bool:
        """Lets an upload that waits for a person load as it is; False when it does not wait (any more)."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            is_approved = uploads.approve(session, request_id, user)
        self._wake.set()
        return is_approved

    def run_waiting(self) -> int:
        """Loads everything that is due, in this thread; returns how many uploads ended."""
        ended = 0
        while not self._is_closing:
            request_id = self._next()
            if request_id is None:
                return ended
            self._run(request_id)
            ended += 1
        return ended

    def _work(self, on_broken: Callable[[], None], until: Callable[[], bool] | None) -> None:
        while not self._is_closing:
            ended = self._look()
            if self._engine.is_broken:
                on_broken()
                return
            if until is None:
                self._wake.wait(timeout=1.0)
                self._wake.clear()
            elif until() and not ended:
                return

    def _look(self) -> int:
        """Loads what is due; returns how many uploads ended."""
        try:
            self._tidy()
            ended = self.run_waiting()
        except BaseException as error:  # noqa: BLE001  such as a full disk: tried again, the worker goes on
            kind = error.code if isinstance(error, OnrampError) else type(error).__name__
            if kind != self.trouble:
                _LOG.warning("The queue cannot go on (%s). It is tried again every second.", kind)
            self.trouble = kind
            return 0
        self.trouble = None
        return ended

    def _next(self) -> str | None:
        with self._engine.session() as session:
            return next_due(session)

    def _run(self, request_id: str) -> None:
        running = self._running = Running(request_id, self._engine)
        try:
            claimed = self._claim(request_id)
            if claimed is not None:
                _LOG.info("Upload %s begins.", request_id)
                self._load_to_an_end(running, claimed)
                self._note(request_id)
        finally:
            self._running = None
        self._forget_ended()
        if not self._is_closing:
            self._loads.tidy()

    def _note(self, request_id: str) -> None:
        with self._engine.session() as session:
            found = session.row("SELECT status, stored, rejected FROM upload WHERE request_id = ?", [request_id])
        status, stored, rejected = found or ("gone", 0, 0)
        self.ended[status] += 1
        if status == "Scheduled":
            _LOG.info("Upload %s waits.", request_id)
        else:
            _LOG.info(
                "Upload %s: %s, %d people stored, %d rows rejected.", request_id, status, stored or 0, rejected or 0
            )

    def _load_to_an_end(self, running: Running, claimed: Row) -> None:
        request_id, landing_id = running.request_id, claimed[0]
        try:
            self._load(running, *claimed)
        except Stopped as stopped:
            if running.is_cancelled or not self._is_closing:
                self._end(request_id, stopped, landing_id, is_cancelled=True)
            else:
                self._wait_again(request_id)
        except Held as held:
            with self._engine.queue, self._engine.session() as session, session.transaction():
                uploads.hold(session, request_id, held.as_dict())
        except OnrampError as error:
            self._end(request_id, error, landing_id)
        except KeyboardInterrupt:
            self._wait_again(request_id)
            raise
        except BaseException as error:  # noqa: BLE001  a library's panic, too: the next upload is loaded whatever it was
            self._end(request_id, fault_of(error), landing_id)

    def _load(
        self,
        running: Running,
        landing: str,
        sha256: str,
        source_id: int,
        version: int,
        options: str,
        layout: str,
        user: str,
    ) -> None:
        running.tell("receive", 0, None)
        source = self._sources.get(source_id)
        mapping = self._loads.planner.mappings.version(source, version)
        chosen = Options.model_validate_json(options)
        overrides = json.loads(layout).get("overrides")
        plan = self._loads.planner.plan(
            self._landing.open(landing), source, mapping, chosen, overrides=overrides, user=user, progress=running.tell
        )
        if plan.facts.sha256 != sha256:
            raise StateError(
                "The received file is not complete any more. Nothing was loaded.",
                code="landing_damaged",
                hint="Send the file again.",
            )
        running.counts["lines_in_file"] = plan.facts.physical_lines - max(plan.dialect.header_line, 0)
        # The writers' lock first: who waits for it with a session would keep the database from being rewritten.
        with self._engine.write, self._engine.session() as session, running.working_in(session):
            self._loads.loader.load(plan, running.request_id, running.tell, session, running.counts)

    def _claim(self, request_id: str) -> Row | None:
        """Scheduled → In Progress before the file is touched, so that a file that kills is counted.

        None when somebody stopped it in the meantime.
        """
        with self._engine.queue, self._engine.session() as session, session.transaction():
            uploads.claim(session, request_id, self._loads.worker)
            return session.row(
                "SELECT landing, sha256, source_id, mapping_version, options, dialect, uploaded_by FROM upload "
                "WHERE request_id = ? AND status = 'In Progress'",
                [request_id],
            )

    def _end(self, request_id: str, error: OnrampError, landing_id: str | None, *, is_cancelled: bool = False) -> None:
        """Writes the end state and forgets the original; where that fails, it is remembered and done later."""
        self._untold[request_id] = (error, landing_id, is_cancelled)
        self._tell_ends()

    def _tell_ends(self) -> None:
        for request_id, (error, landing_id, is_cancelled) in list(self._untold.items()):
            with self._engine.queue, self._engine.session() as session, session.transaction():
                uploads.fail(session, request_id, error.as_dict(), is_cancelled=is_cancelled)
            if landing_id is not None:
                self._landing.delete(landing_id)
            del self._untold[request_id]

    def _wait_again(self, request_id: str) -> None:
        with self._engine.queue, self._engine.session() as session:
            session.run(
                "UPDATE upload SET status = 'Scheduled', started_at = NULL, worker = NULL WHERE request_id = ? "
                "AND status = 'In Progress'",
                [request_id],
            )

    def _forget_ended(self) -> None:
        """The original is kept until an end state, not longer; also where its process was killed in between."""
        with self._engine.session() as session:
            left = session.rows(
                "SELECT request_id, landing FROM upload WHERE landing IS NOT NULL AND status IN ('Completed', 'Failed')"
            )
        for request_id, landing_id in left:
            self._landing.delete(landing_id)
            with self._engine.queue, self._engine.session() as session:
                session.run("UPDATE upload SET landing = NULL WHERE request_id = ?", [request_id])

    def _tidy(self) -> None:
        """What could not be written when it happened: end states, originals, uploads that a page left under way."""
        self._tell_ends()
        self._forget_ended()
        if not self._engine.write.acquire(blocking=False):
            return  # somebody loads
        try:
            sweep(self._engine)
        finally:
            self._engine.write.release()
