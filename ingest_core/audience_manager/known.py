"""What a batch knew when it was processed: its moment, and what was set for data sources then.

It is kept with the batch, so that its files have the same effects when they are folded again.
"""

from __future__ import annotations

from datetime import datetime

from ingest_core.audience_manager.registered import Registered
from ingest_core.engine import Session
from ingest_core.models import Model

DAYS = "CREATE OR REPLACE TEMP TABLE am_days (dpid BIGINT, days INTEGER)"


class Known(Model):
    """``at``: UTC, naive. ``cookies``: data sources of cookie ids. ``people``: cross-device ones → days kept."""

    at: datetime
    cookies: tuple[int, ...] = ()
    people: dict[int, int] = {}

    @classmethod
    def of(cls, registered: Registered, at: datetime) -> Known:
        """As things are set now."""
        return cls(at=at, cookies=tuple(sorted(registered.cookies)), people=registered.people)

    def list_days(self, session: Session) -> None:
        """Fills ``am_days`` (dpid, days): how long profiles of cross-device data sources are kept without activity."""
        session.run(DAYS)
        for dpid, days in self.people.items():
            session.run("INSERT INTO am_days VALUES (?, ?)", [dpid, days])
