"""Resolves floating rows (without a primary) again where the past is concerned, or everywhere for a rebuild.

Works on the log and the tables ``identity`` (owners and shared flags already right) and ``resolution``. The region is
the closure of the seed tokens over floating rows, their unowned tokens and their profiles; outside it nothing can
change. Afterwards ``regrouped`` tells old and new profile of every row that was looked at.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.components import components
from ingest_core.ledger.fields import Fields, primary_of, token_of


def floating_log(fields: Fields) -> str:
    """SQL: each identifier of each live floating row of the log (rid, token, attribute_id, priority)."""
    parts = [
        f"SELECT rid, {token_of(a)} AS token, {a.attribute_id} AS attribute_id, {a.priority} AS priority\n"
        f"FROM record WHERE {primary_of(fields)} IS NULL AND {token_of(a)} IS NOT NULL"
        for a in fields.secondaries
    ] or ["SELECT rid, NULL::UUID AS token, 0 AS attribute_id, 0 AS priority FROM record WHERE false"]
    return (
        "SELECT named.* FROM (\n"
        + "\nUNION ALL\n".join(parts)
        + "\n) AS named SEMI JOIN live_upload ON live_upload.upload_no = named.rid >> 32"
    )


_GROW = (
    """CREATE OR REPLACE TEMP TABLE new_row AS
SELECT DISTINCT n.rid FROM floating_mention n SEMI JOIN new_token t ON t.token = n.token
UNION
SELECT n.rid FROM floating_mention n JOIN resolution q ON q.rid = n.rid SEMI JOIN new_pid p ON p.pid = q.pid""",
    "DELETE FROM new_row WHERE rid IN (SELECT rid FROM region)",
    "INSERT INTO region SELECT rid FROM new_row",
    """CREATE OR REPLACE TEMP TABLE new_token AS
SELECT DISTINCT n.token
FROM floating_mention n
SEMI JOIN new_row r ON r.rid = n.rid
JOIN identity i ON i.token = n.token
ANTI JOIN region_token t ON t.token = n.token
WHERE i.owner IS NULL AND NOT i.is_shared""",
    "INSERT INTO region_token SELECT token FROM new_token",
    """CREATE OR REPLACE TEMP TABLE new_pid AS
SELECT DISTINCT pid FROM (
    SELECT i.pid FROM identity i SEMI JOIN new_token t ON t.token = i.token WHERE i.pid IS NOT NULL
    UNION ALL
    SELECT q.pid FROM resolution q SEMI JOIN new_row r ON r.rid = q.rid
) ANTI JOIN region_pid USING (pid)""",
    "INSERT INTO region_pid SELECT pid FROM new_pid",
)

_USABLE = """CREATE OR REPLACE TEMP TABLE region_mention AS
SELECT n.rid, n.token, n.priority, i.owner
FROM floating_mention n
SEMI JOIN region r ON r.rid = n.rid
JOIN identity i ON i.token = n.token
WHERE NOT i.is_shared"""

_HOMES = """CREATE OR REPLACE TEMP TABLE region_home AS
SELECT m.rid, arg_min(m.owner, m.priority) AS owner
FROM region_mention m WHERE m.owner IS NOT NULL GROUP BY m.rid"""

_EDGES = """
WITH loose AS (
    SELECT m.rid, m.token FROM region_mention m ANTI JOIN region_home h ON h.rid = m.rid
)
SELECT rid AS a, min(rid) OVER (PARTITION BY token) AS b FROM loose
UNION ALL
SELECT rid, rid FROM region ANTI JOIN region_home USING (rid)"""

_TARGETS = """CREATE OR REPLACE TEMP TABLE region_target AS
WITH neighbour AS (
    SELECT DISTINCT c.label, i.pid
    FROM region_component c
    JOIN region_mention m ON m.rid = c.rid
    JOIN region_mention other ON other.token = m.token
    JOIN region_home h ON h.rid = other.rid
    JOIN identity i ON i.token = h.owner
), joined AS (
    SELECT label, min(pid) AS pid FROM neighbour GROUP BY label HAVING count(*) = 1
)
SELECT h.rid, i.pid * 2 AS target FROM region_home h JOIN identity i ON i.token = h.owner
UNION ALL
SELECT c.rid, coalesce(j.pid * 2, c.label * 2 + 1) FROM region_component c LEFT JOIN joined j ON j.label = c.label"""

_REGROUP = (
    """CREATE OR REPLACE TEMP TABLE region_old AS
SELECT DISTINCT q.pid FROM resolution q SEMI JOIN region r ON r.rid = q.rid
UNION
SELECT DISTINCT target // 2 FROM region_target WHERE target % 2 = 0
UNION
SELECT pid FROM touched_pid""",
    """CREATE OR REPLACE TEMP TABLE regrouped AS
SELECT q.rid, q.pid AS old_pid, coalesce(t.target, q.pid * 2) AS target,
       min(q.rid) OVER (PARTITION BY coalesce(t.target, q.pid * 2)) AS pid
FROM resolution q
SEMI JOIN region_old o ON o.pid = q.pid
LEFT JOIN region_target t ON t.rid = q.rid""",
    "CREATE OR REPLACE TEMP TABLE group_pid AS SELECT DISTINCT target, pid FROM regrouped",
    "DELETE FROM resolution WHERE pid IN (SELECT pid FROM region_old)",
    "INSERT INTO resolution SELECT rid, pid FROM regrouped",
)

_TOKENS = (
    """CREATE OR REPLACE TEMP TABLE token_place AS
WITH touched AS (
    SELECT token, attribute_id, owner, pid, is_shared, has_floating FROM identity
    WHERE pid IN (SELECT pid FROM region_old)
    UNION
    SELECT i.token, i.attribute_id, i.owner, i.pid, i.is_shared, i.has_floating
    FROM identity i
    SEMI JOIN (SELECT n.token FROM floating_mention n SEMI JOIN region r ON r.rid = n.rid) m ON m.token = i.token
), loose AS (
    SELECT m.token, any_value(t.target) AS target
    FROM region_mention m
    JOIN region_component c ON c.rid = m.rid
    JOIN region_target t ON t.rid = m.rid
    GROUP BY m.token
), near AS (
    SELECT m.token, min(t.target) AS target
    FROM region_mention m
    JOIN region_home h ON h.rid = m.rid
    JOIN region_target t ON t.rid = m.rid
    WHERE m.owner IS NULL
    GROUP BY m.token HAVING count(DISTINCT t.target) = 1
), named AS (
    SELECT DISTINCT token FROM region_mention WHERE owner IS NULL
)
SELECT touched.token, touched.attribute_id, touched.owner,
       CASE WHEN touched.is_shared THEN NULL
            WHEN touched.owner IS NOT NULL THEN coalesce(of_owner.pid, primary_row.pid)
            WHEN named.token IS NOT NULL THEN coalesce(of_loose.pid, of_near.pid)
            ELSE coalesce(of_self.pid, touched.pid) END AS pid,
       touched.is_shared, touched.has_floating
FROM touched
LEFT JOIN identity primary_row ON primary_row.token = touched.owner
LEFT JOIN group_pid of_owner ON of_owner.target = primary_row.pid * 2
LEFT JOIN named ON named.token = touched.token
LEFT JOIN loose ON loose.token = touched.token
LEFT JOIN group_pid of_loose ON of_loose.target = loose.target
LEFT JOIN near ON near.token = touched.token AND loose.token IS NULL
LEFT JOIN group_pid of_near ON of_near.target = near.target
LEFT JOIN group_pid of_self ON of_self.target = touched.pid * 2""",
    "CREATE OR REPLACE TEMP TABLE token_before AS SELECT token, pid FROM identity SEMI JOIN token_place USING (token)",
    "DELETE FROM identity WHERE token IN (SELECT token FROM token_place)",
    "INSERT INTO identity SELECT * FROM token_place",
)


NOBODY_TOUCHED = "CREATE OR REPLACE TEMP TABLE touched_pid (pid BIGINT)"
"""Profiles that gained or lost rows with a primary; they get their name again when ``regroup`` runs."""


def resolve_again(runner: Runner, fields: Fields) -> None:
    """Resolves the region around the tokens of table ``seed`` (token, old_pid) again."""
    session = runner.session
    session.run(NOBODY_TOUCHED)
    runner.run(
        Step(
            "floating rows",
            "List the identifiers of all rows without a primary: one scan of the log's identifier columns.",
            "CREATE OR REPLACE TEMP TABLE floating_mention AS " + floating_log(fields),
        )
    )
    resolve_region(runner)


def resolve_region(runner: Runner) -> None:
    """As ``resolve_again``, from tables ``seed``, ``floating_mention`` and ``touched_pid``."""
    session = runner.session
    with runner.timed("region", "Find every row whose person may change.", ";\n".join(_GROW)) as done:
        _grow(session)
        done(session.value("SELECT count(*) FROM region"))
    with runner.timed("regroup", "Put these rows together again by the identity rules.", _TARGETS) as done:
        regroup(session)
        done(session.value("SELECT count(*) FROM regrouped"))


def _grow(session: Session) -> None:
    for sql in (
        "CREATE OR REPLACE TEMP TABLE region (rid BIGINT)",
        "CREATE OR REPLACE TEMP TABLE region_token AS SELECT DISTINCT token FROM seed",
        "CREATE OR REPLACE TEMP TABLE new_token AS SELECT token FROM region_token",
        """CREATE OR REPLACE TEMP TABLE new_pid AS
        SELECT DISTINCT pid FROM (
            SELECT old_pid AS pid FROM seed
            UNION ALL SELECT i.pid FROM identity i SEMI JOIN seed s ON s.token = i.token
        ) WHERE pid IS NOT NULL""",
        "CREATE OR REPLACE TEMP TABLE region_pid AS SELECT pid FROM new_pid",
    ):
        session.run(sql)
    while True:
        for sql in _GROW:
            session.run(sql)
        if not session.value("SELECT (SELECT count(*) FROM new_row) + (SELECT count(*) FROM new_pid)"):
            return


def regroup(session: Session) -> None:
    """Assigns every row of ``region``; rewrites ``resolution`` and ``identity`` where it matters."""
    session.run(_USABLE)
    session.run(_HOMES)
    edges = session.arrow(_EDGES)
    nodes, labels = components(edges.column("a").to_numpy(), edges.column("b").to_numpy())
    table = pa.table({"rid": nodes.astype(np.int64), "label": labels.astype(np.int64)})
    session.register("region_components", table)
    session.run("CREATE OR REPLACE TEMP TABLE region_component AS SELECT * FROM region_components")
    session.unregister("region_components")
    session.run(_TARGETS)
    for sql in (*_REGROUP, *_TOKENS):
        session.run(sql)
