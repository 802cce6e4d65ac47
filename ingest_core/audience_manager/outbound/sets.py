"""Who is in what, set by set, and what a receiver has to be told of it (Audience Manager spec §13, §15.1, §15.2).

``am_live`` (qualified.py) holds who has which traits. From it comes ``am_now`` (id, items): the ids of the master data
source with the segments or traits they have, of those that have any. ``am_out`` (id, added, removed) are the rows of
one run: everything, or what differs from ``am_known``, which the receiver was told by the last run that arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules import SegmentRule
from ingest_core.audience_manager.rules.logic import AllOf, AnyOf, Expression, Leaf, Not
from ingest_core.audience_manager.rules.segment_rule import Frequency
from ingest_core.engine import Session

_TODAY = "date_diff('day', realised_at::DATE, DATE '{today}')"


def segments_by_profile(session: Session, rules: Mapping[int, SegmentRule], today: date) -> None:
    """Fills ``am_in`` (dpid, id, items, newest, held) with the segments of each profile. A trait counts once."""
    named = sorted({trait for rule in rules.values() for trait in rule.traits})
    sums: dict[Frequency, str] = {}
    tests = [
        f"CASE WHEN {_condition(rule.expression, sums)} THEN {segment} END" for segment, rule in sorted(rules.items())
    ]
    columns = "".join(f", {_sum(one, today)} AS {name}" for one, name in sums.items())
    session.run(
        f"""CREATE OR REPLACE TEMP TABLE am_in AS
WITH qualified AS (
    SELECT dpid, id, trait_id, max(realised_at) AS realised_at FROM am_live
    WHERE trait_id IN (SELECT unnest(?::BIGINT[])) GROUP BY dpid, id, trait_id
), profile AS (
    SELECT dpid, id, list(trait_id) AS traits, max(realised_at) AS newest, NULL::MAP(BIGINT, TIMESTAMP) AS held{columns}
    FROM qualified GROUP BY dpid, id
)
SELECT dpid, id, list_filter([{", ".join(tests) or "NULL"}]::BIGINT[], lambda x: x IS NOT NULL) AS items, newest, held
FROM profile""",
        [named],
    )
    session.run("DELETE FROM am_in WHERE len(items) = 0")


def _condition(expression: Expression[Frequency], sums: dict[Frequency, str]) -> str:
    match expression:
        case Not(part):
            return f"NOT ({_condition(part, sums)})"
        case AllOf(parts):
            return "(" + " AND ".join(_condition(part, sums) for part in parts) + ")"
        case AnyOf(parts):
            return "(" + " OR ".join(_condition(part, sums) for part in parts) + ")"
        case Leaf(atom):
            return _test(atom, sums)


def _test(atom: Frequency, sums: dict[Frequency, str]) -> str:
    if atom.is_bare:
        return f"list_contains(traits, {atom.traits[0]})"
    name = sums.setdefault(atom, f"n{len(sums)}")
    return f"{name} {'=' if atom.operator == '==' else atom.operator} {atom.count}"


def _sum(atom: Frequency, today: date) -> str:
    named = ", ".join(map(str, dict.fromkeys(atom.traits)))
    recency = ""
    if atom.recency is not None:
        operator, days = atom.recency
        recency = f" AND {_TODAY.format(today=today.isoformat())} {operator} {days}"
    return f"count(*) FILTER (WHERE trait_id IN ({named}){recency})"


def traits_by_profile(session: Session, traits: Sequence[int] | None) -> None:
    """The same with traits: these, or all."""
    session.run(
        """CREATE OR REPLACE TEMP TABLE am_in AS
WITH qualified AS (
    SELECT dpid, id, trait_id, max(realised_at) AS realised_at FROM am_live
    WHERE ? OR trait_id IN (SELECT unnest(?::BIGINT[])) GROUP BY dpid, id, trait_id
)
SELECT dpid, id, list(trait_id ORDER BY trait_id) AS items, max(realised_at) AS newest,
       map(list(trait_id ORDER BY trait_id), list(realised_at ORDER BY trait_id)) AS held
FROM qualified GROUP BY dpid, id""",
        [traits is None, list(traits or ())],
    )


def everybody(session: Session) -> None:
    """The same with nothing: an export of ids, of everybody who has a live trait."""
    session.run(
        """CREATE OR REPLACE TEMP TABLE am_in AS
SELECT dpid, id, [0]::BIGINT[] AS items, max(realised_at) AS newest, NULL::MAP(BIGINT, TIMESTAMP) AS held
FROM am_live GROUP BY dpid, id"""
    )


def by_master(session: Session, registered: Registered, master: int) -> None:
    """Fills ``am_now`` (id, items, newest, held) by ids of the master; users without such an id are left out."""
    if registered.kind(master) == "cookie":
        session.run(_NOW.format(source=_OF_DEVICES), [master])
    else:
        session.run(_NOW.format(source=_OF_NAMESPACE), [registered.profile_dpid(master)])


_NOW = "CREATE OR REPLACE TEMP TABLE am_now AS\n{source}"

_OF_NAMESPACE = "SELECT id, items, newest, held FROM am_in WHERE dpid = ?"

_OF_DEVICES = """WITH newest_map AS (
    SELECT id, device_dpid, device_id FROM am_map WHERE dpid = ? AND device_dpid IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq DESC) = 1
)
SELECT newest_map.id, am_in.items, am_in.newest, am_in.held
FROM newest_map JOIN am_in ON am_in.dpid = newest_map.device_dpid AND am_in.id = newest_map.device_id"""


def all_rows(session: Session) -> int:
    """Fills ``am_out`` with everything; returns how many rows."""
    session.run(
        "CREATE OR REPLACE TEMP TABLE am_out AS "
        "SELECT id, items AS added, []::BIGINT[] AS removed, newest, held FROM am_now"
    )
    return int(session.value("SELECT count(*) FROM am_out"))


def changed_rows(session: Session, run_no: int | None) -> int:
    """Fills ``am_out`` with what differs from what a run told; returns how many rows. None: nothing was told yet."""
    session.run(_CHANGED, [-1 if run_no is None else run_no])
    return int(session.value("SELECT count(*) FROM am_out"))


_CHANGED = """CREATE OR REPLACE TEMP TABLE am_out AS
SELECT coalesce(n.id, b.id) AS id,
       CASE WHEN b.id IS NULL THEN n.items WHEN n.id IS NULL THEN []
            ELSE list_filter(n.items, lambda x: NOT list_contains(b.items, x)) END::BIGINT[] AS added,
       CASE WHEN b.id IS NULL THEN [] WHEN n.id IS NULL THEN b.items
            ELSE list_filter(b.items, lambda x: NOT list_contains(n.items, x)) END::BIGINT[] AS removed,
       n.newest, n.held
FROM am_now AS n FULL JOIN (SELECT id, items FROM am_known WHERE run_no = ?) AS b ON n.id = b.id
WHERE n.items IS DISTINCT FROM b.items"""


def keep_told(session: Session, run_no: int) -> None:
    """What the receiver knows once this run has arrived."""
    session.run("INSERT INTO am_known SELECT ?, id, items FROM am_now", [run_no])
