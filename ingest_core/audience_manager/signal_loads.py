"""Data files whose signals become profile data, too, where their data source says so.

The signals of a file are those of the data source whose traits it feeds (the target, else the DPID): rules over them
are written there, and so is their mapping. Whose ids the file holds is said by the name of its first column, so that a
mapping made for the ids of one data source never takes those of another.

What is to be loaded is written in the transaction of the batch, with a copy of the file in the landing zone; the
uploads are made afterwards (``jobs.signal_uploads``). Neither is undone with the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ingest_core.audience_manager.batches import Inbound
from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.registered import Registered
from ingest_core.engine import Session
from ingest_core.models import ByteSource, Model
from ingest_core.vault import LandingZone

NEW = "INSERT INTO am_upload VALUES (?, ?, ?, ?, ?, ?, 'waiting', NULL, NULL)"
NAMED = "SELECT landing FROM am_upload WHERE landing IS NOT NULL"
OF_BATCHES = """
SELECT am_batch.request_id AS batch, am_upload.file, source.name AS source, am_upload.state, am_upload.upload_id,
       am_upload.error, upload.status, coalesce(upload.stored, 0) AS stored, coalesce(upload.rejected, 0) AS rejected,
       upload.undone_at IS NOT NULL AS is_undone, upload.error AS upload_error
FROM am_upload JOIN am_batch USING (batch_no) JOIN source USING (source_id)
LEFT JOIN upload ON upload.request_id = am_upload.upload_id
WHERE am_batch.request_id = ? ORDER BY file_no
"""
_CHUNK = 1 << 20


class SignalLoad(Model):
    """What became of the signals of one file of a batch.

    ``request_id``: of the upload. A refused file was not loaded for ``error``; with ``already_loaded`` its upload is
    the one that has it. ``status`` and counts are the upload's own.
    """

    file: str
    source: str
    state: Literal["waiting", "submitted", "refused"]
    request_id: str | None = None
    status: str | None = None
    stored: int = 0
    rejected: int = 0
    is_undone: bool = False
    error: dict[str, Any] | None = None

    @property
    def counts(self) -> bool:
        """Whether profiles hold these signals now."""
        return self.status == "Completed" and not self.is_undone


@dataclass(frozen=True, slots=True)
class Taken:
    """A data file that a batch has read, by its number."""

    file_no: int
    file: Inbound


def hand_over(
    session: Session, landing: LandingZone, registered: Registered, batch_no: int, taken: Sequence[Taken], user: str
) -> list[str]:
    """Keeps what is to be loaded, in the caller's transaction; returns the landing ids, to delete where that fails."""
    made: list[str] = []
    try:
        for one in taken:
            assert isinstance(one.file.name, DataName)
            source = registered.sources.get(one.file.name.owner)
            if source is None or not source.settings.load_signals:
                continue
            base = str(one.file.source.name).rpartition("/")[2]
            made.append(_copied(landing, one.file.source, base))
            session.run(NEW, [one.file_no, batch_no, source.source_id, base, made[-1], user])
    except BaseException:
        for landing_id in made:
            landing.delete(landing_id)
        raise
    return made


def signal_loads(session: Session, batch: str) -> list[SignalLoad]:
    """Those of one batch, by its Request ID, in the order of its files."""
    found = []
    same = ("file", "source", "state", "status", "stored", "rejected", "is_undone")
    for row in session.records(OF_BATCHES, [batch]):
        error = row["error"] or row["upload_error"]
        found.append(
            SignalLoad(
                **{name: row[name] for name in same},
                request_id=row["upload_id"],
                error=None if error is None else json.loads(error),
            )
        )
    return found


def files_of_signal_loads(session: Session) -> set[str]:
    """Landing ids of files that are still to become uploads."""
    return {landing_id for (landing_id,) in session.rows(NAMED)}


def _copied(landing: LandingZone, source: ByteSource, name: str) -> str:
    writer = landing.create(name)
    try:
        with source.open() as stream:
            while chunk := stream.read(_CHUNK):
                writer.write(chunk)
        return writer.finish()
    except BaseException:
        landing.delete(writer.landing_id)
        raise
