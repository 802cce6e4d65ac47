"""Looking at people: all of them, one by identifier, where values come from, what happened, whom an upload changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest_core.audience_manager.joined import traits_of
from ingest_core.clock import now
from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.changes import Change, changes
from ingest_core.ledger.fields import Fields
from ingest_core.models import Attribute, TypeContext
from ingest_core.people import browsing, finding, lineage
from ingest_core.people.finding import normal
from ingest_core.people.ids import profile_id, record_of
from ingest_core.people.texts import Texts, checked_reason, shown
from ingest_core.people.timeline import timeline
from ingest_core.segments import masked
from ingest_core.segments.counting import segments_of
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, token

Whom = Callable[[Session], int]
Entries = list[dict[str, Any]]
"""Inside the class, ``list`` is its method."""


class People:
    """Reads profiles.

    Plain PII is returned only when ``reveal`` is asked for, which is written to the audit log, with the ``reason`` that
    is given. A reason that holds what is revealed shows nothing: InputError ``personal_reason``; also ``bad_reason``.
    """

    def __init__(self, engine: Engine, keyset: Keyset, settings: Settings, attributes: Any, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._settings = settings
        self._attributes = attributes
        self._user = user

    def count(self) -> int:
        """How many profiles there are."""
        with self._engine.session() as session:
            return int(session.value("SELECT count(*) FROM profile"))

    def list(
        self,
        *,
        source: str | None = None,
        segment: str | None = None,
        limit: int = 50,
        older_than: str | None = None,
        newer_than: str | None = None,
    ) -> dict[str, Any]:
        """Profiles, masked, the newest first: {profiles, total, newer, older}

        ``profiles``: [{profile_id, attributes: {name: text}, sources, since}], ``since`` when the upload was finished
        that first named the person. ``total`` is everybody whom ``source`` and ``segment`` leave, ``newer`` and
        ``older`` how many come before and after these. ``older_than`` and ``newer_than`` are ids of profiles, at most
        one of them. InputError ``no_such_source``, ``no_such_segment``, ``no_such_profile``.
        """
        attributes = self._attributes.list()
        with self._engine.session() as session, session.transaction():
            condition = browsing.who(session, source, segment)
            return browsing.page(session, self._keyset, attributes, condition, limit, older_than, newer_than)

    def filters(self) -> dict[str, Any]:
        """{sources, segments}: the names that ``list`` can be limited to."""
        with self._engine.session() as session:
            return browsing.filters(session)

    def find(self, value: str) -> dict[str, Any]:
        """Whom a value names, as whatever identifier: {matches, nobody, tried}

        ``matches``: [{profile_id, by: names of identifiers (or profile_id), attributes: {name: text}}], masked, those
        by the strongest identifier first. ``nobody``: [{attribute, why: shared | contested}] where the value is known
        but names nobody. ``tried``: the identifiers that it could be. InputError ``bad_value`` when it is empty.
        """
        attributes = self._attributes.list()
        with self._engine.session() as session, session.transaction():
            contexts = finding.contexts_of(session, self._settings)
            found = finding.find(session, self._keyset, attributes, value, contexts)
            people = masked.profiles(session, self._keyset, attributes, [*found.by])
        return finding.as_told(found, people)

    def show(self, attribute: str, value: str, *, reveal: bool = False, reason: str | None = None) -> dict[str, Any]:
        """{profile_id, attributes: {name: {value, request_id, file, line, lines, at}}, sources, memberships: [{source,
        request_id, file, at}], segments, traits}

        ``traits``: [{trait_id, name, source, dpid, id, realised_at, until, file, line, request_id}] of Audience Manager
        files, where a data source names the attribute that holds its ids. ``request_id`` and ``line`` of a value name
        the line that holds it, ``at`` when its upload was finished; of a sum or count it is the last of the ``lines``
        that made it. A membership names the upload that brought it. InputError ``not_an_identifier``, ``bad_value``,
        ``no_such_profile``.
        """
        return self._look(self._by(attribute, value), attribute, reveal, reason)

    def person(self, profile_id: str, *, reveal: bool = False, reason: str | None = None) -> dict[str, Any]:
        """As ``show``, of the one to whom this profile's first record belongs today. InputError ``no_such_profile``."""
        return self._look(_with(profile_id), "profile_id", reveal, reason)

    def value_history(
        self,
        by_attribute: str,
        value: str,
        attribute: str | None = None,
        *,
        reveal: bool = False,
        reason: str | None = None,
    ) -> Entries:
        """What live uploads said about one person, newest first: one entry per upload and attribute that it stated.

        {attribute, value, request_id, source, file, line, lines, at, effect, is_current}. ``effect``: *set*;
        *combined* (a sum or count of several lines); *kept out* (by the rule *keep* the older value stayed); *cleared*
        (value None); *does not fit* (the attribute has another type now, or cannot hold the sum). ``is_current``: the
        value of today is this one.
        ``attribute``: only this one. Raises as ``show``, and InputError ``unknown_attribute``.
        """
        return self._history(self._by(by_attribute, value), by_attribute, attribute, reveal, reason)

    def history_of(
        self, profile_id: str, attribute: str | None = None, *, reveal: bool = False, reason: str | None = None
    ) -> Entries:
        """As ``value_history``, of the one to whom this profile's first record belongs today."""
        return self._history(_with(profile_id), "profile_id", attribute, reveal, reason)

    def timeline(self, by_attribute: str, value: str, *, reveal: bool = False, reason: str | None = None) -> Entries:
        """Every upload that has rows of a person, newest first.

        {request_id, source, file, at, user, undone_at, undone_by, state: counts | undone | replaced, line, lines,
        is_first, is_new_member, joined, said}. ``line`` is the first of the person's ``lines``; ``is_first``: the
        person begins with it. ``said``: [{attribute, value, before, effect, line, lines, is_change, is_current}] with
        the effects of ``value_history``; of uploads that count for nothing *not counted*. ``joined``: [{line, profiles,
        by: [{attribute, value}]}] where the upload made one person of several, known from the rows that are theirs
        today. Of uploads that count for nothing the newest 50 are looked into. Raises as ``show``.
        """
        return self._timeline(self._by(by_attribute, value), by_attribute, reveal, reason)

    def timeline_of(self, profile_id: str, *, reveal: bool = False, reason: str | None = None) -> Entries:
        """As ``timeline``, of the one to whom this profile's first record belongs today."""
        return self._timeline(_with(profile_id), "profile_id", reveal, reason)

    def changed_by(self, request_id: str, limit: int = 100, offset: int = 0, *, reveal: bool = False) -> Entries:
        """The people that an upload touched, in the order of its lines.

        {profile_id, kind: created | updated | unchanged, is_new_member, attributes: {name: {before, after}}}, the
        attributes whose value differs; somebody may be *updated* only because they are new in the source. People and
        former values are those of today's log: without uploads that were undone or replaced.
        InputError ``no_such_upload``; StateError ``undone``, ``replaced``.
        """
        attributes = {a.attribute_id: a for a in self._attributes.list()}
        with self._engine.session() as session, session.transaction():
            found = changes(session, Fields.of(list(attributes.values())), request_id, limit, offset)
            pairs = [(attributes[number], pair) for change in found for number, pair in change.values.items()]
            texts = Texts(session, self._keyset, is_plain=reveal)
            texts.of([one.value for a, pair in pairs if a.pii for one in pair if one is not None])
            found_now = [_changed(change, attributes, texts) for change in found]
        if reveal:
            self._reveal(request_id, {"by": "upload", "people": len(found_now)})
        return found_now

    def whom(self, attribute: str, value: str) -> Whom:
        """The profile that a value names, found when a session is given; raises as ``show``."""
        return self._by(attribute, value)

    def whom_of(self, profile_id: str) -> Whom:
        """The profile to whom this profile's first record belongs today."""
        return _with(profile_id)

    def _by(self, attribute: str, value: str) -> Whom:
        by = self._attributes.get(attribute)
        return lambda session: self._find(session, by, value)

    def _look(self, whom: Whom, by: str, reveal: bool, reason: str | None) -> dict[str, Any]:
        with self._engine.session() as session, session.transaction():
            pid = whom(session)
            found = self._show(session, pid, self._texts(session, reveal, reason))
        if reveal:
            self._reveal(profile_id(pid), {"by": by}, reason)
        return found

    def _history(self, whom: Whom, by: str, attribute: str | None, reveal: bool, reason: str | None) -> Entries:
        attributes = self._attributes.list() if attribute is None else [self._attributes.get(attribute)]
        with self._engine.session() as session, session.transaction():
            pid = whom(session)
            found = lineage.history(session, pid, Fields.of(attributes), self._texts(session, reveal, reason).of)
        if reveal:
            self._reveal(profile_id(pid), {"by": by, "history": attribute or "all"}, reason)
        return found

    def _timeline(self, whom: Whom, by: str, reveal: bool, reason: str | None) -> Entries:
        fields = Fields.of(self._attributes.list())
        with self._engine.session() as session, session.transaction():
            pid = whom(session)
            found = timeline(session, pid, fields, self._texts(session, reveal, reason).of)
        if reveal:
            self._reveal(profile_id(pid), {"by": by, "timeline": "all"}, reason)
        return found

    def _texts(self, session: Session, reveal: bool, reason: str | None) -> Texts:
        return Texts(session, self._keyset, is_plain=reveal, reason=reason)

    def _reveal(self, what: str, detail: dict[str, Any], reason: str | None = None) -> None:
        why = checked_reason(reason)
        with self._engine.write, self._engine.session() as session, session.transaction():
            write_audit(session, self._user, "reveal", what, {**detail, **({"reason": why} if why else {})})

    def _find(self, session: Session, attribute: Attribute, value: str) -> int:
        if attribute.identifier is None:
            raise InputError(
                f"{attribute.name} does not identify people.",
                code="not_an_identifier",
                hint="Look people up by an identifier such as crmid, email or phone.",
            )
        context = TypeContext(self._settings.phone_country, self._settings.lower_email_local)
        try:
            text = normal(attribute, value, context)
        except ValueError:
            raise InputError(
                f"This is not a value of {attribute.name}.", code="bad_value", hint="Check the spelling."
            ) from None
        found = session.value(
            "SELECT pid FROM identity WHERE token = ?", [token(self._keyset.token_key(attribute.attribute_id), text)]
        )
        if found is None:
            raise InputError(
                f"Nobody is known by this {attribute.name}.",
                code="no_such_profile",
                hint="A value that is contested or shared by many names nobody.",
            )
        return int(found)

    def _show(self, session: Session, pid: int, texts: Texts) -> dict[str, Any]:
        attributes = self._attributes.list()
        columns = ", ".join(f"{shown(a)} AS {quote(a.column)}" for a in attributes)
        record = session.records(f"SELECT {columns} FROM profile WHERE pid = ?", [pid])[0]
        texts.of([record[a.column] for a in attributes if a.pii])
        origins = lineage.origins(session, pid, Fields.of(attributes))
        members = browsing.memberships(session, pid)
        return {
            "profile_id": profile_id(pid),
            "attributes": {
                a.name: {"value": texts.text(a, record[a.column]), **origins.get(a.attribute_id, lineage.NOWHERE)}
                for a in attributes
                if record[a.column] is not None
            },
            "sources": [member["source"] for member in members],
            "memberships": members,
            "segments": segments_of(session, pid),
            "traits": traits_of(session, pid, now()),
        }


def _changed(change: Change, attributes: dict[int, Attribute], texts: Texts) -> dict[str, Any]:
    return {
        "profile_id": profile_id(change.pid),
        "kind": change.kind,
        "is_new_member": change.is_new_member,
        "attributes": {
            attributes[number].name: {
                "before": before and texts.text(attributes[number], before.value),
                "after": after and texts.text(attributes[number], after.value),
            }
            for number, (before, after) in change.values.items()
        },
    }


def _with(public_id: str) -> Whom:
    return lambda session: _owner(session, public_id)


def _owner(session: Session, public_id: str) -> int:
    """Whom the record that a public id names belongs to today."""
    rid = record_of(public_id)
    found = session.value("SELECT pid FROM resolution WHERE rid = ?", [-1 if rid is None else rid])
    if found is None:
        raise InputError(
            "There is no such profile (any more).",
            code="no_such_profile",
            hint="Its upload may have been undone. Look the person up by an identifier.",
        )
    return int(found)
