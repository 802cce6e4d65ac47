"""A wish to stop what is done for somebody: asked by one thread, met by the one that works.

What a signal is to a process, this is to one of several pieces of work inside a process. It is met where the work asks
the database for something or tells how far it is, and never in between: no lock is left behind, no file half handed on.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

from ingest_core.engine.session import Session
from ingest_core.errors import Stopped


class Stop:
    """One piece of work's wish to stop. It raises ``Stopped`` once; the cleaning up after that is left alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_asked = False
        self._is_met = False
        self._sessions: list[weakref.ref[Session]] = []
        self._calls: list[Callable[[], None]] = []

    def ask(self) -> None:
        """Stops it, a statement under way at once; only a commit that has begun is not. Returns without waiting."""
        with self._lock:
            if self._is_asked:
                return
            self._is_asked = True
            sessions, calls = self._living(), list(self._calls)
        for session in sessions:
            session.stop()
        for call in calls:
            call()

    def check(self) -> None:
        """Called by the work now and then. Raises Stopped where it was asked to stop and has not met that yet."""
        with self._lock:
            if not self._is_asked or self._is_met:
                return
            self._is_met = True
        raise Stopped

    def watch(self, session: Session) -> None:
        """From now on ``ask`` stops this session, too."""
        session.on_stopped = self._meet
        with self._lock:
            self._sessions = [weakref.ref(one) for one in [*self._living(), session]]
            is_late = self._is_asked and not self._is_met
        if is_late:
            session.stop()

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """While this lasts, ``ask`` calls it, for work that is done elsewhere, such as in another process."""
        with self._lock:
            self._calls.append(call)
            is_late = self._is_asked
        if is_late:
            call()
        try:
            yield
        finally:
            with self._lock:
                self._calls.remove(call)

    def _meet(self) -> None:
        self._is_met = True

    def _living(self) -> list[Session]:
        return [session for reference in self._sessions if (session := reference()) is not None]


_CURRENT: ContextVar[Stop | None] = ContextVar("onramp_stop", default=None)


@contextmanager
def working_for(stop: Stop) -> Iterator[None]:
    """While this lasts, the sessions that this thread opens are stopped by ``stop``."""
    before = _CURRENT.set(stop)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def current_stop() -> Stop | None:
    """The wish of the work that this thread does; None where it is nobody's."""
    return _CURRENT.get()


@contextmanager
def stoppable_by(call: Callable[[], None]) -> Iterator[None]:
    """As ``Stop.calling`` of the work that this thread does."""
    with nullcontext() if (stop := _CURRENT.get()) is None else stop.calling(call):
        yield


def check_stop() -> None:
    """As ``Stop.check`` of the work that this thread does."""
    if (stop := _CURRENT.get()) is not None:
        stop.check()
