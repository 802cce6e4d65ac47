"""Who may send a file, and which files are on their way.

A page hands out a ticket: random, for one file, for one draft, for a short time. The upload route turns it into an
arrival, which knows its declared size and can be resumed by its own random id. Nothing is accepted without one.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest_core.errors import InputError, StateError

TICKET_SECONDS = 900
ARRIVAL_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to send one file of at most ``limit`` bytes into one draft. ``session`` is the browser's cookie."""

    token: str
    draft_id: str
    user: str
    session: str
    limit: int
    expires: float


@dataclass(slots=True)
class Arrival:
    """A file on its way. ``size`` is what was declared; ``busy`` guards against two senders at once."""

    arrival_id: str
    draft_id: str
    session: str
    name: str
    size: int
    landing_id: str
    expires: float
    is_complete: bool = False
    busy: threading.Lock = field(default_factory=threading.Lock)


class Arrivals:
    """All open tickets and arrivals of this process. Safe for many threads; needs not survive a restart."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}
        self._arrivals: dict[str, Arrival] = {}

    def issue(self, draft_id: str, user: str, session: str, limit: int) -> str:
        """A new ticket's token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets = {key: kept for key, kept in self._tickets.items() if kept.expires > self._clock()}
            self._tickets[token] = Ticket(token, draft_id, user, session, limit, self._clock() + TICKET_SECONDS)
        return token

    def is_open(self, token: str) -> bool:
        """Whether a ticket can still be used; a page replaces it when not."""
        with self._lock:
            ticket = self._tickets.get(token)
            return ticket is not None and ticket.expires > self._clock() + TICKET_SECONDS / 3

    def redeem(self, token: str, session: str, size: int) -> Ticket:
        """Uses a ticket up. StateError ``no_ticket``; InputError ``file_too_large``, which leaves it usable."""
        with self._lock:
            ticket = self._tickets.get(token)
            if ticket is None or ticket.expires <= self._clock() or not _same(ticket.session, session):
                raise no_ticket()
            if not 0 < size <= ticket.limit:
                raise too_large(ticket.limit) if size > 0 else empty_file()
            del self._tickets[token]
            return ticket

    def begin(self, ticket: Ticket, name: str, size: int, landing_id: str) -> Arrival:
        """Registers the file that a redeemed ticket brings."""
        arrival = Arrival(
            secrets.token_urlsafe(24), ticket.draft_id, ticket.session, name, size, landing_id,
            self._clock() + ARRIVAL_SECONDS,
        )  # fmt: skip
        with self._lock:
            self._arrivals[arrival.arrival_id] = arrival
        return arrival

    def get(self, arrival_id: str, session: str) -> Arrival:
        """An arrival by its id, only for the browser that began it. StateError ``no_ticket``."""
        with self._lock:
            arrival = self._arrivals.get(arrival_id)
        if arrival is None or arrival.expires <= self._clock() or not _same(arrival.session, session):
            raise no_ticket()
        return arrival

    def collect(self, arrival_id: str, draft_id: str) -> Arrival | None:
        """Takes a complete arrival of this draft out; None when there is none, or it was collected before."""
        with self._lock:
            arrival = self._arrivals.get(arrival_id)
            if arrival is None or not arrival.is_complete or arrival.draft_id != draft_id:
                return None
            return self._arrivals.pop(arrival_id)

    def drop(self, arrival_id: str) -> None:
        """Forgets an arrival."""
        with self._lock:
            self._arrivals.pop(arrival_id, None)

    def expired(self) -> list[Arrival]:
        """Takes out all arrivals nobody finished in time, so that their bytes can be deleted."""
        with self._lock:
            late = [arrival for arrival in self._arrivals.values() if arrival.expires <= self._clock()]
            for arrival in late:
                del self._arrivals[arrival.arrival_id]
        return late


ARRIVALS = Arrivals()
"""The one registry of this process, shared by the upload route and the pages."""


def browser_of(cookie: str) -> str:
    """What stays the same in the anti-forgery cookie of one browser.

    Streamlit writes it as ``2|mask|token|time`` with another mask at each visit, so that it differs after every reload
    and every lost connection; the token below the mask does not. Any other cookie stands for itself.
    """
    parts = cookie.split("|")
    try:
        mask, token = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except (IndexError, ValueError):
        return cookie
    if parts[0] != "2" or not mask or not token:
        return cookie
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(token)).hex()


def no_ticket() -> StateError:
    """The answer to a sender without a valid ticket; says nothing about why."""
    return StateError(
        "This upload is not known any more. Nothing was kept.",
        code="no_ticket",
        hint="Reload the page and choose the file again.",
    )


def too_large(limit: int) -> InputError:
    """The answer to a file over the limit."""
    return InputError(
        f"The file is larger than {limit / 1_000_000:,.0f} MB, the limit for files sent by the browser. "
        "Nothing was kept.",
        code="file_too_large",
        hint="Put large files into a folder and load them on the command line, or raise browser_limit_bytes.",
        facts={"limit": limit},
    )


def empty_file() -> InputError:
    """The answer to a file without bytes."""
    return InputError("The file is empty.", code="empty_file", hint="Choose a file that holds rows.")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
