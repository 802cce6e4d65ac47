"""Signals that led to no trait: which pairs of key and value come in and nobody uses (Audience Manager spec §11).

Counted are the pairs of well-formed records, whatever became of the record. Private keys (``p_``) and values that hold
an e-mail address or a telephone number are never written.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.parsed_block import Ops
from ingest_core.clock import now
from ingest_core.engine import Engine, Session

SEEN_OFTEN = 100
"""On a day; rarer pairs are not reported and go when the day is over."""

KEPT_DAYS = 45
SHOWN_DAYS = 10
MOST_PAIRS = 1_000_000
"""Different pairs of a logical file, and of a day; of more the most frequent ones are kept."""

MOST_BYTES = 1_000  # of a value

_SIGNAL, _BARE = OP_KINDS.index("signal"), OP_KINDS.index("bare")
_PERSONAL = r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}|^\+[0-9 ()/.-]{8,20}$"

COUNTED = """
CREATE OR REPLACE TEMP TABLE am_unused (file_no BIGINT, dpid BIGINT, key VARCHAR, value VARCHAR, seen BIGINT)
"""
COMPACT = """
CREATE OR REPLACE TEMP TABLE am_unused AS
SELECT file_no, dpid, key, value, sum(seen)::BIGINT AS seen FROM am_unused
GROUP BY file_no, dpid, key, value ORDER BY seen DESC LIMIT ?
"""
OF_BATCH = """
INSERT INTO am_unused_signal (day, dpid, key, value, seen, batch_no)
SELECT ?::DATE, dpid, key, value, sum(seen)::BIGINT, (SELECT coalesce(max(batch_no), 0) + 1 FROM am_batch)
FROM am_unused GROUP BY dpid, key, value
"""
DAY_PAIRS = "SELECT count(*) FROM (SELECT DISTINCT dpid, key, value FROM am_unused_signal WHERE day = ?)"
DAY_RARE_GO = """
DELETE FROM am_unused_signal WHERE day = ? AND (dpid, key, value) NOT IN (
    SELECT (dpid, key, value) FROM am_unused_signal WHERE day = ?
    GROUP BY dpid, key, value ORDER BY sum(seen) DESC LIMIT ?)
"""
COUNTING = """
(SELECT signal.* FROM am_unused_signal AS signal LEFT JOIN am_batch USING (batch_no) WHERE undone_at IS NULL)
"""
OLD_GO = "DELETE FROM am_unused_signal WHERE day < ?"
RARE_GO = """
DELETE FROM am_unused_signal WHERE day < ?
  AND (day, key, value) NOT IN (
      SELECT (day, key, value) FROM am_unused_signal GROUP BY day, key, value HAVING sum(seen) >= ?)
"""
SEEN = f"""
SELECT day, key, value, sum(seen)::BIGINT AS seen FROM {COUNTING}
WHERE day >= ? AND (?::BIGINT IS NULL OR dpid = ?)
GROUP BY day, key, value HAVING sum(seen) >= ? ORDER BY day DESC, seen DESC, key, value LIMIT ?
"""


class UnusedSignals:
    """Gathers the pairs of a batch, block by block, in ``am_unused``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._session.run(COUNTED)
        self._rows = 0
        self._file_no, self._owner = 0, 0

    def begin(self, file_no: int, owner: int) -> None:
        """A file that feeds the traits of ``owner`` is read next."""
        self._file_no, self._owner = file_no, owner

    def take(self, ops: Ops, is_unused: NDArray[np.bool_]) -> None:
        """The operations of the next block, and which of them led to nothing."""
        at = np.flatnonzero(is_unused & ((ops.kind == _SIGNAL) | (ops.kind == _BARE)))
        if not len(at):
            return
        place = ops.value.indices.fill_null(0).to_numpy()[at]  # key and value stand at the same place
        times = np.bincount(place)
        found = np.flatnonzero(times)
        keys = pc.fill_null(ops.key.dictionary.take(pa.array(found)).cast(pa.string()), "ic")
        values = ops.value.dictionary.take(pa.array(found)).cast(pa.string())
        pairs = pa.table({"key": keys, "value": values, "seen": times[found]}).filter(_may_be_kept(keys, values))
        count = pairs.num_rows
        for name, number in (("dpid", self._owner), ("file_no", self._file_no)):
            pairs = pairs.add_column(0, name, pa.array(np.full(count, number, np.int64)))
        if count:
            self._session.insert("am_unused", pairs)
        self._rows += count
        if self._rows > 2 * MOST_PAIRS:
            self._session.run(COMPACT, [MOST_PAIRS])
            self._rows = min(int(self._session.value("SELECT count(*) FROM am_unused")), MOST_PAIRS)

    def forget(self, file_no: int) -> None:
        """A file was refused while it was read."""
        self._session.run("DELETE FROM am_unused WHERE file_no = ?", [file_no])

    def keep(self, at: datetime) -> None:
        """Adds what was gathered to its day and to its batch, whose number is written when all files are read."""
        if self._rows:
            day = at.date()
            self._session.run(OF_BATCH, [day])
            if int(self._session.value(DAY_PAIRS, [day])) > MOST_PAIRS:
                self._session.run(DAY_RARE_GO, [day, day, MOST_PAIRS])
            self._session.run(COUNTED)
        self._rows = 0


def _may_be_kept(keys: pa.Array, values: pa.Array) -> pa.Array:
    is_private = pc.starts_with(pc.ascii_lower(keys), "p_")
    is_personal = pc.match_substring_regex(values, pattern=_PERSONAL)
    is_long = pc.greater(pc.binary_length(values), MOST_BYTES)
    return pc.invert(pc.or_(pc.or_(is_private, is_personal), is_long))


def let_go(session: Session, today: date) -> int:
    """Deletes days that are over by 45 days, and of the days that are over the rare pairs; returns how many rows."""
    old = session.run(OLD_GO, [today - timedelta(days=KEPT_DAYS - 1)]) or 0
    return old + (session.run(RARE_GO, [today, SEEN_OFTEN]) or 0)


def unused_signals(
    engine: Engine, dpid: int | None = None, days: int = SHOWN_DAYS, limit: int = 1_000
) -> list[dict[str, Any]]:
    """{day, key, value, seen} of pairs seen at least a hundred times on a day, the newest day and commonest first.

    ``dpid``: only files that fed the traits of this data source.
    """
    with engine.session() as session:
        since = now().date() - timedelta(days=days - 1)
        return session.records(SEEN, [since, dpid, dpid, SEEN_OFTEN, limit])
