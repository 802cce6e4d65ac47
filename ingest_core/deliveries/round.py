"""Sends what is due, again and again, beside the queue of uploads."""

from __future__ import annotations

from ingest_core.deliveries.deliveries import Deliveries
from ingest_core.jobs.rounds import IsEnding

NAME = "deliveries"


class DeliveryRound:
    """A round of the workspace, see jobs/rounds.py."""

    name = NAME

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    def turn(self, is_ending: IsEnding) -> float:
        """Sends everything that is due; seconds until the next is."""
        self._deliveries.send_due(is_ending)
        return self._deliveries.seconds_to_next()
