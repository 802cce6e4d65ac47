"""Makes uploads of the data files whose signals are profile data, too; a second try is the same upload."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ingest_core.audience_manager.signal_loads import SignalLoad, signal_loads
from ingest_core.catalog import Sources
from ingest_core.engine import Engine
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.faults import abort_point
from ingest_core.jobs.jobs import Jobs
from ingest_core.models import Options, Progress
from ingest_core.vault import LandingZone

NAME = "signals"
LONG = 3_600.0
"""Seconds until it looks again by itself; a batch that leaves something wakes it."""

_FINAL = ("already_loaded", "source_archived", "no_such_file", "landing_damaged")
"""States that do not pass by waiting."""

WAITING = """
SELECT file_no, am_batch.request_id AS batch, source_id, landing, user_name
FROM am_upload JOIN am_batch USING (batch_no) WHERE state = 'waiting' ORDER BY file_no
"""
END = """
UPDATE am_upload SET state = ?, upload_id = ?, error = ?, landing = NULL WHERE file_no = ? AND state = 'waiting'
"""
SOURCES = "SELECT DISTINCT source_id FROM am_upload JOIN am_batch USING (batch_no) WHERE am_batch.request_id = ?"


@dataclass(frozen=True)
class SignalUploads:
    """The way from a batch into the queue, as a round and at once."""

    engine: Engine
    sources: Sources
    landing: LandingZone
    jobs: Jobs

    name = NAME

    def turn(self, is_ending: Callable[[], bool]) -> float:
        """Queues all that waits."""
        with self.engine.session() as session:
            waiting = session.records(WAITING)
        for one in waiting:
            if is_ending():
                break
            self._submit(one)
        return LONG

    def load(self, batch: str, progress: Progress = ignore_progress) -> list[SignalLoad]:
        """Queues what waits and returns once the uploads of this batch have ended; where no worker runs, loads them."""
        self.turn(lambda: False)
        with self.engine.session() as session:
            sources = [source_id for (source_id,) in session.rows(SOURCES, [batch])]
        for source_id in sources:
            self.jobs.let_pass(self.sources.get(source_id), progress)
        return self.of_batch(batch)

    def of_batch(self, batch: str) -> list[SignalLoad]:
        """What became of the signals of a batch."""
        with self.engine.session() as session:
            return signal_loads(session, batch)

    def _submit(self, one: dict[str, Any]) -> None:
        abort_point("signals: submit", "before")
        source = self.sources.get(one["source_id"])
        options = Options(notify=source.settings.recipients, batch=one["batch"])
        key = f"signals {one['batch']} {one['file_no']}"
        try:
            request_id = self.jobs.submit(
                one["landing"], source, None, options, idempotency_key=key, user=one["user_name"]
            )
        except StateError as error:
            if error.code not in _FINAL:
                raise  # such as a full disk: it waits
            self._refuse(one, error)
        except InputError as error:
            self._refuse(one, error)
        else:
            abort_point("signals: submit", "after")
            self._end(one, "submitted", request_id, None)

    def _refuse(self, one: dict[str, Any], error: OnrampError) -> None:
        if error.code == "no_mapping":
            error.hint = "Map the signals of this file to attributes: load it once by hand, into this source."
        known = error.facts.get("request_id") if error.code == "already_loaded" else None
        self._end(one, "refused", None if known is None else str(known), error.as_dict())
        self.landing.delete(one["landing"])

    def _end(self, one: dict[str, Any], state: str, request_id: str | None, error: dict[str, Any] | None) -> None:
        text = None if error is None else json.dumps(error)
        with self.engine.queue, self.engine.session() as session:
            session.run(END, [state, request_id, text, one["file_no"]])
