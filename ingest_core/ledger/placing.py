"""Places the floating rows of one upload; says which identifiers need the past looked at again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.components import components
from ingest_core.ledger.fields import Fields, primary_of
from ingest_core.ledger.identity import DIRTY, FLOATING_EDGES, FLOATING_ROWS, LAND_FLOATING

_SEEDS = f"""CREATE OR REPLACE TEMP TABLE seed AS
SELECT token, old_pid FROM met WHERE {DIRTY}
UNION
SELECT met.token, met.old_pid
FROM mention
JOIN met ON met.token = mention.token
JOIN floating_place ON floating_place.rid = mention.rid
WHERE floating_place.is_slow AND NOT met.is_shared"""

_EARLIER_NAMES = (
    """CREATE OR REPLACE TEMP TABLE earlier_name AS
SELECT prime.first_rid AS old, min(floating_place.rid) AS new
FROM prime
JOIN floating_place ON floating_place.pid = prime.first_rid
WHERE prime.old_pid IS NULL
GROUP BY prime.first_rid
HAVING min(floating_place.rid) < prime.first_rid""",
    "UPDATE prime SET first_rid = e.new FROM earlier_name AS e WHERE first_rid = e.old AND old_pid IS NULL",
    "UPDATE landed SET pid = e.new FROM earlier_name AS e WHERE pid = e.old",
    "UPDATE floating_place SET pid = e.new FROM earlier_name AS e WHERE pid = e.old",
)
"""A new profile is named after its first row, also where that one states no primary."""


def place_floating(runner: Runner, fields: Fields) -> int:
    """Fills ``floating_place`` (rid, pid, is_slow) and adds it to ``landed``; returns the number of seed tokens.

    A component of rows that names at most one profile is placed at once. One that joins several, or whose
    identifiers changed hands, gets provisional places and leaves its tokens in table ``seed``.
    """
    session = runner.session
    session.run(FLOATING_ROWS.format(primary=primary_of(fields)))
    place = _places(session) if session.value("SELECT count(*) FROM floating_row") else _EMPTY
    session.register("floating_places", place)
    session.run("CREATE OR REPLACE TEMP TABLE floating_place AS SELECT * FROM floating_places")
    session.unregister("floating_places")
    runner.run(LAND_FLOATING)
    for sql in _EARLIER_NAMES:
        session.run(sql)
    runner.run(Step("seeds", "Find identifiers of earlier rows that may now name somebody else.", _SEEDS))
    return int(session.value("SELECT count(*) FROM seed"))


_EMPTY = pa.table(
    {"rid": pa.array([], pa.int64()), "pid": pa.array([], pa.int64()), "is_slow": pa.array([], pa.bool_())}
)


def _places(session: Session) -> pa.Table:
    edges = session.arrow(FLOATING_EDGES)
    a, b = (edges.column(name).to_numpy() for name in ("a", "b"))
    is_pid = np.asarray(edges.column("is_pid").to_numpy(), dtype=bool)
    is_slow_edge = np.asarray(edges.column("is_slow").to_numpy(), dtype=bool)
    nodes, labels = components(a, b)
    roots = np.searchsorted(nodes, labels)  # component number = position of its smallest node
    pid_at = np.searchsorted(nodes, np.unique(b[is_pid]))
    named = np.zeros(len(nodes), dtype=np.int64)
    np.add.at(named, roots[pid_at], 1)
    pid_of = np.full(len(nodes), -1, dtype=np.int64)
    pid_of[roots[pid_at]] = nodes[pid_at]
    slow = np.zeros(len(nodes), dtype=bool)
    slow[roots[np.searchsorted(nodes, a[is_slow_edge])]] = True
    slow |= named > 1
    rids = session.arrow("SELECT rid FROM floating_row ORDER BY rid").column("rid").to_numpy()
    first = np.full(len(nodes), np.iinfo(np.int64).max)
    at = roots[np.searchsorted(nodes, rids)]
    np.minimum.at(first, at, rids)
    pid = np.where(slow[at], rids, np.where(named[at] == 1, pid_of[at], first[at]))
    return pa.table({"rid": rids, "pid": pid, "is_slow": slow[at]})
