"""All folds of Audience Manager computed again from the batches that count (rebuild, undo, retention).

They begin with the base: the folds after the last batch whose lines left the log.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ingest_core.audience_manager.batches import logical_key, read_logged
from ingest_core.audience_manager.id_map import NEW_MAPS
from ingest_core.audience_manager.id_refold import LoggedBatch, LoggedFile, refold_ids
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.trait_refold import refold_traits
from ingest_core.engine import Session
from ingest_core.engine.steps import Runner

FOLDS = ("am_held", "am_profile", "am_map", "am_link", "am_hash")
_BEGIN_WITH = ("am_map", "am_link", "am_hash")  # the others are computed from their base

BATCHES = """
SELECT batch_no, counts_at, known FROM am_batch
WHERE undone_at IS NULL AND cut_at IS NULL AND batch_no <= ? ORDER BY batch_no
"""
FILES = "SELECT batch_no, file_no, name FROM am_file WHERE code IS NULL ORDER BY file_no"
NOW_FILE = """
CREATE OR REPLACE TEMP TABLE am_now_file (
    file_no BIGINT, batch_no INTEGER, logical_no BIGINT, owner BIGINT, is_overwrite BOOLEAN, is_cookie BOOLEAN,
    counts_at TIMESTAMP)
"""
NOW_DAYS = "CREATE OR REPLACE TEMP TABLE am_now_days (batch_no INTEGER, dpid BIGINT, days INTEGER)"
ALL = 2**31 - 1


def refold(runner: Runner, registered: Registered, upto: int = ALL) -> None:
    """Empties and refills the folds from batches up to a number, inside the caller's transaction."""
    session = runner.session
    batches = _logged(session, registered, upto)
    for fold in FOLDS:
        session.run(f"DELETE FROM {fold}")
    for fold in _BEGIN_WITH:
        session.run(f"INSERT INTO {fold} SELECT * FROM am_base_{fold.removeprefix('am_')}")
    _list(session, batches)
    with runner.timed("ids", "Map ids to devices again, batch by batch.", NEW_MAPS) as done:
        refold_ids(session, batches)
        done(int(session.value("SELECT count(*) FROM am_map")))
    refold_traits(runner)


def _logged(session: Session, registered: Registered, upto: int) -> list[LoggedBatch]:
    files: dict[int, list[tuple[int, str]]] = {}
    for batch_no, file_no, name in session.rows(FILES):
        files.setdefault(batch_no, []).append((file_no, name))
    found = []
    for batch_no, at, known in session.rows(BATCHES, [upto]):
        knew = Known.model_validate_json(known) if known else Known.of(registered, at)
        found.append(LoggedBatch(batch_no, knew, _files(files.get(batch_no, []), knew)))
    return found


def _files(files: list[tuple[int, str]], known: Known) -> list[LoggedFile]:
    first: dict[Any, int] = {}
    logged = []
    for file_no, text in files:
        name = read_logged(text)
        logical = first.setdefault(logical_key(name), file_no) if isinstance(name, DataName) else file_no
        is_cookie = isinstance(name, DataName) and name.variant != "odc" and name.dpid in known.cookies
        logged.append(LoggedFile(file_no, logical, name, is_cookie))
    return logged


def _list(session: Session, batches: list[LoggedBatch]) -> None:
    """Fills ``am_now_file`` and ``am_now_days``."""
    session.run(NOW_FILE)
    session.run(NOW_DAYS)
    rows = [
        (file.file_no, batch.batch_no, file.logical_no, file.name.owner, file.name.mode == "overwrite", file.is_cookie,
         batch.known.at)
        for batch in batches
        for file in batch.files
        if isinstance(file.name, DataName)
    ]  # fmt: skip
    _fill(session, "am_now_file", rows)
    days = [(batch.batch_no, dpid, days) for batch in batches for dpid, days in batch.known.people.items()]
    _fill(session, "am_now_days", days)


def _fill(session: Session, table: str, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    session.register("am_block", pa.table(columns, names=[f"c{place}" for place in range(len(columns))]))
    try:
        session.run(f"INSERT INTO {table} SELECT * FROM am_block")
    finally:
        session.unregister("am_block")
