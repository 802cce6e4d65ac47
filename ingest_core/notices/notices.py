"""The notices of a workspace: put into the outbox by whoever has something to tell, sent by a round."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta

from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import OnrampError, StateError
from ingest_core.ledger import outbox, uploads
from ingest_core.ledger.outbox import Event
from ingest_core.notices import listing
from ingest_core.notices.model import Notice, State
from ingest_core.notices.sending import Outbox
from ingest_core.operations.configure import Configuration
from ingest_core.settings import Settings

Progress = Callable[[str], Mapping[str, object] | None]
"""Request ID → how far that upload is, as far as this process knows."""

LOOK_SECONDS = 2.0
"""Between two looks at the outbox and at the uploads under way."""

TIDY_SECONDS = 3_600.0

LAST_SECONDS = 20.0
"""What a command gives its own notices when it is done; what is left then waits for the app or the worker."""

_LONG = """
SELECT request_id FROM upload WHERE status = 'In Progress' AND started_at <= ?
AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.key = concat('upload/', request_id, '/upload_running'))"""


class Notices:
    """Tells, lists, tries again, and sends as a round."""

    name = "notices"

    def __init__(
        self, engine: Engine, configuration: Configuration, settings: Settings, progress: Progress = lambda _: None
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._progress = progress
        self._outbox = Outbox(engine, configuration, settings)
        self._tidied = 0.0

    def tell(self, session: Session, event: Event) -> str | None:
        """Puts a notice into the outbox, inside the caller's transaction; returns its id.

        None where there is nothing to send: it was told already under this key, or nobody listens. Committed with what
        happened or not at all; sending never fails the caller.
        """
        return outbox.tell(session, event)

    def list(
        self, *, state: State | None = None, request_id: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[Notice]:
        """Newest first, without their messages; of one state: those with a recipient in it."""
        with self._engine.session() as session:
            return listing.notices(session, state=state, request_id=request_id, limit=limit, offset=offset)

    def counts(self) -> dict[State, int]:
        """State → how many notices have a recipient in it."""
        with self._engine.session() as session:
            return listing.counts(session)

    def total(self) -> int:
        """How many there are."""
        with self._engine.session() as session:
            return int(session.value("SELECT count(*) FROM notice"))

    def get(self, notice_id: str) -> Notice:
        """One with its messages as they go out. InputError ``no_such_notice``."""
        with self._engine.session() as session:
            return listing.notice(session, notice_id, self._settings.base_url)

    def retry(self, notice_id: str) -> Notice:
        """Lets everybody who did not get it get it now. StateError ``nothing_to_retry``; InputError as ``get``."""
        self.get(notice_id)
        if not self._wait_again("notice_id = ? AND state <> 'sent'", [notice_id]):
            raise StateError(
                "Everybody got this notice already. Nothing was changed.",
                code="nothing_to_retry",
                hint="See who was told: notice show ID",
            )
        return self.get(notice_id)

    def send_kept(self) -> int:
        """Lets what was kept without a server go out; returns to how many recipients."""
        return self._wait_again("state = 'kept'", [])

    def send_now(self, seconds: float = LAST_SECONDS) -> int:
        """Tries everything that waits, whatever its next try; returns how many recipients confirmed."""
        self._wait_again("state = 'waiting'", [])
        return self.send_due(seconds)

    def send_due(self, seconds: float = LAST_SECONDS) -> int:
        """Tries what is due; returns how many recipients confirmed."""
        end = time.monotonic() + seconds
        return self._outbox.send_due(lambda: time.monotonic() > end)

    def turn(self, is_ending: Callable[[], bool]) -> float:
        """One turn of the round: tells of long loads, sends what is due, forgets what is old."""
        self._tell_of_long_loads()
        self._outbox.send_due(is_ending)
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            self._tidied = time.monotonic()
            self.forget_old()
        return LOOK_SECONDS

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """For a command without rounds: sends in a thread meanwhile, and for some seconds after it.

        Whatever happens here is nothing to the command: what could not be sent waits.
        """
        ending = threading.Event()

        def work() -> None:
            while not ending.is_set():
                with suppress(OnrampError):
                    self.turn(ending.is_set)
                ending.wait(LOOK_SECONDS)

        thread = threading.Thread(target=work, name="onramp-notices", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join(LAST_SECONDS)
            with suppress(OnrampError):
                self.send_due()

    def forget_old(self) -> int:
        """Removes notices that everybody got and that are older than the settings keep them; returns how many."""
        days = self._settings.notice_keep_days
        if days is None:
            return 0
        with self._engine.queue, self._engine.session() as session, session.transaction():
            return listing.forget(session, now() - timedelta(days=days))

    def _tell_of_long_loads(self) -> None:
        begun = now() - timedelta(seconds=self._settings.notice_after_seconds)
        with self._engine.session() as session:
            long = session.rows(_LONG, [begun])
        for (request_id,) in long:
            progress = self._progress(request_id)
            with self._engine.queue, self._engine.session() as session, session.transaction():
                uploads.tell_of(session, request_id, "upload_running", more={"progress": progress})

    def _wait_again(self, which: str, values: Sequence[object]) -> int:
        """Has some wait from now on; ``which`` is SQL of ours, its values bound."""
        moment = now()
        with self._engine.queue, self._engine.session() as session, session.transaction():
            changed = session.run(
                f"UPDATE notice_sending SET state = 'waiting', since = ?, next_try = ? WHERE {which}",
                [moment, moment, *values],
            )
        self._outbox.wake()
        return changed or 0
