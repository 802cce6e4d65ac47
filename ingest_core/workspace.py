"""Opens a workspace (one folder that holds everything of one installation) and hands out its services."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path

from ingest_core.arrivals.arrivals import Arrivals
from ingest_core.arrivals.doors import WorkspaceDoors
from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.audience_manager.data_tables import DataTables
from ingest_core.audience_manager.http_syncs import HttpSyncs
from ingest_core.audience_manager.outbound.errands import NAME as EXPORTS
from ingest_core.audience_manager.outbound.outbound import Outbound
from ingest_core.audience_manager.outbound.runs import Runs
from ingest_core.audience_manager.preflights import Preflights
from ingest_core.audience_manager.received import ReceivedFiles
from ingest_core.audience_manager.receiving import Receiving
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.sending import Sending
from ingest_core.catalog import Attributes, Drafts, Mappings, Sources
from ingest_core.catalog.destinations import Destinations
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.deliveries.deliveries import Deliveries
from ingest_core.deliveries.round import NAME as DELIVERIES
from ingest_core.deliveries.round import DeliveryRound
from ingest_core.engine import Engine
from ingest_core.engine.lock import WorkspaceLock
from ingest_core.engine.migrate import migrate
from ingest_core.engine.steps import Runner
from ingest_core.explore.explore import Explore
from ingest_core.faults import abort_point
from ingest_core.jobs.fixes import Fixes
from ingest_core.jobs.inbox import Inbox
from ingest_core.jobs.jobs import Jobs
from ingest_core.jobs.loads import Loads
from ingest_core.jobs.rounds import Rounds
from ingest_core.jobs.sample_data import load_sample_data
from ingest_core.jobs.signal_uploads import NAME as SIGNALS
from ingest_core.jobs.signal_uploads import SignalUploads
from ingest_core.jobs.sweep import collect, sweep
from ingest_core.ledger.digest import digest
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.history import History
from ingest_core.ledger.rebuild import LIVE, rebuild_folds
from ingest_core.ledger.rules_of import rules_of
from ingest_core.models import Receipt
from ingest_core.notices.notices import Notices
from ingest_core.operations.configure import Configuration
from ingest_core.operations.operations import Operations
from ingest_core.overview.attribute_facts import AttributeFacts
from ingest_core.people.erasure import Erasure
from ingest_core.people.people import People
from ingest_core.plan.load import Loader
from ingest_core.plan.planning import Planner
from ingest_core.plan.undo import Undo
from ingest_core.segments.macros import Macros
from ingest_core.segments.segments import Segments
from ingest_core.settings import Settings, load_settings
from ingest_core.vault import Keyset, LandingZone, load_keyset
from ingest_core.vault.keys import make_check, verify_check


def default_user() -> str:
    """Who works: ``ONRAMP_USER``, else the system's user."""
    try:
        return os.environ.get("ONRAMP_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def home_given(home: Path | None = None) -> Path:
    """The folder of a workspace: the one that is named, else ``ONRAMP_HOME``, else ./workspace."""
    return (home or Path(os.environ.get("ONRAMP_HOME") or "workspace")).absolute()


class Workspace:
    """The services of one workspace; one process at a time holds it. Close it, or use it as a context manager."""

    rounds: Rounds
    notices: Notices
    receiving: Receiving

    def __init__(
        self,
        home: Path,
        settings: Settings,
        engine: Engine,
        keyset: Keyset,
        lock: WorkspaceLock,
        user: str,
        worker: str,
        within: Workspace | None = None,
    ) -> None:
        self.home = home
        self.settings = settings
        self.engine = engine
        self.user = user
        self._lock = lock
        self._worker = worker
        self._within = within
        self._keyset = keyset
        self.landing = LandingZone(home / "landing", keyset)
        self.inbox = Inbox(home, settings, self.landing)
        self.sources = Sources(engine, user)
        self.tables = DataTables(lambda: Registered.of(self.sources.list()))
        self.attributes = Attributes(engine, user)
        self.mappings = Mappings(engine, user)
        self.drafts = Drafts(engine, keyset, user)
        self.segments = Segments(engine, keyset, user)
        self.history = History(engine, keyset)
        self.profiles = People(engine, keyset, settings, self.attributes, user)
        self.explore = Explore(
            engine, keyset, settings, self.attributes, self.segments, self.sources, self.drafts, self.landing, user,
            self.tables,
        )  # fmt: skip
        self.attribute_facts = AttributeFacts(engine, self.attributes, self.sources, self.mappings, self.segments)
        self._load_with(worker, within)
        if within is not None:
            self._share_with(within)

    def seen_by(self, user: str) -> Workspace:
        """This open workspace for somebody who works in it by commands: what is done is written down under this name.

        Queue and rounds are those that run. It is open as long as this one is; closing it does nothing.
        """
        return Workspace(self.home, self.settings, self.engine, self._keyset, self._lock, user, self._worker, self)

    def _share_with(self, within: Workspace) -> None:
        """What services keep in memory is one thing, whoever looks."""
        self.rounds.share(within.rounds)
        self.notices, self.receiving = within.notices, within.receiving
        self.outbound.errands = within.outbound.errands
        self.arrivals.watch = within.arrivals.watch  # one turn at a time, whoever asks for it
        self.explore.share(within.explore)
        self.operations.share(within.operations)

    def _load_with(self, worker: str, within: Workspace | None) -> None:
        """The services that plan, load, undo and look after what was loaded."""
        engine, keyset, settings, user, home = self.engine, self._keyset, self.settings, self.user, self.home
        self.macros = Macros(engine, keyset, self.profiles, user)
        self.planner = Planner(engine, settings, self.attributes, self.mappings, user, self.tables)
        self.inspect, self.suggest, self.plan = self.planner.inspect, self.planner.suggest, self.planner.plan
        by, at_work = (worker, {}) if within is None else ("command", within.loads.at_work)
        self.loads: Loads = Loads(engine, self.planner, Loader(engine, keyset, settings), by, at_work)
        self.undo = Undo(engine, settings, self.attributes, user)
        self.erasure = Erasure(engine, keyset, settings, self.attributes, self.profiles, user)
        self.configuration = Configuration(home, engine, keyset, settings, self.attributes, user)
        self.operations = Operations(home, engine, keyset, settings, self.landing, self.drafts, user, worker)
        self.jobs: Jobs = Jobs(engine, self.sources, self.landing, self.loads) if within is None else within.jobs
        self.fixes = Fixes(
            engine, self.history, self.sources, self.mappings, self.drafts, self.landing, self.loads, self.jobs, user
        )
        self.pgp_keys = PgpKeys(engine, keyset, user)
        self.audience = AudienceManager(engine, keyset, self.sources, self.landing, self.pgp_keys, settings, user)
        self._move_files(within)

    def _move_files(self, within: Workspace | None) -> None:
        """The services that fetch, deliver and tell, each with a round of its own."""
        self.notices = Notices(self.engine, self.configuration, self.settings, self._progress)
        self.destinations = Destinations(self.home, self.engine, self._keyset, self.user)
        zone = LandingZone(self.home / "exports", self._keyset)
        runs = Runs(self.engine, zone, self.destinations) if within is None else within.outbound.runs
        self.outbound: Outbound = Outbound(self.engine, self._keyset, runs, self.pgp_keys, self.audience, self.user)
        self.received = ReceivedFiles(self.engine, self.landing, self.user)
        self.receiving = Receiving(self.engine, self.received, self.audience)
        self.arrivals = Arrivals(
            self.engine, self.settings, self.sources, self.mappings, self.landing, self.jobs, self.audience,
            self.pgp_keys, WorkspaceDoors(self.destinations, self.inbox), self.user,
        )  # fmt: skip
        self.deliveries = Deliveries(
            self.home,
            self.engine,
            self._keyset,
            self.history,
            self.destinations,
            self.pgp_keys,
            self.user,
            self.notices.tell,
        )
        sending = Sending(self.engine, self.deliveries, self.user)
        self.preflights = Preflights(self.engine, self.landing, self.received, self.outbound, sending)
        self.signal_uploads = SignalUploads(self.engine, self.sources, self.landing, self.jobs)
        self.http_syncs = HttpSyncs(self.engine, self.settings, self.audience)
        self.rounds = Rounds(
            [self.notices, self.arrivals.watch, self.receiving, self.signal_uploads, self.http_syncs,
             DeliveryRound(self.deliveries), self.outbound.errands]
        )  # fmt: skip
        self.audience.on_signals = lambda: self.rounds.wake(SIGNALS)
        self.deliveries.on_ordered = lambda: self.rounds.wake(DELIVERIES)
        self.outbound.errands.on_asked = lambda: self.rounds.wake(EXPORTS)

    def _progress(self, request_id: str) -> dict[str, object] | None:
        """How far an upload of this process is, as a notice tells it."""
        found = self.jobs.progress(request_id)
        return None if found is None else {"phase": found.phase, **found.counts}

    def start_work(self, on_broken: Callable[[], None] = lambda: None) -> None:
        """Loads what waits and does what comes again, in threads of this process; a second call does nothing."""
        self.jobs.start_worker(on_broken)
        self.rounds.start()

    def work_off(self, on_broken: Callable[[], None] = lambda: None) -> None:
        """As ``start_work``, but only what is due now, round after round; the worker thread ends by itself then."""
        self.jobs.start_worker(on_broken, lambda: not self.rounds.once())

    def stop_work(self) -> bool:
        """Ends these threads; False when one of them is at work still: the process should leave."""
        has_ended = self.rounds.stop()
        return self.jobs.stop_worker() and has_ended

    def trouble(self) -> dict[str, str]:
        """What cannot go on at the moment → the code of why: the queue, and rounds by their names."""
        queue = {} if self.jobs.trouble is None else {"queue": self.jobs.trouble}
        return queue | self.rounds.trouble()

    @classmethod
    def open(cls, home: Path | None = None, *, user: str | None = None, worker: str = "command") -> Workspace:
        """Opens the folder (``ONRAMP_HOME``, else ./workspace), making it when missing.

        Raises StateError ``workspace_locked`` naming the PID, ConfigError ``wrong_keys`` / ``keys_missing``.
        """
        home = home_given(home)
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = load_settings(home)
        lock = WorkspaceLock(home, worker)
        engine = None
        try:
            database = home / "onramp.duckdb"
            keyset = load_keyset(home, may_create=not database.exists())
            abort_point("open", "before")
            engine = Engine(
                database,
                home / "tmp",
                memory_limit=settings.memory_limit,
                threads=settings.threads,
                temp_limit=settings.temp_limit,
            )
            migrate(engine)
            _check_keys(engine, keyset)
            workspace = cls(home, settings, engine, keyset, lock, user or default_user(), worker)
            workspace.attributes.create_built_in()
            workspace.configuration.listen()
            abort_point("open", "after")
            sweep(engine)
            collect(engine, workspace.landing, workspace.drafts)
            workspace.deliveries.take_up()
            workspace.outbound.runs.take_up()
            workspace.outbound.errands.take_up()
        except BaseException:
            if engine is not None:
                engine.close()  # or the next try in this process would find the file open
            lock.release()
            raise
        return workspace

    def load_sample_data(self) -> list[Receipt]:
        """Two sources, a mapping and three uploads of invented people; a second call loads nothing twice."""
        return load_sample_data(self.sources, self.attributes, self.loads)

    def digest(self) -> dict[str, object]:
        """{digest, profiles, memberships}: equal states have equal digests, in any workspace."""
        with self.engine.session() as session:
            return digest(session, self._keyset, Fields.of(self.attributes.list()))

    def rebuild(self) -> dict[str, object]:
        """Recomputes all folds from the log in one transaction; returns the digest afterwards and the steps."""
        fields = Fields.of(self.attributes.list())
        with self.engine.write, self.engine.session() as session, session.transaction():
            session.run(LIVE)
            runner = Runner(session)
            rebuild_folds(runner, fields, rules_of(session, fields), self.settings.shared_limit)
            self.audience.refold(runner)
            abort_point("commit", "before")
        abort_point("commit", "after")
        return {
            **self.digest(),
            "audience": self.audience.digest(),
            "steps": [report.model_dump() for report in runner.reports],
        }

    def close(self) -> None:
        """Stops the worker, closes the database, lets other processes in."""
        if self._within is not None:
            return
        self.stop_work()
        self.operations.chores.wait(30)
        self.explore.close()
        self.engine.close()
        self._lock.release()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _check_keys(engine: Engine, keyset: Keyset) -> None:
    """A wrong key refuses to start; it never encrypts with a new one."""
    with engine.session() as session:
        check = session.value("SELECT value FROM meta WHERE key = 'key_check'")
        if check is None:
            session.run("INSERT INTO meta VALUES ('key_check', ?)", [make_check(keyset)])
        else:
            verify_check(keyset, check)
