"""Rounds: work that comes again by itself (looking for arrivals, sending notices, delivering), a thread for each.

A round knows what is due from the database alone, so that a killed process loses nothing: the next one's first turn
finds it. Uploads are not rounds: they are loaded one after the other by the queue (jobs.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ingest_core.errors import OnrampError

_LOG = logging.getLogger("onramp.jobs")

LONGEST_REST = 60.0
"""Seconds after which a round is asked again in any case: the clock may have been set."""

AFTER_TROUBLE = 5.0

IsEnding = Callable[[], bool]


class Round(Protocol):
    """One kind of work that comes again."""

    name: str

    def turn(self, is_ending: IsEnding) -> float:
        """Does what is due, looking at ``is_ending`` between two pieces; returns the seconds until more may be due."""


class Rounds:
    """Runs rounds in threads of their own, from ``start`` to ``stop``."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = tuple(rounds)
        self._wakes = {one.name: threading.Event() for one in self._rounds}
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._troubles: dict[str, str] = {}

    def start(self) -> None:
        """Starts the threads; a second call does nothing."""
        if self._threads:
            return
        self._ending.clear()
        self._threads = [
            threading.Thread(target=self._work, args=[one], name=f"onramp-{one.name}", daemon=True)
            for one in self._rounds
        ]
        for thread in self._threads:
            thread.start()

    def wake(self, name: str) -> None:
        """Something may be due now. A name that is not there is no error: the round may live in another process."""
        if event := self._wakes.get(name):
            event.set()

    def share(self, running: Rounds) -> None:
        """These rounds are not started: ``wake`` reaches those of ``running``, of the same names."""
        self._wakes, self._troubles = running._wakes, running._troubles

    def trouble(self) -> dict[str, str]:
        """Round → code of what its last turn failed with, for those that cannot go on at the moment."""
        return dict(self._troubles)

    def once(self) -> bool:
        """One turn of every round in this thread; False when none of them has more due at once.

        A round that fails is told in the log and by ``trouble``, and keeps nobody else from their turn.
        """
        has_more = False
        for one in self._rounds:
            if not self._ending.is_set():
                has_more |= self._turn(one) <= 0
        return has_more

    def stop(self, seconds: float = 30) -> bool:
        """Ends the threads; False when one of them did not end in so many seconds."""
        self._ending.set()
        for event in self._wakes.values():
            event.set()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._threads = []
        return True

    def _work(self, one: Round) -> None:
        wake = self._wakes[one.name]
        while not self._ending.is_set():
            rest = self._turn(one)
            wake.wait(timeout=min(max(rest, 0.0), LONGEST_REST))
            if not self._ending.is_set():
                wake.clear()

    def _turn(self, one: Round) -> float:
        """The seconds until more may be due."""
        try:
            rest = one.turn(self._ending.is_set)
        except BaseException as error:  # noqa: BLE001  such as a full disk: tried again, the round goes on
            kind = error.code if isinstance(error, OnrampError) else type(error).__name__
            if kind != self._troubles.get(one.name):
                _LOG.warning("%s cannot go on (%s). It is tried again every few seconds.", one.name, kind)
            self._troubles[one.name] = kind
            return AFTER_TROUBLE
        self._troubles.pop(one.name, None)
        return rest
