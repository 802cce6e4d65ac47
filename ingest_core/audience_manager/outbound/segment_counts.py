"""How many profiles segments over traits have now, a rule before it counts, and who hears of a segment's end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from ingest_core.audience_manager.outbound import sets
from ingest_core.audience_manager.outbound.holding import Wanted, holding
from ingest_core.audience_manager.outbound.orders import Order, Orders
from ingest_core.audience_manager.outbound.runs import Runs
from ingest_core.audience_manager.outbound.segments import onboarded, rules_of
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules import SegmentRule, parse_segment_rule
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError
from ingest_core.models import Model


class SegmentTrial(Model):
    """Whom a rule finds now. ``rule``: its canonical text; ``sources``: DPID → profiles of its ids; ``unknown``: traits
    that it names and that are not there.
    """

    rule: str
    profiles: int
    sources: dict[int, int]
    unknown: tuple[int, ...] = ()


class Hearing(Model):
    """An order that exports a segment. ``told``: how many ids its receiver knows to be in it."""

    order_id: int
    name: str
    told: int


class SegmentCounts:
    """Counts profiles as they are (scope profile_only), of all data sources."""

    def __init__(self, engine: Engine, orders: Orders, runs: Runs, registered: Callable[[], Registered]) -> None:
        self._engine = engine
        self._orders = orders
        self._runs = runs
        self._registered = registered

    def all(self, at: datetime | None = None) -> dict[int, int]:
        """Segment → profiles, of every segment. ``at``: UTC, naive; now."""
        with self._engine.session() as session, session.transaction():
            rules = rules_of(session, ())
            self._fill(session, rules, at or now())
            found = {int(segment): int(n) for segment, n in session.rows(_BY_SEGMENT)}
        return {segment: found.get(segment, 0) for segment in rules}

    def of(self, segment_id: int, at: datetime | None = None) -> SegmentTrial:
        """One segment. InputError ``no_such_segment``."""
        with self._engine.session() as session, session.transaction():
            rules = rules_of(session, (segment_id,))
            if not rules:
                raise InputError("There is no such segment.", code="no_such_segment", hint="See: am segment list")
            return self._trial(session, rules[segment_id], at or now())

    def try_rule(self, rule: str, at: datetime | None = None) -> SegmentTrial:
        """A rule that nobody has kept. Raises as ``parse_segment_rule``."""
        with self._engine.session() as session, session.transaction():
            return self._trial(session, parse_segment_rule(rule, onboarded(session)), at or now())

    def hearing(self, segment_id: int) -> list[Hearing]:
        """The orders whose next iterative run tells it when somebody enters or leaves the segment."""
        with self._engine.session() as session:
            return [
                Hearing(order_id=order.order_id, name=order.name, told=self._told(session, order, segment_id))
                for order in self._orders.list()
                if order.what == "segments" and (not order.items or segment_id in order.items)
            ]

    def _told(self, session: Session, order: Order, segment_id: int) -> int:
        run = self._runs.last_told(session, "export", str(order.order_id))
        return int(session.value(_TOLD, [-1 if run is None else run, segment_id]))

    def _trial(self, session: Session, rule: SegmentRule, at: datetime) -> SegmentTrial:
        self._fill(session, {0: rule}, at)
        sources = {int(dpid): int(n) for dpid, n in session.rows(_BY_SOURCE)}
        known = {trait for (trait,) in session.rows("SELECT trait_id FROM am_trait")}
        unknown = tuple(sorted(rule.traits - known))
        return SegmentTrial(rule=str(rule), profiles=sum(sources.values()), sources=sources, unknown=unknown)

    def _fill(self, session: Session, rules: Mapping[int, SegmentRule], at: datetime) -> None:
        """``am_in`` (dpid, items): everybody who is in something."""
        held = holding(session, self._registered(), Wanted(None, at, sets.named_traits(rules)))
        people = sets.segments_by_profile(held, rules, at.date())
        session.run(f"CREATE OR REPLACE TEMP TABLE am_in AS SELECT dpid, items FROM ({people.sql})", people.parameters)


_BY_SEGMENT = "SELECT item, count(*) FROM (SELECT unnest(items) AS item FROM am_in) GROUP BY item"

_BY_SOURCE = "SELECT dpid, count(*) FROM am_in GROUP BY dpid ORDER BY dpid"

_TOLD = "SELECT count(*) FROM am_known WHERE run_no = ? AND list_contains(items, ?::BIGINT)"
