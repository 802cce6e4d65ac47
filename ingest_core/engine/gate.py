"""Lets sessions into the database, and now and then one thread alone: to put another file in its place."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ingest_core.errors import StateError

PATIENCE = 20.0
"""Seconds that a session waits while somebody has the database alone; a person looks at a page meanwhile."""


class Gate:
    """Counts the sessions of each thread. Who has one gets more of them, or two threads could wait for each other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[int] = Counter()
        self._alone: int | None = None

    def enter(self) -> int:
        """Waits until the database is open to everybody; returns the ticket for ``leave``. StateError ``tidied``."""
        thread = threading.get_ident()
        with self._changed:
            if self._inside[thread] == 0 and not self._changed.wait_for(
                lambda: self._alone in (None, thread), PATIENCE
            ):
                raise StateError(
                    "The database file is being rewritten. Nothing was changed.",
                    code="tidied",
                    hint="Try again in a minute.",
                )
            self._inside[thread] += 1
        return thread

    def leave(self, ticket: int) -> None:
        """A session was closed, by whichever thread."""
        with self._changed:
            self._inside[ticket] -= 1
            if self._inside[ticket] <= 0:
                del self._inside[ticket]
            self._changed.notify_all()

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Waits until no other thread has a session and lets none in until the end. StateError ``in_use``."""
        thread = threading.get_ident()
        with self._changed:
            self._alone = thread
            if not self._changed.wait_for(lambda: not (self._inside.keys() - {thread}), seconds):
                self._alone = None
                self._changed.notify_all()
                raise StateError(
                    "The database is in use all the time. Its file was not rewritten; nothing else was lost.",
                    code="in_use",
                    hint="Try again when fewer people work, or close the app and use the command.",
                )
        try:
            yield
        finally:
            with self._changed:
                self._alone = None
                self._changed.notify_all()
