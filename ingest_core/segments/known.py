"""What a rule may name: sources, uploads, attributes and segments, as one session sees them at one moment."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ingest_core.audience_manager.joined import Join, joins
from ingest_core.catalog.attributes import attributes_now
from ingest_core.engine import Session
from ingest_core.models import Attribute
from ingest_core.segments.tree import Rule, Size

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment as it is stored. ``rule``: the JSON tree with ids. Hidden: made by an upload that is undone."""

    segment_id: int
    name: str
    rule: Any
    is_hidden: bool


@dataclass
class Known:
    """Names and ids both ways. ``rules`` and ``sizes`` remember segments whose rule was read already."""

    session: Session
    sources: Mapping[int, str]
    attributes: Mapping[int, Attribute]
    segments: Mapping[int, Kept]
    rules: dict[int, Rule] = field(default_factory=dict)
    sizes: dict[int, Size] = field(default_factory=dict)
    _traits: dict[int, str] | None = None
    _joins: tuple[Join, ...] | None = None
    _uploads: dict[str, int | None] | None = None

    @classmethod
    def of(cls, session: Session) -> Known:
        """As the session sees them now."""
        segments = session.rows("SELECT segment_id, name, rule, undone_with IS NOT NULL FROM segment ORDER BY name")
        return cls(
            session,
            dict(session.rows("SELECT source_id, name FROM source")),
            {attribute.attribute_id: attribute for attribute in attributes_now(session)},
            {number: Kept(number, name, json.loads(rule), hidden) for number, name, rule, hidden in segments},
        )

    @property
    def visible(self) -> list[Kept]:
        """The segments that people see, by name."""
        return [kept for kept in self.segments.values() if not kept.is_hidden]

    @property
    def uploads(self) -> dict[str, int | None]:
        """Request ID → upload number, None while it has none."""
        if self._uploads is None:
            self._uploads = dict(self.session.rows("SELECT request_id, upload_no FROM upload"))
        return self._uploads

    @property
    def traits(self) -> dict[int, str]:
        """Trait of Audience Manager files → its name."""
        if self._traits is None:
            self._traits = dict(self.session.rows("SELECT trait_id, name FROM am_trait"))
        return self._traits

    @property
    def joins(self) -> tuple[Join, ...]:
        """The data sources that name an attribute that holds their ids."""
        if self._joins is None:
            self._joins = joins(self.session)
        return self._joins

    def source(self, name: str) -> int | None:
        """The id of a source; its exact name wins over one that differs in case."""
        return _named(name, ((known, number) for number, known in self.sources.items()))

    def segment(self, name: str) -> int | None:
        """The id of a segment that people see."""
        return _named(name, ((kept.name, kept.segment_id) for kept in self.visible))

    def attribute(self, name: str) -> Attribute | None:
        """By name or by segment name: exactly so, or else without regard to case."""
        by_name = [(one.name, one) for one in self.attributes.values()]
        by_segment = [(one.segment, one) for one in self.attributes.values() if one.segment]
        return _named(name, [*by_name, *by_segment])

    def used_by(self, segment_id: int) -> list[str]:
        """The segments whose rule names this one."""
        return [kept.name for kept in self.segments.values() if segment_id in mentions(kept.rule, "segment")]


def _named(name: str, known: Iterable[tuple[str, T]]) -> T | None:
    """What has exactly this name, or else this name in another case."""
    pairs = list(known)
    for same in (name.__eq__, lambda other: other.casefold() == name.casefold()):
        for other, what in pairs:
            if same(other):
                return what
    return None


def mentions(rule: Any, kind: str) -> set[int]:
    """The ids of one kind (source, attribute, segment) that a stored rule names."""
    if isinstance(rule, list):
        return set().union(*(mentions(part, kind) for part in rule))
    if not isinstance(rule, dict):
        return set()
    own = {rule[kind]} if isinstance(rule.get(kind), int) else set()
    return own.union(*(mentions(rule[group], kind) for group in ("all", "any", "not") if group in rule))


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """A hint: the names that are near this one, or what to do when there are none."""
    near = similar(name, names)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise


def similar(name: str, names: Iterable[str]) -> list[str]:
    """At most three names near this one, the nearest first; one alone that differs in case and separators only."""
    keys: dict[str, str] = {}
    for known in names:
        keys.setdefault(_key(known), known)
    key = _key(name)[:100]
    return [keys[near] for near in ([key] if key in keys else difflib.get_close_matches(key, keys, n=3, cutoff=0.65))]


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
