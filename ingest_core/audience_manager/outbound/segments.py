"""Segments over traits: named rules that an order exports (Audience Manager spec §13)."""

from __future__ import annotations

from ingest_core.audience_manager.rules import SegmentRule, parse_segment_rule
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model

MOST_SEGMENTS = 20_000
_LARGEST = 10**18 - 1


class TraitSegment(Model):
    """``rule``: canonical text, such as ``1T AND (2T OR 3T)``."""

    segment_id: int
    name: str
    rule: str


class TraitSegments:
    """Creates, lists, changes and removes them."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def list(self) -> list[TraitSegment]:
        """By id."""
        with self._engine.session() as session:
            rows = session.records("SELECT segment_id, name, rule FROM am_segment ORDER BY segment_id")
        return [TraitSegment(**row) for row in rows]

    def add(self, name: str, rule: str, segment_id: int | None = None) -> TraitSegment:
        """Without an id it gets the next free one.

        InputError ``bad_name``, ``bad_segment_id`` and all of ``parse_segment_rule``; StateError ``segment_exists``,
        ``too_many_segments``.
        """
        name = check_name(name, "a segment")
        if segment_id is not None and not 0 < segment_id <= _LARGEST:
            raise InputError(
                "A segment id has 1 to 18 digits. Nothing was created.", code="bad_segment_id", hint="Leave it out."
            )
        with self._engine.write, self._engine.session() as session, session.transaction():
            canonical = str(parse_segment_rule(rule, onboarded(session)))
            total, same = session.rows(
                "SELECT count(*), count(*) FILTER (WHERE segment_id = ? OR lower(name) = lower(?)) FROM am_segment",
                [segment_id, name],
            )[0]
            if same:
                raise _taken("There is a segment of this id or name already.", "segment_exists")
            if total >= MOST_SEGMENTS:
                raise _taken("There are 20,000 segments already.", "too_many_segments")
            number = segment_id or int(session.value("SELECT coalesce(max(segment_id), 0) + 1 FROM am_segment"))
            session.run("INSERT INTO am_segment VALUES (?, ?, ?, ?, ?)", [number, name, canonical, now(), self._user])
            write_audit(session, self._user, "add trait segment", str(number), {})
        return TraitSegment(segment_id=number, name=name, rule=canonical)

    def get(self, segment_id: int) -> TraitSegment:
        """InputError ``no_such_segment``."""
        for segment in self.list():
            if segment.segment_id == segment_id:
                return segment
        raise _missing()

    def change(self, segment_id: int, *, name: str | None = None, rule: str | None = None) -> TraitSegment:
        """Another name or rule; its id stays. Who enters or leaves by it is told by the next run of each order.

        Raises as ``add``, and InputError ``no_such_segment``.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            found = session.row("SELECT name, rule FROM am_segment WHERE segment_id = ?", [segment_id])
            if found is None:
                raise _missing()
            named = str(found[0]) if name is None else check_name(name, "a segment")
            canonical = str(found[1]) if rule is None else str(parse_segment_rule(rule, onboarded(session)))
            same = "SELECT count(*) FROM am_segment WHERE lower(name) = lower(?) AND segment_id <> ?"
            if session.value(same, [named, segment_id]):
                raise _taken("There is a segment of this name already.", "segment_exists")
            session.run("UPDATE am_segment SET name = ?, rule = ? WHERE segment_id = ?", [named, canonical, segment_id])
            write_audit(session, self._user, "change trait segment", str(segment_id), {})
        return TraitSegment(segment_id=segment_id, name=named, rule=canonical)

    def remove(self, segment_id: int) -> None:
        """Its members are told as removed by the next iterative run of each order. InputError ``no_such_segment``."""
        with self._engine.write, self._engine.session() as session, session.transaction():
            if not session.run("DELETE FROM am_segment WHERE segment_id = ?", [segment_id]):
                raise _missing()
            write_audit(session, self._user, "remove trait segment", str(segment_id), {})


def rules_of(session: Session, wanted: tuple[int, ...]) -> dict[int, SegmentRule]:
    """Id → rule, of these segments or of all; one that is not there (any more) has no members."""
    known = onboarded(session)
    rows = session.rows("SELECT segment_id, rule FROM am_segment ORDER BY segment_id")
    return {number: parse_segment_rule(rule, known) for number, rule in rows if not wanted or number in wanted}


def onboarded(session: Session) -> list[int]:
    """The ids of onboarded traits."""
    return [trait for (trait,) in session.rows("SELECT trait_id FROM am_trait WHERE type = 'onboarded' ORDER BY 1")]


def _missing() -> InputError:
    return InputError(
        "There is no such segment. Nothing was changed.", code="no_such_segment", hint="See: am segment list"
    )


def _taken(what: str, code: str) -> StateError:
    return StateError(f"{what} Nothing was changed.", code=code, hint="Choose another, or put several into one rule.")
