"""Mappings of ids folded again from the log, batch by batch: what a row means depends on the rows before (spec §8.2).

On the way it says which device each cookie id of a data file stood for when its batch began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.audience_manager import id_map
from ingest_core.audience_manager.data_sources import UUID_DPID
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.name_types import DataName, IdSyncName
from ingest_core.audience_manager.resolving import resolve
from ingest_core.engine import Session


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """A file that took effect. ``logical_no``: the number of the first part of its logical file."""

    file_no: int
    logical_no: int
    name: DataName | IdSyncName
    is_cookie: bool = False


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """A batch that counts, with its files in the order in which they took effect."""

    batch_no: int
    known: Known
    files: Sequence[LoggedFile]


NONE_YET = """
SELECT 0::INTEGER AS batch_no, 0::BIGINT AS from_dpid, '' AS from_id, 0::BIGINT AS dpid, '' AS id WHERE false
"""
ASKED = """
SELECT DISTINCT am_op.dpid, user_id AS id FROM am_op JOIN am_now_file USING (file_no)
WHERE batch_no = ? AND is_cookie AND file_no BETWEEN ? AND ?
"""
STOOD_FOR = """
SELECT ?::INTEGER AS batch_no, dpid AS from_dpid, id AS from_id, device_dpid AS dpid, device_id AS id FROM am_resolved
"""
SEEN = f"""
SELECT DISTINCT user_id AS device_id FROM am_op JOIN am_now_file USING (file_no)
WHERE batch_no = ? AND NOT is_cookie AND am_op.dpid = {UUID_DPID} AND file_no BETWEEN ? AND ?
UNION
SELECT id FROM am_now_as WHERE batch_no = ? AND dpid = {UUID_DPID}
"""
PAIRS = """
SELECT line, (place - 1)::INTEGER AS place, (?::BIGINT[])[least(place, ?)] AS dpid, id
FROM (SELECT line, unnest(ids) AS id, generate_subscripts(ids, 1) AS place FROM am_row WHERE file_no = ?)
WHERE id IS NOT NULL
"""


def refold_ids(session: Session, batches: Sequence[LoggedBatch]) -> None:
    """Adds to ``am_map``, ``am_link`` and ``am_hash``; fills ``am_now_as``. ``am_now_file`` lists the data files."""
    session.scratch.keep("am_now_as", NONE_YET)
    for batch in batches:
        data = [file for file in batch.files if isinstance(file.name, DataName)]
        if data:
            _data(session, batch, data)
        for file in batch.files:
            if isinstance(file.name, IdSyncName):
                _sync(session, file.file_no, file.name, batch.known)


def _data(session: Session, batch: LoggedBatch, files: Sequence[LoggedFile]) -> None:
    span = [files[0].file_no, files[-1].file_no]
    if any(file.is_cookie for file in files):
        session.scratch.keep("am_asked", ASKED, [batch.batch_no, *span])
        resolve(session, batch.known, "am_asked")
        session.scratch.add("am_now_as", STOOD_FOR, [batch.batch_no])
    if session.scratch.keep("am_seen", SEEN, [batch.batch_no, *span, batch.batch_no]):
        id_map.restart_days(session, batch.known.at)


def _sync(session: Session, file_no: int, name: IdSyncName, known: Known) -> None:
    session.scratch.keep("am_pair", PAIRS, [list(name.columns), len(name.columns), file_no])
    if name.prefix == "c2c_id":
        id_map.apply_hashes(session)
    else:
        id_map.apply_ids(session, name.columns, known)
