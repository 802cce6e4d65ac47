"""Who is in what, set by set, and what a receiver has to be told of it (Audience Manager spec §13, §15.1, §15.2).

From who has which traits (holding.py) comes ``am_now`` (id, items, newest, held): the ids of the master data source
with the segments or traits they have, of those that have any. ``am_out`` (id, added, removed, newest, held) are the
rows of one run: everything, or what differs from ``am_known``, which the last run that arrived told the receiver.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.outbound.holding import WORD_BITS, Holding
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.resolving import LIVING, resolve
from ingest_core.audience_manager.rules import SegmentRule
from ingest_core.audience_manager.rules.logic import AllOf, AnyOf, Expression, Leaf, Not
from ingest_core.audience_manager.rules.segment_rule import Frequency
from ingest_core.engine import Session

MOST_WORDS = 16
"""Numbers that hold the traits of one profile; segments that name more traits than that look through lists of them."""

_TODAY = "date_diff('day', realised_at::DATE, DATE '{today}')"


@dataclass(frozen=True, slots=True)
class People:
    """SQL of (dpid, id, items, newest, held) over profiles, those without any items left out, and its parameters."""

    sql: str
    parameters: Sequence[object]


def named_traits(rules: Mapping[int, SegmentRule]) -> list[int]:
    """All traits that the rules name, in the order of their bits."""
    return sorted({trait for rule in rules.values() for trait in rule.traits})


def segments_by_profile(holding: Holding, rules: Mapping[int, SegmentRule], today: date) -> People:
    """The segments of each profile. A trait counts once.

    Conditions set one bit for each segment; lists of segments are made of the different words only, of which there are
    far fewer than people.
    """
    reading = _Reading({trait: place for place, trait in enumerate(named_traits(rules))})
    segments = sorted(rules)
    words = []
    for first in range(0, max(len(segments), 1), WORD_BITS):
        flags = [
            f"CASE WHEN {reading.condition(rules[segment].expression)} THEN {1 << place} ELSE 0 END"
            for place, segment in enumerate(segments[first : first + WORD_BITS])
        ]
        words.append(" | ".join(flags) or "0")
    masks = [f"m{number}" for number in range(len(words))]
    found = ", ".join(f"({word})::BIGINT AS {mask}" for word, mask in zip(words, masks, strict=True))
    tests = [
        f"CASE WHEN m{place // WORD_BITS} & {1 << place % WORD_BITS} <> 0 THEN {segment} END"
        for place, segment in enumerate(segments)
    ]
    return People(
        f"""WITH held AS ({holding.sql}), profile AS (
    SELECT dpid, id, max(realised_at) AS newest, {reading.columns(today)} FROM held GROUP BY dpid, id
), mask AS MATERIALIZED (
    SELECT dpid, id, newest, {found} FROM profile
), combination AS (
    SELECT {", ".join(masks)}, list_filter([{", ".join(tests) or "NULL"}]::BIGINT[], lambda x: x IS NOT NULL) AS items
    FROM (SELECT DISTINCT {", ".join(masks)} FROM mask)
)
SELECT dpid, id, items, newest, NULL::MAP(BIGINT, TIMESTAMP) AS held
FROM mask JOIN combination USING ({", ".join(masks)}) {holding.living} WHERE len(items) > 0""",
        [*holding.parameters, *holding.living_parameters],
    )


class _Reading:
    """Conditions over the traits of a profile, and the columns they look at."""

    def __init__(self, places: Mapping[int, int]) -> None:
        self._places = places
        self._words = -(-len(places) // WORD_BITS)
        self._sums: dict[Frequency, str] = {}

    def condition(self, expression: Expression[Frequency]) -> str:
        match expression:
            case Not(part):
                return f"NOT ({self.condition(part)})"
            case AllOf(parts):
                return "(" + " AND ".join(self.condition(part) for part in parts) + ")"
            case AnyOf(parts):
                return "(" + " OR ".join(self.condition(part) for part in parts) + ")"
            case Leaf(atom):
                return self._test(atom)

    def columns(self, today: date) -> str:
        """What is gathered of the traits of each profile; ask after the conditions."""
        sums = [f"{_sum(one, today)} AS {name}" for one, name in self._sums.items()]
        if self._words > MOST_WORDS:
            return ", ".join(["list(trait_id) AS traits", *sums])
        if self._words <= 1:
            return ", ".join(["bit_or(bit) AS w0", *sums])
        words = [f"bit_or(CASE WHEN word = {n} THEN bit ELSE 0 END) AS w{n}" for n in range(self._words)]
        return ", ".join([*words, *sums])

    def _test(self, atom: Frequency) -> str:
        if not atom.is_bare:
            name = self._sums.setdefault(atom, f"n{len(self._sums)}")
            return f"{name} {'=' if atom.operator == '==' else atom.operator} {atom.count}"
        if self._words > MOST_WORDS:
            return f"list_contains(traits, {atom.traits[0]})"
        place = self._places[atom.traits[0]]
        return f"w{place // WORD_BITS} & {1 << place % WORD_BITS} <> 0"


def _sum(atom: Frequency, today: date) -> str:
    named = ", ".join(map(str, dict.fromkeys(atom.traits)))
    recency = ""
    if atom.recency is not None:
        operator, days = atom.recency
        recency = f" AND {_TODAY.format(today=today.isoformat())} {operator} {days}"
    return f"count(*) FILTER (WHERE trait_id IN ({named}){recency})"


def traits_by_profile(holding: Holding, needs: Collection[str]) -> People:
    """The same with traits. ``needs``: *held* where a row says when each was realised, *newest* where the last was."""
    newest = "max(realised_at)" if "newest" in needs else "NULL::TIMESTAMP"
    held = _WHEN if "held" in needs else "NULL::MAP(BIGINT, TIMESTAMP)"
    return People(
        f"""WITH held AS ({holding.sql}), profile AS (
    SELECT dpid, id, list_sort(list(trait_id)) AS items, {newest} AS newest, {held} AS held FROM held GROUP BY dpid, id
)
SELECT dpid, id, items, newest, held FROM profile {holding.living}""",
        [*holding.parameters, *holding.living_parameters],
    )


_WHEN = "map(list(trait_id ORDER BY trait_id), list(realised_at ORDER BY trait_id))"


def everybody(holding: Holding) -> People:
    """The same with nothing: an export of ids, of everybody who has a live trait."""
    return People(
        f"""WITH held AS ({holding.sql}), profile AS (
    SELECT dpid, id, max(realised_at) AS newest FROM held GROUP BY dpid, id
)
SELECT dpid, id, [0]::BIGINT[] AS items, newest, NULL::MAP(BIGINT, TIMESTAMP) AS held FROM profile {holding.living}""",
        [*holding.parameters, *holding.living_parameters],
    )


def find_devices(session: Session, registered: Registered, master: int, at: datetime) -> None:
    """Which devices ids stand for at a moment, the same that get their data (spec §8.2, §14).

    ``am_resolved``: of all ids of the master that have one; ``am_mapped`` is ``am_map`` without what has ended by then;
    ``am_master`` (dpid) says which profiles the ids of the master are.
    """
    resolve(session, Known.of(registered, at), _IDS_OF.format(dpid=int(master)))
    living = LIVING.format(at=f"TIMESTAMP '{at.isoformat(sep=' ')}'", cookies=registered.cookies)
    session.run(f"CREATE OR REPLACE TEMP VIEW am_mapped AS SELECT * FROM am_map WHERE {living}")
    session.run("CREATE OR REPLACE TEMP TABLE am_master AS SELECT ?::BIGINT AS dpid", [registered.profile_dpid(master)])


_IDS_OF = "(SELECT dpid, id FROM am_map WHERE dpid = {dpid} UNION SELECT dpid, id FROM am_link WHERE dpid = {dpid})"


def by_master(session: Session, registered: Registered, master: int, people: People) -> None:
    """Fills ``am_now`` by ids of the master; who has none is left out. For cookies after ``find_devices``."""
    if registered.kind(master) == "cookie":
        session.run(_NOW.format(source=_OF_DEVICES.format(people=people.sql)), people.parameters)
    else:
        session.run(_NOW.format(source=_OF_NAMESPACE.format(people=people.sql)), people.parameters)


_NOW = "CREATE OR REPLACE TEMP TABLE am_now AS\n{source}"

_OF_NAMESPACE = "SELECT id, items, newest, held FROM ({people})"

_OF_DEVICES = """
SELECT cookie.id, people.items, people.newest, people.held
FROM am_resolved AS cookie JOIN ({people}) AS people
  ON people.dpid = cookie.device_dpid AND people.id = cookie.device_id"""


def all_rows(session: Session) -> int:
    """``am_out`` is everything; returns how many rows."""
    session.run(
        "CREATE OR REPLACE TEMP VIEW am_out AS "
        "SELECT id, items AS added, []::BIGINT[] AS removed, newest, held FROM am_now"
    )
    return int(session.value("SELECT count(*) FROM am_out"))


def changed_rows(session: Session, run_no: int | None) -> int:
    """``am_out`` is what differs from what a run told; returns how many rows. None: nothing was told yet."""
    session.run(_CHANGED, [-1 if run_no is None else run_no])
    session.run("CREATE OR REPLACE TEMP VIEW am_out AS FROM am_changed")
    return int(session.value("SELECT count(*) FROM am_out"))


_CHANGED = """CREATE OR REPLACE TEMP TABLE am_changed AS
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
