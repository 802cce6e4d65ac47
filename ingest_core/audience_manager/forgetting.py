"""A deletion request for an id: what is known of it goes, and later files may say of it what they like (spec §16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest_core.audience_manager import sampling
from ingest_core.audience_manager.batches import read_logged
from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.id_graph import GraphLimits
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.name_types import IdSyncName
from ingest_core.audience_manager.refold import refold
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.resolving import resolve
from ingest_core.engine import Session
from ingest_core.engine.steps import Runner
from ingest_core.models import Model

MOST_DEVICES = GraphLimits().devices_together
"""Devices that are forgotten with a customer's id, the newest."""

FORGOTTEN = "CREATE OR REPLACE TEMP TABLE am_forgotten AS SELECT ?::BIGINT AS dpid, ?::VARCHAR AS id"
DEVICES = """
INSERT INTO am_forgotten SELECT device_dpid, device_id FROM am_map
WHERE dpid = ? AND id = ? ORDER BY seq DESC LIMIT ?
"""
LINKED_DEVICE = """
INSERT INTO am_forgotten SELECT device_dpid, device_id FROM am_resolved WHERE (SELECT count(*) FROM am_forgotten) = 1
"""
OUT = """
INSERT INTO am_opt_out SELECT digest, ?::TIMESTAMP, ?::VARCHAR
FROM (SELECT sha256(dpid || ':' || id) AS digest FROM am_forgotten) WHERE digest NOT IN (SELECT digest FROM am_opt_out)
"""
LINES_GO = "DELETE FROM am_op USING am_forgotten AS f WHERE am_op.dpid = f.dpid AND am_op.user_id = f.id"
CELLS_GO = """
UPDATE am_row SET ids = list_transform(ids, lambda x, place: CASE WHEN place = ? AND list_contains(?::VARCHAR[], x)
                                                             THEN NULL ELSE x END)
WHERE file_no = ? AND list_contains(?::VARCHAR[], ids[?])
"""
BASE_GOES = tuple(
    f"DELETE FROM {table} USING am_forgotten AS f WHERE {table}.{dpid} = f.dpid AND {table}.{column} = f.id"
    for table, dpid, column in (
        ("am_base_held", "dpid", "id"),
        ("am_base_profile", "dpid", "id"),
        ("am_base_map", "dpid", "id"),
        ("am_base_map", "device_dpid", "device_id"),
        ("am_base_link", "dpid", "id"),
        ("am_base_link", "known_dpid", "known_id"),
        ("am_base_hash", "dpid", "id"),
        ("am_spaced", "dpid", "user_id"),
    )
)
SYNCS = "SELECT file_no, name FROM am_file WHERE kind = 'id_sync' AND code IS NULL"
ALL_FILES = "SELECT DISTINCT file_no FROM am_sample"
LEFT_ALONE = """
FROM am_pair WHERE sha256(dpid || ':' || id) NOT IN (SELECT digest FROM am_opt_out)
"""
HASHES_LEFT_ALONE = """
FROM am_pair ANTI JOIN (
    SELECT line FROM am_pair WHERE place = 0 AND sha256(dpid || ':' || id) IN (SELECT digest FROM am_opt_out)
) USING (line)
"""


class Forgotten(Model):
    """``devices``: of a customer, forgotten with the id. ``lines``: of data files that left the log.

    ``files``: kept as they came, which held one of the ids or could not be read to tell.
    """

    dpid: int
    devices: int
    lines: int
    qualifications: int
    mappings: int
    files: int = 0


@dataclass(frozen=True)
class Request:
    """Who is to be forgotten, and who asked for it."""

    dpid: int
    id: str
    at: datetime
    user: str


def forget(runner: Runner, registered: Registered, request: Request) -> Forgotten:
    """Erases an id from log and folds and passes over it from now on, inside the caller's transaction."""
    session = runner.session
    namespace = registered.profile_dpid(request.dpid)
    session.run(FORGOTTEN, [namespace, request.id])
    if not is_device(namespace):
        resolve(session, Known.of(registered, request.at), "am_forgotten")
        session.run(DEVICES, [namespace, request.id, MOST_DEVICES])
        session.run(LINKED_DEVICE)
    session.run(OUT, [request.at, request.user])
    before = _counts(session)
    lines = session.run(LINES_GO) or 0
    _forget_cells(session)
    for statement in BASE_GOES:
        session.run(statement)
    sampling.forget(session, [file_no for (file_no,) in session.rows(ALL_FILES)])
    refold(runner, registered)
    after = _counts(session)
    devices = int(session.value("SELECT count(*) FROM am_forgotten")) - 1
    held, maps = (was - now for was, now in zip(before, after, strict=True))
    return Forgotten(dpid=request.dpid, devices=devices, lines=lines, qualifications=held, mappings=maps)


def forgotten_ids(session: Session) -> dict[int, list[str]]:
    """Namespace → ids of the request that was done last in this session."""
    ids: dict[int, list[str]] = {}
    for dpid, identifier in session.rows("SELECT dpid, id FROM am_forgotten"):
        ids.setdefault(int(dpid), []).append(str(identifier))
    return ids


def leave_alone(session: Session, *, is_c2c: bool) -> None:
    """Takes ids that were forgotten out of the rows of an ID sync (``am_pair``)."""
    if session.value("SELECT count(*) FROM am_opt_out"):
        session.scratch.keep("am_pair", HASHES_LEFT_ALONE if is_c2c else LEFT_ALONE)


def _forget_cells(session: Session) -> None:
    """Rows of ID syncs keep their other ids."""
    ids = forgotten_ids(session)
    for file_no, text in session.rows(SYNCS):
        name = read_logged(text)
        assert isinstance(name, IdSyncName)
        for place, dpid in enumerate(name.columns, 1):
            if dpid in ids and (name.prefix != "c2c_id" or place == 1):
                session.run(CELLS_GO, [place, ids[dpid], file_no, ids[dpid], place])


def _counts(session: Session) -> Sequence[Any]:
    return session.row("SELECT (SELECT count(*) FROM am_held), (SELECT count(*) FROM am_map)") or (0, 0)
