"""The rule of a segment as a tree: typed, its names resolved, free of behaviour but for its size.

``parse_rule`` (rules.py) makes it, ``compile_rule`` (compiling.py) SQL of it, ``in_words`` (wording.py) a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_core.audience_manager.joined import Join
    from ingest_core.models import Attribute
    from ingest_core.segments.operators import Operator


@dataclass(frozen=True, slots=True)
class AllOf:
    """Everything holds; without parts: everybody."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Something holds; without parts: nobody."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everybody else."""

    part: Rule


@dataclass(frozen=True, slots=True)
class InUpload:
    """Whom an upload brought. ``upload_no`` is None while it has none: then that is nobody."""

    request_id: str
    upload_no: int | None


@dataclass(frozen=True, slots=True)
class InSource:
    """The members of a source."""

    source_id: int
    name: str


@dataclass(frozen=True, slots=True)
class HasTrait:
    """Who has a trait of Audience Manager files, by the ids that data sources hold in an attribute (``joins``)."""

    trait_id: int
    name: str
    joins: tuple[Join, ...]


@dataclass(frozen=True, slots=True)
class InSegment:
    """The people of another segment, by its rule of now."""

    segment_id: int
    name: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Has:
    """An attribute compared with values, each the canonical text of its type (see values.py)."""

    attribute: Attribute
    operator: Operator
    values: tuple[str, ...]


Rule = AllOf | AnyOf | Not | InUpload | InSource | InSegment | HasTrait | Has


@dataclass(frozen=True, slots=True)
class Size:
    """``conditions``: leaves with those of the segments it names; ``depth``: levels with theirs."""

    conditions: int
    depth: int


def size(rule: Rule, of_segments: dict[int, Size] | None = None) -> Size:
    """How large the rule is when the segments it names are written out. Uploads in one *any* count once.

    ``of_segments`` remembers segments, so that one named many times is looked into once.
    """
    remembered = {} if of_segments is None else of_segments
    match rule:
        case AllOf(parts) | AnyOf(parts):
            return _size_of_parts(parts, isinstance(rule, AnyOf), remembered)
        case Not(part):
            inner = size(part, remembered)
            return Size(inner.conditions, inner.depth + 1)
        case InSegment(segment_id, _, inner_rule):
            if segment_id not in remembered:
                inner = size(inner_rule, remembered)
                remembered[segment_id] = Size(inner.conditions, inner.depth + 1)
            return remembered[segment_id]
        case _:
            return Size(1, 1)


def _size_of_parts(parts: tuple[Rule, ...], is_any: bool, remembered: dict[int, Size]) -> Size:
    uploads = sum(isinstance(part, InUpload) for part in parts) if is_any else 0
    sizes = [size(part, remembered) for part in parts]
    conditions = sum(one.conditions for one in sizes) - max(uploads - 1, 0)
    return Size(conditions, 1 + max((one.depth for one in sizes), default=0))
