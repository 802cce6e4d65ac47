"""A workspace with an attribute of every type, on which generated people are placed and taken away again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ingest_core.engine import Session, quote
from ingest_core.segments import records
from ingest_core.segments.compiling import compile_rule
from ingest_core.segments.counting import count
from ingest_core.segments.known import Known
from ingest_core.segments.rules import parse_rule
from tests.segments.brute import TRAIT_DAYS, TYPES, Held, Person
from tests.workspaces import Kernel

ATTRIBUTES = {
    "nickname": ("string", "NICK"),
    "home": ("country", "HOME_COUNTRY"),
    "site": ("url", "SITE"),
    "amount": ("number", "AMOUNT"),
    "visits": ("integer", "VISITS"),
    "birthday": ("date", "BIRTHDAY"),
    "seen": ("datetime", "LAST_SEEN"),
    "vip": ("boolean", "VIP"),
}
"""Name → type and segment name."""

SOURCES = ("CRM", "Shop: \"'?")
MOMENT = datetime.fromisoformat("2027-03-01 23:59:59")


class Stage:
    """Two sources with an upload each; ``uploads`` are their Request IDs."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        attributes = kernel.workspace.attributes
        for name, (kind, segment) in ATTRIBUTES.items():
            attributes.add(name, kind, segment=segment)
        attributes.add("secret", "string", pii=True, segment="SECRET")
        for name in ("crmid", "email"):
            attributes.change(name, segment=name.upper())
        self.uploads = [kernel.load("crmid\nK1\n", {"crmid": "crmid"}, source).request_id for source in SOURCES]
        kernel.workspace.sources.add(
            "Ids of files", kind="data_source", dpid=21, id_type="cross_device", id_attribute="crmid"
        )
        kernel.workspace.sources.add("Others", kind="data_source", dpid=22, id_type="cross_device")
        for trait, days in TRAIT_DAYS.items():
            kernel.workspace.audience.traits.add(f"Trait {trait}", 21, trait_id=trait, ttl_days=days)

    @contextmanager
    def with_people(
        self, people: Sequence[Person], segments: Mapping[str, Any], held: Sequence[Held] = ()
    ) -> Iterator[Session]:
        """Exactly these people, segments and traits of files, for one session, until it is closed."""
        with self.kernel.workspace.engine.session() as session:
            session.run("BEGIN")
            try:
                for table in ("profile", "membership", "resolution", "segment"):
                    session.run(f"DELETE FROM {table}")
                self._place(session, people)
                self._hold(session, held)
                for name, rule in segments.items():
                    records.create(session, name, rule, "asha")
                yield session
            finally:
                session.run("ROLLBACK")

    def _place(self, session: Session, people: Sequence[Person]) -> None:
        known = Known.of(session)
        attributes = [(name, known.attribute(name)) for name in TYPES]
        columns = ", ".join(quote(attribute.column) for _, attribute in attributes)
        self._insert(
            session,
            f"profile (pid, {columns})",
            [(person.number, *(_stored(person, name, one.pii) for name, one in attributes)) for person in people],
        )
        self._insert(
            session, "membership", [(p.number, known.source(source), 1) for p in people for source in p.sources]
        )
        rows = [((known.uploads[upload] << 32) + p.number, p.number) for p in people for upload in p.uploads]
        self._insert(session, "resolution", rows)

    def _hold(self, session: Session, held: Sequence[Held]) -> None:
        """Of the data source that names an attribute, and the same of one that does not."""
        rows = [
            (dpid, one.identifier, one.trait, MOMENT - timedelta(hours=one.hours), 1, 1)
            for one in held
            for dpid in (21, 22)
            if dpid == 21 or one.trait == 1
        ]
        self._insert(session, "am_held", rows)
        seen = {(dpid, one.identifier): MOMENT - timedelta(days=one.quiet_days) for one in held for dpid in (21, 22)}
        self._insert(session, "am_profile", [(*key, at) for key, at in seen.items()])

    def _insert(self, session: Session, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            places = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
            session.run(f"INSERT INTO {table} VALUES {places}", [value for row in rows for value in row])


def _stored(person: Person, name: str, is_pii: bool) -> Any:
    return UUID(int=person.number) if is_pii and name in person.values else person.values.get(name)


def found(session: Session, rule: Any, moment: datetime = MOMENT) -> int:
    """How many people the product finds."""
    return count(session, compile_rule(parse_rule(rule, Known.of(session)), moment))
