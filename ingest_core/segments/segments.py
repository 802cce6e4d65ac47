"""Segments of a workspace: named rules over profiles, counted whenever something may have changed them.

What a load and an undo do with segments are functions of a session; the rest are the services of ``Segments``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from ingest_core.catalog.names import check_upper_snake
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.uploads import utc
from ingest_core.models import SegmentChange
from ingest_core.segments import counting, masked, member_files, offers, records
from ingest_core.segments.checking import problems
from ingest_core.segments.compiling import Condition, compile_rule
from ingest_core.segments.counting import Counted, counts, keep_counts
from ingest_core.segments.known import Kept, Known, mentions
from ingest_core.segments.records import hide_with, show_with
from ingest_core.segments.rules import RuleError, as_json, named, parse_rule, spelled, stored_rule
from ingest_core.segments.wording import in_words
from ingest_core.vault import Keyset

__all__ = ["Segments", "apply_option", "check_option", "counts", "hide_with", "keep_counts", "show_with"]

Rows = list[dict[str, Any]]
Names = list[str]
Changes = list[SegmentChange]
"""Inside the class, ``list`` is its method."""

MOST_OVERLAPPING = 10
RECENT = 12
"""Counts in the line beside a segment."""


class Segments:
    """Named rules over profiles. Rules are JSON as people write it, see rules.py; profiles are shown masked."""

    def __init__(self, engine: Engine, keyset: Keyset, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._user = user

    def list(self) -> Rows:
        """Every segment, counted now, by name.

        {segment_id, name, version, count, change, recent, rule, words, description, tags, priority, used_by,
        created_at, created_by, updated_at, updated_by, problem}. ``version``: another one after each change;
        ``recent``: the last counts kept, oldest first; ``change``: count − the one before the last of them, None
        without. Where ``problem`` says why a rule cannot be used, count, rule and words are None.
        """
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            return _told(session, known, counting.count_all(session, known))

    def names(self) -> Names:
        """The names alone, without counting."""
        with self._engine.session() as session:
            return [kept.name for kept in Known.of(session).visible]

    def tags(self) -> Names:
        """Every tag that a segment has, by name, without counting."""
        with self._engine.session() as session:
            return sorted({tag for row in records.records(session) for tag in row["tags"]}, key=str.casefold)

    def ids(self) -> dict[str, int]:
        """Name → segment_id of every segment, without counting."""
        with self._engine.session() as session:
            return {kept.name: kept.segment_id for kept in Known.of(session).visible}

    def name_of(self, segment_id: int) -> str | None:
        """Its name of now; None when it is not there (any more)."""
        with self._engine.session() as session:
            kept = Known.of(session).segments.get(segment_id)
        return kept.name if kept is not None and not kept.is_hidden else None

    def show(self, name: str) -> dict[str, Any]:
        """One segment as ``list`` has it. InputError ``no_such_segment``."""
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            kept = records.find(known, name)
            return _told(session, known, counting.count_all(session, known, [kept.segment_id]))[0]

    def add(
        self, name: str, rule: object, description: str = "", *, tags: Sequence[str] = (), priority: int = 0
    ) -> dict[str, Any]:
        """Creates a segment: {name, count}.

        StateError ``segment_exists``; InputError ``bad_upper_snake``, ``bad_tags``, ``bad_priority`` and all of
        ``parse_rule``.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            number = records.create(
                session, name, rule, self._user, description=description, tags=tags, priority=priority
            )
            count = keep_counts(session, "added", only=[number])[name]
            write_audit(session, self._user, "add segment", name, {})
        return {"name": name, "count": count}

    def edit(
        self,
        name: str,
        *,
        new_name: str | None = None,
        rule: object = ...,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        priority: int | None = None,
        version: str | None = None,
    ) -> dict[str, Any]:
        """Changes what is given: {name, count}. Segments that are built on it follow. Raises as ``add``.

        With the ``version`` that somebody looked at: StateError ``segment_changed`` when it is another one by now.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            known = Known.of(session)
            kept = records.find(known, name)
            if version is not None:
                records.refuse_other_version(session, kept, version)
            said = {"description": description, "tags": tags, "priority": priority}
            is_other_rule = records.change(session, kept, self._user, new_name=new_name, rule=rule, **said)
            if is_other_rule:
                keep_counts(session, "changed", only=_built_on(known, kept))
            changed = [what for what, value in {"name": new_name, **said}.items() if value is not None]
            detail = {"name": new_name or kept.name, "changed": [*changed, *(["rule"] if rule is not ... else [])]}
            write_audit(session, self._user, "change segment", kept.name, detail)
        return {"name": new_name or kept.name, "count": self.count(new_name or kept.name)}

    def delete(self, name: str) -> None:
        """Takes a segment away, with its counts. StateError ``segment_in_use`` names those that are built on it."""
        with self._engine.write, self._engine.session() as session, session.transaction():
            kept = records.find(Known.of(session), name)
            records.remove(session, kept)
            write_audit(session, self._user, "delete segment", kept.name, {})

    def count(self, name: str) -> int:
        """How many profiles are in it now. StateError ``segment_unusable`` where its rule cannot be used."""
        with self._engine.session() as session, session.transaction():
            return counting.count(session, condition_of(Known.of(session), name))

    def history(self, name: str) -> Rows:
        """{at, cause: load | undo | redo | added | changed, request_id, count} of the counts kept, oldest first."""
        with self._engine.session() as session:
            kept = records.find(Known.of(session), name)
            return [{**one, "at": utc(one["at"])} for one in counting.history(session, kept.segment_id)]

    def changes_by(self, request_id: str) -> Changes:
        """How loading this upload changed the counts, of every segment there was; before is None for a new one."""
        with self._engine.session() as session:
            return counting.changes_by(session, request_id)

    def preview(self, rule: object, sample: int = 5, *, segment: str | None = None) -> dict[str, Any]:
        """What a rule would be, while it is edited: {count, profiles, words, rule, sample}.

        ``profiles``: all there are; ``sample``: the first of them masked, as ``members`` has them; ``segment``: whose
        rule it is to become, which must not go round in a circle. Raises as ``add``.
        """
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            parsed = parse_rule(rule, known, records.find(known, segment).segment_id if segment else None)
            condition = compile_rule(parsed, now())
            return {
                "count": counting.count(session, condition),
                "profiles": counting.count(session, Condition("true")),
                "words": in_words(parsed),
                "rule": as_json(parsed),
                "sample": self._people(session, known, condition, sample, 0),
            }

    def check(self, rule: object, segment: str | None = None) -> Rows:
        """{path, what, code, hint} of everything that is wrong with a rule, at most one of each part of it."""
        with self._engine.session() as session:
            known = Known.of(session)
            found = problems(rule, known, records.find(known, segment).segment_id if segment else None)
        return [{"path": str(one.facts["path"]), "what": one.what, "code": one.code, "hint": one.hint} for one in found]

    def spelled(self, rule: Any) -> Any:
        """A rule, also an unfinished one, with names and operators spelled as ``show`` spells them."""
        with self._engine.session() as session:
            return spelled(rule, Known.of(session))

    def to_correct(self, name: str) -> Any:
        """The rule of a segment, with names, also of one that cannot be used as it is. Raises ``no_such_segment``."""
        with self._engine.session() as session:
            known = Known.of(session)
            return named(records.find(known, name).rule, known)

    def members(self, name: str, limit: int = 100, offset: int = 0) -> Rows:
        """{profile_id, attributes: {name: text}} of its profiles, masked, in the order of their ids."""
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            return self._people(session, known, condition_of(known, name), limit, offset)

    def overlap(self, names: Sequence[str]) -> dict[str, Any]:
        """How many profiles two segments share, for at most ten: {names, counts: a matrix in their order}."""
        if not 0 < len(names) <= MOST_OVERLAPPING:
            raise InputError(
                f"Name 1 to {MOST_OVERLAPPING} segments to compare.", code="too_many_segments", hint="Choose fewer."
            )
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            found = [records.find(known, name).name for name in names]
            return {"names": found, "counts": counting.overlap(session, [condition_of(known, name) for name in found])}

    def write_members(self, name: str, out: Path | IO[str], *, is_spreadsheet: bool = False) -> int:
        """Writes all its profiles, masked, as CSV; returns how many. See member_files.py. Raises as ``count``."""
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            attributes, condition = list(known.attributes.values()), condition_of(known, name)
            return member_files.write(out, session, self._keyset, attributes, condition, is_spreadsheet=is_spreadsheet)

    def fields(self) -> Rows:
        """What a rule may ask: {attribute, display_name, segment, type, pii, identifier, operators}, see offers.py."""
        with self._engine.session() as session:
            return offers.fields(Known.of(session))

    def values(self, attribute: str, most: int = 100) -> Rows:
        """{value, count} of an attribute, the most frequent first. Raises ``unknown_attribute``, ``personal_data``."""
        with self._engine.session() as session, session.transaction():
            return offers.values(session, Known.of(session), attribute, most)

    def uses(self) -> dict[str, dict[str, Names]]:
        """Which segments name it: {"attribute": {name: segments}, "source": {name: segments}}; only what is named."""
        with self._engine.session() as session:
            known = Known.of(session)
        names = {
            "attribute": {number: one.name for number, one in known.attributes.items()},
            "source": dict(known.sources),
        }
        return {
            kind: {
                name: using
                for number, name in of_kind.items()
                if (using := [kept.name for kept in known.visible if number in mentions(kept.rule, kind)])
            }
            for kind, of_kind in names.items()
        }

    def _people(self, session: Session, known: Known, condition: Condition, limit: int, offset: int) -> Rows:
        found = masked.pids(session, condition, limit, offset)
        return masked.profiles(session, self._keyset, list(known.attributes.values()), found)


def _told(session: Session, known: Known, counted: Sequence[Counted]) -> list[dict[str, Any]]:
    """Segments as people see them, by name."""
    rows = {row["segment_id"]: row for row in records.records(session)}
    recent = counting.recent(session, RECENT)
    told = []
    for one in counted:
        said = rows[one.kept.segment_id]
        kept = recent.get(one.kept.segment_id, [])
        told.append(
            {
                **said,
                **{name: utc(said[name]) for name in ("created_at", "updated_at")},
                "count": one.count,
                "change": one.count - kept[-2] if one.count is not None and len(kept) > 1 else None,
                "recent": kept,
                "rule": as_json(one.rule) if one.rule else None,
                "words": in_words(one.rule) if one.rule else None,
                "used_by": known.used_by(one.kept.segment_id),
                "problem": one.problem.what if one.problem else None,
            }
        )
    return told


def condition_of(known: Known, name: str) -> Condition:
    """The condition of a segment. InputError ``no_such_segment``; StateError ``segment_unusable``."""
    kept = records.find(known, name)
    try:
        return compile_rule(stored_rule(kept.segment_id, known), now())
    except RuleError as problem:
        raise StateError(
            f"The segment {kept.name} has no people until its rule is corrected: {problem.what}.",
            code="segment_unusable",
            hint=f"Change it with: segment edit {kept.name} --rule RULE.json",
        ) from None


def _built_on(known: Known, kept: Kept) -> set[int]:
    """The segment and all whose rules name it, directly or through others."""
    found, latest = {kept.segment_id}, {kept.segment_id}
    while latest:
        latest = {one.segment_id for one in known.visible if mentions(one.rule, "segment") & latest} - found
        found |= latest
    return found


def check_option(session: Session, option: str | None) -> None:
    """Whether ``create:NAME`` or ``add:NAME`` can be done. InputError or StateError before anything is read."""
    if option is None:
        return
    verb, _, name = option.partition(":")
    if verb == "create":
        check_upper_snake(name, "segment name")
        records.refuse_taken(session, name)
    elif verb == "add":
        records.find(Known.of(session), name)
    else:
        raise InputError(
            "The segment option is none, create:NAME or add:NAME. Nothing was loaded.",
            code="bad_segment_option",
            hint="Such as create:SPRING_BUYERS.",
        )


def apply_option(session: Session, option: str | None, request_id: str, user: str) -> str | None:
    """Creates or widens the segment by the rule "in upload X", inside the load's transaction; returns its name."""
    if option is None:
        return None
    verb, _, name = option.partition(":")
    if verb == "create":
        records.create_for_upload(session, name, request_id, user)
        return name
    records.widen(session, name, request_id)
    return records.find(Known.of(session), name).name
