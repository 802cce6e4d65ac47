"""The upload under way, as memory knows it: how far it is, and whether it shall stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ingest_core.engine import Engine, Session
from ingest_core.errors import Stopped


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the queue is worked on. ``problem`` is the code of what the engine said."""

    is_worker_alive: bool
    is_engine_fine: bool
    problem: str | None = None


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


class Running:
    """One upload from its claim to its end. Its worker tells; any thread may look, or stop it."""

    def __init__(self, request_id: str, engine: Engine) -> None:
        self.request_id = request_id
        self._engine = engine
        self.counts: dict[str, int] = {}  # filled by the load
        self.is_cancelled = False  # by a person; else the worker stops and the upload waits again
        self._is_stopping = False
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._phases: list[Phase] = []
        self._progress = JobProgress(request_id)

    def tell(self, phase: str, done: int, total: int | None) -> None:
        """The progress callback of the load; raises ``Stopped`` when it shall stop, ``engine_stopped`` when it must."""
        if self._is_stopping:
            raise Stopped
        self._engine.require_working()
        at = time.monotonic()
        if not self._phases or self._phases[-1].name != phase:
            if self._phases:
                self._phases[-1].is_done = True
                self._phases[-1].seconds = at - self._phases[-1].begun
            self._phases.append(Phase(phase, at))
        self._phases[-1].seconds = at - self._phases[-1].begun
        self._progress = JobProgress(self.request_id, phase, done, total, at - self._begun)

    def progress(self) -> JobProgress:
        """How far it is now."""
        return replace(self._progress, phases=tuple(self._phases), counts=dict(self.counts))

    @contextmanager
    def working_in(self, session: Session) -> Iterator[None]:
        """While this lasts, ``stop`` interrupts the session's statements, too."""
        with self._lock:
            self._session = session
            if self._is_stopping:
                session.stop()
        try:
            yield
        finally:
            with self._lock:
                self._session = None

    def stop(self, *, is_cancelled: bool = False) -> None:
        """Ends it at the next look, a statement under way at once; returns without waiting for that."""
        with self._lock:
            self.is_cancelled |= is_cancelled
            self._is_stopping = True
            if self._session is not None:
                self._session.stop()
