"""Notices as they are listed and read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from ingest_core.models import Model

Channel = Literal["mail", "webhook"]
State = Literal["waiting", "sent", "given up", "kept"]
STATES: tuple[State, ...] = ("waiting", "sent", "given up", "kept")
"""kept: there was nobody to send it, no mail server or no secret of the webhook; it is sent when a person says so."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


class Sending(Model):
    """One notice on its way to one recipient; ``recipient`` is None for the webhook."""

    channel: Channel
    recipient: str | None
    state: State
    attempts: int
    next_try: datetime | None
    error: str | None
    sent_at: datetime | None


class Notice(Model):
    """One event and whom it is told; ``text``, ``html`` and ``body`` (of the webhook) where one is looked at."""

    notice_id: str
    kind: str
    subject: str
    request_id: str | None
    path: str | None  # where its link leads, below the address of the app
    happened_at: datetime
    message_id: str | None
    sendings: tuple[Sending, ...]
    text: str | None = None
    html: str | None = None
    body: str | None = None

    @property
    def state(self) -> State:
        """What is to be known first: that somebody was not told."""
        states = {sending.state for sending in self.sendings}
        return next(state for state in ("given up", "kept", "waiting", "sent") if state in states)


def pause(attempts: int, jitter: float) -> timedelta:
    """After so many attempts: twice as long each time, at most an hour; ``jitter`` 0-1 spreads it by a quarter."""
    doubled = FIRST_PAUSE * 2 ** min(attempts - 1, 12)
    spread: timedelta = min(doubled, LONGEST_PAUSE) * (0.875 + jitter / 4)
    return spread
