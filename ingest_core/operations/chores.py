"""Long work on a workspace as a whole, in the background of the app: begun by a person, watched by anybody.

What is known of a chore is in memory. One that a killed process left half done is finished by starting it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest_core.clock import now
from ingest_core.errors import OnrampError, StateError
from ingest_core.models import Progress

Work = Callable[[Progress], dict[str, Any]]

_LOG = logging.getLogger("onramp.operations")


@dataclass
class Chore:
    """One piece of work: under way, or how it ended. ``error`` is what a person is told."""

    name: str
    begun_at: datetime = field(default_factory=now)
    phase: str = ""
    done: int = 0
    total: int | None = None
    ended_at: datetime | None = None
    result: dict[str, Any] | None = None
    error: OnrampError | None = None

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    def tell(self, phase: str, done: int, total: int | None) -> None:
        """The progress callback of the work."""
        self.phase, self.done, self.total = phase, done, total


class Chores:
    """At most one at a time: all of them want the workspace for themselves in the end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Chore] = {}
        self._thread: threading.Thread | None = None

    def get(self, name: str) -> Chore | None:
        """The one of this name that runs or ran last in this process."""
        return self._known.get(name)

    def running(self) -> Chore | None:
        """The one under way."""
        return next((chore for chore in self._known.values() if chore.is_running), None)

    def start(self, name: str, work: Work) -> Chore:
        """Begins it; the same one twice is one. StateError ``chore_running`` while another is under way."""
        with self._lock:
            running = self.running()
            if running is not None:
                if running.name == name:
                    return running
                raise StateError(
                    f"Another task is running: {running.name}. Nothing was begun.",
                    code="chore_running",
                    hint="Wait until it is done.",
                )
            chore = self._known[name] = Chore(name)
            self._thread = threading.Thread(target=_do, args=[chore, work], name=f"onramp-{name}", daemon=True)
            self._thread.start()
        return chore

    def wait(self, seconds: float) -> None:
        """Until the one under way has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)


def _do(chore: Chore, work: Work) -> None:
    try:
        chore.result = work(chore.tell)
    except OnrampError as error:
        chore.error = error
    except BaseException as error:  # noqa: BLE001  told by kind only: its text may quote a customer
        _LOG.error("A task failed: %s, %s", chore.name, type(error).__name__)
        chore.error = StateError(
            "The task ended by a fault of ours.",
            code="internal_error",
            hint="Start it again; if it happens twice, report the code.",
            facts={"kind": type(error).__name__},
        )
    chore.ended_at = now()
