"""What of a build is sent: everything that people have, or what differs from what was sent last.

From ``am_staged`` (n, id, items) come ``am_wanted`` (id, items), each id once; ``am_sending`` (id, items), the lines of
the file; and ``am_leaving`` (id, items), removals for people whom an overwrite cannot empty.
"""

from __future__ import annotations

from typing import Any

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.engine import Session

_WANTED = """CREATE OR REPLACE TEMP TABLE am_wanted AS
SELECT id, items FROM am_staged QUALIFY row_number() OVER (PARTITION BY id ORDER BY n) = 1"""

_ALL = "CREATE OR REPLACE TEMP TABLE am_sending AS SELECT id, items FROM am_wanted WHERE len(items) > 0"

_NOBODY = "CREATE OR REPLACE TEMP TABLE am_leaving (id VARCHAR, items VARCHAR[])"

_DIFFERENCE = """CREATE OR REPLACE TEMP TABLE am_difference AS
SELECT coalesce(n.id, b.id) AS id, coalesce(n.items, []) AS items,
       list_filter(coalesce(n.items, []), lambda x: NOT list_contains(coalesce(b.items, []), x)) AS added,
       list_filter(coalesce(b.items, []), lambda x: NOT list_contains(coalesce(n.items, []), x)) AS gone
FROM am_wanted AS n FULL JOIN (SELECT id, items FROM am_built WHERE run_no = ?) AS b ON n.id = b.id
WHERE coalesce(n.items, []) <> coalesce(b.items, [])"""

_REMOVALS = """list_transform(list_filter(gone, lambda x: starts_with(x, 'd_sid=')),
    lambda x: 'd_unsid=' || substr(x, 7))"""

_SYNC = f"""CREATE OR REPLACE TEMP TABLE am_sending AS
SELECT id, list_concat(added, {_REMOVALS}) AS items FROM am_difference WHERE len(added) > 0 OR len({_REMOVALS}) > 0"""

_OVERWRITE = "CREATE OR REPLACE TEMP TABLE am_sending AS SELECT id, items FROM am_difference WHERE len(items) > 0"

_LEAVING = f"""CREATE OR REPLACE TEMP TABLE am_leaving AS
SELECT id, {_REMOVALS} AS items FROM am_difference WHERE len(items) = 0 AND len({_REMOVALS}) > 0"""

_ROWS = "CREATE OR REPLACE TEMP TABLE am_sending AS SELECT id, items FROM am_difference WHERE len(items) > 0"


def fill(session: Session, build: Build, told: int | None) -> dict[str, Any]:
    """Fills the tables; {rows, removals, same_id}. ``told``: the run that was sent last; None: everything is sent.

    Signals that somebody has no more cannot be taken back by a file; only traits can (spec §5.2).
    """
    session.run(_WANTED)
    session.run(_NOBODY)
    if told is None:
        session.run(_ALL)
        removals = 0
    else:
        session.run(_DIFFERENCE, [told])
        session.run(_ROWS if build.kind == "id_sync" else _OVERWRITE if build.mode == "overwrite" else _SYNC)
        if build.kind == "data" and build.mode == "overwrite":
            session.run(_LEAVING)
        kept = "0" if build.kind == "id_sync" else f"coalesce(sum(len({_REMOVALS})), 0)"
        removals = int(session.value(f"SELECT {kept} FROM am_difference"))
    staged, wanted = session.rows("SELECT (SELECT count(*) FROM am_staged), (SELECT count(*) FROM am_wanted)")[0]
    rows = session.rows("SELECT (SELECT count(*) FROM am_sending) + (SELECT count(*) FROM am_leaving)")[0][0]
    return {"rows": int(rows), "removals": removals, "same_id": int(staged) - int(wanted)}


def lines_sql(session: Session, build: Build, table: str) -> str:
    """Fills ``am_line`` (n, line) from one of the tables, by id; returns the statement that reads it."""
    separator = "chr(9)" if build.kind == "id_sync" else "','"
    session.run(
        f"CREATE OR REPLACE TEMP TABLE am_line AS SELECT row_number() OVER (ORDER BY id) AS n, "
        f"concat(id, chr(9), array_to_string(items, {separator}), chr(10)) AS line FROM {table}"
    )
    return "SELECT line FROM am_line ORDER BY n"


def keep_sent(session: Session, run_no: int) -> None:
    """What Audience Manager has once this run has arrived."""
    session.run("INSERT INTO am_built SELECT ?, id, items FROM am_wanted WHERE len(items) > 0", [run_no])
