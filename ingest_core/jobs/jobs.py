"""The queue: uploads wait in the workspace, one worker thread of the server process loads them in order.

What is waiting is in the database (status Scheduled, its landing file kept); what is in memory is only progress.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ingest_core.catalog import Sources
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import Held, InputError, OnrampError, StateError, Stopped
from ingest_core.jobs.loads import Loads, fault_of_ours, register
from ingest_core.ledger import uploads
from ingest_core.models import Mapping, Options, Receipt, Source
from ingest_core.plan.plan import Plan
from ingest_core.vault import LandingZone


@dataclass
class Phase:
    """One named piece of work: seconds it took so far."""

    name: str
    begun: float
    seconds: float = 0.0
    is_done: bool = False


@dataclass
class JobProgress:
    """How far an upload is: ``done`` of ``total`` bytes while reading, then step by step; rows counted so far."""

    request_id: str
    phase: str = "waiting"
    done: int = 0
    total: int | None = None
    seconds: float = 0.0
    phases: tuple[Phase, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class _Running:
    """The upload under way."""

    request_id: str
    begun: float = field(default_factory=time.monotonic)
    progress: JobProgress = field(default_factory=lambda: JobProgress(""))
    phases: list[Phase] = field(default_factory=list)
    is_stopping: bool = False
    is_cancelled: bool = False  # by a person; else the worker stops and the upload waits again
    session: Session | None = None
    counts: dict[str, int] = field(default_factory=dict)  # filled by the load

    def tell(self, phase: str, done: int, total: int | None) -> None:
        """The progress callback of the load; raises ``Stopped`` once a person asked to stop."""
        if self.is_stopping:
            raise Stopped
        at = time.monotonic()
        if not self.phases or self.phases[-1].name != phase:
            if self.phases:
                self.phases[-1].is_done = True
                self.phases[-1].seconds = at - self.phases[-1].begun
            self.phases.append(Phase(phase, at))
        self.phases[-1].seconds = at - self.phases[-1].begun
        self.progress = JobProgress(self.request_id, phase, done, total, at - self.begun)


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
        self._running: _Running | None = None

    def submit(
        self,
        landing_id: str,
        source: Source,
        mapping: Mapping,
        options: Options,
        *,
        overrides: dict[str, Any] | None = None,
        idempotency_key: str,
        user: str | None = None,
    ) -> str:
        """Queues a received file; returns its Request ID. The same key twice is one upload."""
        options = options.model_copy(update={"idempotency_key": idempotency_key})
        if known := self._known(options):
            return known
        try:
            file = self._landing.open(landing_id)
            plan = self._loads.planner.plan(file, source, mapping, options, overrides=overrides, user=user)
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

    def start_worker(self) -> None:
        """Starts the one worker thread; uploads that a crash interrupted are loaded again from their landing files."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="onramp-worker", daemon=True)
        self._thread.start()

    def stop_worker(self) -> None:
        """Ends the thread; an upload under way is interrupted and will start again at the next opening."""
        self._is_closing = True
        running = self._running
        if running is not None:
            running.is_stopping = True
            session = running.session
            if session is not None:
                session.interrupt()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
            self._thread = None

    def progress(self, request_id: str) -> JobProgress | None:
        """Progress of the upload under way, None when it is not the one."""
        running = self._running
        if running is None or running.request_id != request_id:
            return None
        return replace(
            running.progress, request_id=request_id, phases=tuple(running.phases), counts=dict(running.counts)
        )

    def stop(self, request_id: str) -> bool:
        """Stops an upload that waits or runs; nothing of it is kept. False when it had ended already."""
        running = self._running
        if running is not None and running.request_id == request_id:
            running.is_cancelled = running.is_stopping = True
            session = running.session
            if session is not None:
                session.interrupt()
            return True
        with self._engine.queue:
            with self._engine.session() as session:
                waiting = session.row(
                    "SELECT landing FROM upload WHERE request_id = ? AND status = 'Scheduled'", [request_id]
                )
            if waiting is None:
                return False
            self._end(request_id, Stopped(), is_cancelled=True)
        if waiting[0] is not None:
            self._landing.delete(waiting[0])
        return True

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

    def _work(self) -> None:
        while not self._is_closing:
            try:
                self._tidy()
                self.run_waiting()
            except OnrampError:
                pass  # such as a full disk: tried again, the worker goes on
            self._wake.wait(timeout=1.0)
            self._wake.clear()

    def _next(self) -> str | None:
        with self._engine.session() as session:
            value = session.value(
                "SELECT request_id FROM upload WHERE status = 'Scheduled' AND landing IS NOT NULL AND held IS NULL "
                "AND coalesce(scheduled_for, created_at) <= ? ORDER BY coalesce(scheduled_for, created_at), created_at",
                [now()],
            )
        return None if value is None else str(value)

    def _run(self, request_id: str) -> None:
        running = _Running(request_id)
        self._running = running
        landing_id = None
        try:
            with self._engine.session() as session:
                row = session.row(
                    "SELECT landing, sha256, source_id, mapping_version, options, dialect, uploaded_by FROM upload "
                    "WHERE request_id = ?",
                    [request_id],
                )
            if row is None:
                return
            landing_id = row[0]
            self._load(running, *row)
        except Stopped as stopped:
            if running.is_cancelled or not self._is_closing:
                self._end(request_id, stopped, is_cancelled=True)
            else:
                landing_id = None
                self._wait_again(request_id)
        except Held as held:
            landing_id = None  # the original is kept until an end state
            with self._engine.queue, self._engine.session() as session:
                uploads.hold(session, request_id, held.as_dict())
        except OnrampError as error:
            self._end(request_id, error)
        except Exception as error:  # noqa: BLE001  the next upload is loaded whatever was wrong with this one
            self._end(request_id, fault_of_ours(error))
        finally:
            self._running = None
            if landing_id is not None:
                self._forget(request_id, landing_id)
            if not self._is_closing:
                self._loads.tidy()

    def _load(
        self,
        running: _Running,
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
        if not self._claim(running.request_id):
            return
        with self._engine.session() as session:
            running.session = session
            try:
                self._loads.loader.load(plan, running.request_id, running.tell, session, running.counts)
            finally:
                running.session = None

    def _claim(self, request_id: str) -> bool:
        """Scheduled → In Progress; False when somebody stopped it in the meantime."""
        with self._engine.queue, self._engine.session() as session:
            claimed = session.run(
                "UPDATE upload SET status = 'In Progress', started_at = ?, worker = 'app' WHERE request_id = ? "
                "AND status = 'Scheduled'",
                [now(), request_id],
            )
        return bool(claimed)

    def _end(self, request_id: str, error: OnrampError, *, is_cancelled: bool = False) -> None:
        self._loads.fail(request_id, error, is_cancelled=is_cancelled)

    def _wait_again(self, request_id: str) -> None:
        with self._engine.queue, self._engine.session() as session:
            session.run(
                "UPDATE upload SET status = 'Scheduled', started_at = NULL, worker = NULL WHERE request_id = ? "
                "AND status = 'In Progress'",
                [request_id],
            )

    def _forget(self, request_id: str, landing_id: str) -> None:
        """The original is kept until an end state, not longer."""
        with self._engine.session() as session:
            ended = session.value(
                "SELECT 1 FROM upload WHERE request_id = ? AND status IN ('Completed', 'Failed')", [request_id]
            )
        if ended is not None:
            self._landing.delete(landing_id)
            with self._engine.queue, self._engine.session() as session:
                session.run("UPDATE upload SET landing = NULL WHERE request_id = ?", [request_id])

    def _tidy(self) -> None:
        """Originals of uploads that ended just before their process was killed."""
        with self._engine.session() as session:
            left = session.rows(
                "SELECT request_id, landing FROM upload WHERE landing IS NOT NULL AND status IN ('Completed', 'Failed')"
            )
        for request_id, landing_id in left:
            self._forget(request_id, landing_id)


def sweep(engine: Engine) -> None:
    """At opening: what a killed process left In Progress waits again if its file was received, else it failed."""
    interrupted = InputError(
        "The upload was interrupted: the process that ran it ended. Nothing of it was kept.",
        code="interrupted",
        hint="Load the file again.",
    )
    with engine.write, engine.session() as session:
        session.run(
            "UPDATE upload SET status = 'Scheduled', started_at = NULL, worker = NULL "
            "WHERE status = 'In Progress' AND landing IS NOT NULL"
        )
        for (request_id,) in session.rows("SELECT request_id FROM upload WHERE status = 'In Progress'"):
            uploads.fail(session, request_id, interrupted.as_dict())
