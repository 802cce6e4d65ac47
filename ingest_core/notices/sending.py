"""Sends what waits in the outbox: claimed first, sent, noted. Killed anywhere, it is sent again under the same id.

So a recipient gets every notice at least once, and twice only where a confirmation was lost: then with the same
Message-ID (the webhook: with the same ``Onramp-Event``), by which the other side can tell.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import ConfigError, DeliveryError, OnrampError
from ingest_core.faults import abort_point
from ingest_core.notices import messages
from ingest_core.notices.messages import Record
from ingest_core.notices.model import LONGEST_PAUSE, Channel, pause
from ingest_core.operations.configure import Configuration
from ingest_core.settings import Settings

_LOG = logging.getLogger("onramp.notices")

REST = timedelta(seconds=30)
"""After a failure that is the server's and not the message's, nothing else is tried there for so long."""

_NEXT = """
SELECT notice.*, channel, recipient, since, attempts FROM notice_sending JOIN notice USING (notice_id)
WHERE state = 'waiting' AND channel NOT IN (SELECT unnest(?::VARCHAR[])) AND (next_try <= ? OR next_try > ?)
ORDER BY next_try, happened_at, notice_id, recipient LIMIT 1"""
"""Due, or so far in the future that the clock must have been set back."""

_ONE = "notice_id = ? AND channel = ? AND recipient IS NOT DISTINCT FROM ?"
# A wrong password or certificate is the installation's, not the message's: once mended, what waited goes out.
_SERVER_TROUBLE = ("mail_unreachable", "mail_login_refused", "mail_not_secure", "webhook_unreachable")


class Outbox:
    """The sending side of the outbox; one thread at a time sends."""

    def __init__(self, engine: Engine, configuration: Configuration, settings: Settings) -> None:
        self._engine = engine
        self._configuration = configuration
        self._settings = settings
        self._turn = threading.Lock()
        self._rests: dict[Channel, datetime] = {}

    def send_due(self, is_ending: Callable[[], bool]) -> int:
        """Sends everything that is due; returns how many confirmations came. Somebody else sending: 0."""
        if not self._turn.acquire(blocking=False):
            return 0
        try:
            self._keep_what_nobody_sends()
            confirmed = 0
            while not is_ending() and (record := self._claim()) is not None:
                confirmed += self._attempt(record)
            return confirmed
        finally:
            self._turn.release()

    def wake(self) -> None:
        """A person wants it tried now, whatever was the matter."""
        self._rests.clear()

    def seconds_until_due(self) -> float | None:
        """Until the next one is due; None when nothing waits."""
        with self._engine.session() as session:
            first = session.value("SELECT min(next_try) FROM notice_sending WHERE state = 'waiting'")
        return None if first is None else max((first - now()).total_seconds(), 0.0)

    def _keep_what_nobody_sends(self) -> None:
        """Without a server, what waits is kept until a person says that it shall go out."""
        kept = self._settings
        missing: list[Channel] = [] if kept.mail_host and kept.mail_sender else ["mail"]
        missing += [] if kept.webhook_url and kept.webhook_secret else ["webhook"]
        with self._engine.session() as session:
            is_there = session.row(
                "SELECT 1 FROM notice_sending WHERE state = 'waiting' AND channel IN (SELECT unnest(?::VARCHAR[]))",
                [missing],
            )
        if is_there:
            with self._engine.queue, self._engine.session() as session, session.transaction():
                session.run(
                    "UPDATE notice_sending SET state = 'kept', next_try = NULL "
                    "WHERE state = 'waiting' AND channel IN (SELECT unnest(?::VARCHAR[]))",
                    [missing],
                )

    def _claim(self) -> Record | None:
        """The next one with its attempt counted and its next try set, before a byte leaves: killed, it comes again."""
        moment = now()
        resting = [channel for channel, until in self._rests.items() if moment < until <= moment + REST]
        with self._engine.session() as session:
            found = session.records(_NEXT, [resting, moment, moment + 2 * LONGEST_PAUSE])
        if not found:
            return None
        record = found[0]
        abort_point("notice claim", "before")
        with self._engine.queue, self._engine.session() as session, session.transaction():
            self._count(session, record, moment)
        abort_point("notice claim", "after")
        return record

    def _count(self, session: Session, record: Record, moment: datetime) -> None:
        record["attempts"] += 1
        record["next_try"] = moment + pause(record["attempts"], random.random())  # noqa: S311 - spreads load, no secret
        session.run(
            f"UPDATE notice_sending SET attempts = ?, next_try = ? WHERE {_ONE}",
            [record["attempts"], record["next_try"], *_key(record)],
        )
        if record["message_id"] is None and record["channel"] == "mail":
            domain = self._configuration.mail_server().domain
            record["message_id"] = f"<{record['notice_id']}@{domain}>"
            session.run(
                "UPDATE notice SET message_id = ? WHERE notice_id = ? AND message_id IS NULL",
                [record["message_id"], record["notice_id"]],
            )

    def _attempt(self, record: Record) -> bool:
        abort_point("notice send", "before")
        try:
            self._send(record)
        except OnrampError as error:
            if error.code == "fault_injected":
                raise
            self._failed(record, error)
            return False
        except Exception as error:  # noqa: BLE001  a message that a library cannot take stops no other one
            self._failed(record, error)
            return False
        abort_point("notice send", "after")
        self._rests.pop(record["channel"], None)
        self._note(record, "state = 'sent', sent_at = ?, error = NULL, next_try = NULL", [now()])
        abort_point("notice note", "after")
        return True

    def _send(self, record: Record) -> None:
        base_url = self._settings.base_url
        if record["channel"] == "webhook":
            self._configuration.webhook().post(record["notice_id"], messages.body(record, base_url).encode())
            return
        server = self._configuration.mail_server()
        about = record["request_id"] or record["notice_id"]
        server.send(
            record["recipient"],
            messages.letter(record).subject,
            messages.text(record, base_url),
            html=messages.html(record, base_url),
            message_id=record["message_id"],
            thread=f"<{about}.thread@{record['message_id'].rpartition('@')[2].rstrip('>')}>",
            at=record["happened_at"].replace(tzinfo=UTC),
        )

    def _failed(self, record: Record, error: Exception) -> None:
        code = error.code if isinstance(error, OnrampError) else type(error).__name__
        channel: Channel = record["channel"]
        is_servers = isinstance(error, ConfigError) or code in _SERVER_TROUBLE
        if is_servers:
            self._rests[channel] = now() + REST
        is_late = now() - record["since"] > timedelta(hours=self._settings.notice_retry_hours)
        if is_late or not (is_servers or (isinstance(error, DeliveryError) and error.is_retryable)):
            _LOG.warning("A notice by %s was given up (%s): %s", channel, code, record["notice_id"])
            self._note(record, "state = 'given up', error = ?, next_try = NULL", [code])
        else:
            self._note(record, "error = ?", [code])

    def _note(self, record: Record, what: str, values: list[object]) -> None:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            session.run(f"UPDATE notice_sending SET {what} WHERE {_ONE}", [*values, *_key(record)])


def _key(record: Record) -> list[object]:
    return [record["notice_id"], record["channel"], record["recipient"]]
