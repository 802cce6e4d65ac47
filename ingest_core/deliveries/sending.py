"""Takes a delivery to its destination: the file first, the control file last, then it is confirmed.

What may be heard wrongly is asked again: a place that has the very bytes already takes nothing twice, and other bytes
never get the same name. So a process that ends anywhere here leaves a delivery that the next one finishes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ingest_core.clock import now
from ingest_core.deliveries import records
from ingest_core.deliveries.contents import IsEnding
from ingest_core.deliveries.order import Delivery
from ingest_core.deliveries.preparing import Preparing
from ingest_core.deliveries.telling import failed_event
from ingest_core.engine import Engine, Session
from ingest_core.errors import DeliveryError, InputError, OnrampError, StateError, Stopped
from ingest_core.faults import abort_point
from ingest_core.files.in_memory import InMemory
from ingest_core.jobs.loads import fault_of_ours
from ingest_core.ledger.outbox import Event
from ingest_core.transport.control_file import SentFile, control_file
from ingest_core.transport.port import Place
from ingest_core.vault import LandingZone

FIRST_WAIT = 30.0
LONGEST_WAIT = 3_600.0
MOST_ATTEMPTS = 8
"""Attempts of one delivery by itself, over about three hours; then a person has to look."""


class Connecting(Protocol):
    """What is asked of the destinations."""

    def connect(self, key: int | str, /) -> Place:
        """The place, connected; a context manager."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends the deliveries of one workspace. ``tell`` puts a notice into the outbox for each that fails."""

    engine: Engine
    zone: LandingZone
    preparing: Preparing
    destinations: Connecting
    tell: Callable[[Session, Event], object]

    def attempt(self, claimed: Delivery, is_ending: IsEnding = lambda: False) -> None:
        """One attempt at a delivery that is running; it is delivered, failed or waiting afterwards."""
        number = claimed.delivery_no
        try:
            ready = self._ready(claimed, is_ending)
            location = self._leave(ready, is_ending) if ready.file is not None else None
            abort_point("confirm", "before")
            with self.engine.queue, self.engine.session() as session, session.transaction():
                records.confirm(session, ready, location)
            abort_point("confirm", "after")
            if ready.landing is not None:
                self.zone.delete(ready.landing)
        except (Stopped, KeyboardInterrupt) as stopped:
            with self.engine.queue, self.engine.session() as session:
                records.wait(session, number, None, 0)
            if isinstance(stopped, KeyboardInterrupt):
                raise
        except DeliveryError as error:
            self._put_off(claimed, error)
        except OnrampError as error:
            self._fail(number, error)
        except Exception as error:  # noqa: BLE001  a library's: the next delivery is sent whatever it was
            self._fail(number, fault_of_ours(error))

    def _ready(self, claimed: Delivery, is_ending: IsEnding) -> Delivery:
        """The delivery with its bytes, made now unless they are there from an earlier attempt."""
        with self.engine.session() as session:
            is_outdated = records.is_outdated(session, claimed)
        is_there = claimed.prepared_at is not None and (claimed.file is None or claimed.landing in self.zone.ids())
        if claimed.tried_at is not None and (is_outdated or not is_there):
            raise StateError(
                "The file cannot be sent any more as it was made: a person in it was erased since, or it is gone.",
                code="outdated",
                hint="Deliver it again: a new file is made under a new name.",
            )
        if is_outdated or not is_there:
            self.preparing.prepare(claimed, is_ending)
        with self.engine.session() as session:
            return records.get(session, claimed.delivery_id)

    def _leave(self, ready: Delivery, is_ending: IsEnding) -> str:
        assert ready.file is not None
        assert ready.landing is not None

        def told(_: int) -> None:
            if is_ending():
                raise Stopped

        with self.destinations.connect(ready.order.destination_id or ready.order.destination) as place:
            if ready.tried_at is None:
                with self.engine.queue, self.engine.session() as session:
                    records.change(session, ready.delivery_no, {"tried_at": now()})
            abort_point("deliver", "before")
            stored = place.put(ready.file, self.zone.open(ready.landing), told)
            if ready.control_file is not None:
                place.put(ready.control_file, _control(ready), told)
        abort_point("deliver", "after")
        return stored.location

    def _put_off(self, claimed: Delivery, error: DeliveryError) -> None:
        if not error.is_retryable or claimed.attempts >= MOST_ATTEMPTS:
            self._fail(claimed.delivery_no, error)
            return
        seconds = min(FIRST_WAIT * 2 ** (claimed.attempts - 1), LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311
        with self.engine.queue, self.engine.session() as session:
            records.wait(session, claimed.delivery_no, error.as_dict(), seconds)

    def _fail(self, number: int, error: OnrampError) -> None:
        with self.engine.queue, self.engine.session() as session, session.transaction():
            records.fail(session, number, error.as_dict())
            failed = records.deliveries(session, "delivery_no = ?", [number])[0]
            if isinstance(error, InputError) and error.code == "personal_reason":
                order = failed.order.model_copy(update={"reason": None})
                records.change(session, number, {"content": order.model_dump_json()})
            self.tell(session, failed_event(failed))


def _control(ready: Delivery) -> InMemory:
    """The same bytes at each attempt."""
    file = str(ready.file)
    sent = SentFile(file, ready.bytes or 0, ready.lines or 0, ready.md5 or "")
    return InMemory(str(ready.control_file), control_file(file.removesuffix(".gz"), [sent]))
