"""The rule of a segment as JSON: one parser for what people write and for what is stored, one writer for both.

Groups are ``{"all": […]}``, ``{"any": […]}``, ``{"not": …}``. Leaves are ``{"source": NAME}``, ``{"segment": NAME}``,
``{"upload": REQUEST_ID}``, ``{"trait": NUMBER}`` and ``{"attribute": NAME, "operator": …, "value": …}``. Stored rules
hold ids in the place of names, so that a name can be changed. What is wrong is said with the path to it, such as
``rule.all[1].value``.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from ingest_core.errors import InputError
from ingest_core.models import Attribute
from ingest_core.segments.known import Known, did_you_mean
from ingest_core.segments.operators import find_operator, operators_for
from ingest_core.segments.tree import AllOf, AnyOf, Has, HasTrait, InSegment, InSource, InUpload, Not, Rule, size
from ingest_core.segments.values import BadValue, read_values, shown_value

DEEPEST = 50
"""Levels of one rule."""
DEEPEST_IN_ALL = 200
MOST_CONDITIONS = 1_000
"""Levels and conditions of a rule with those of the segments it names."""

_SHAPE = (
    'A rule is one of all, any, not, source, upload, trait, segment or attribute, such as {"any": [{"source": "CRM"}]}.'
)


class RuleError(InputError):
    """A rule that cannot be used; ``what`` is wrong in it, without saying where. Codes: see ``parse_rule``."""

    def __init__(self, path: str, what: str, *, code: str = "bad_rule", hint: str = _SHAPE) -> None:
        super().__init__(
            f"This rule cannot be used: {what} (at {path}). Nothing was changed.",
            code=code,
            hint=hint,
            facts={"path": path},
        )
        self.what = what


def parse_rule(rule: object, known: Known, editing: int | None = None) -> Rule:
    """A rule as a person writes it. ``editing``: the id of the segment it will belong to.

    RuleError ``bad_rule``, ``no_such_source``, ``no_such_upload``, ``no_such_trait``, ``no_such_segment``,
    ``unknown_attribute``, ``not_for_segments``, ``bad_operator``, ``bad_value``, ``segment_cycle``, ``rule_too_large``.
    """
    found = _Reader(known, is_stored=False, trail=() if editing is None else (editing,)).read(rule, "rule", 0)
    check_size(found, known)
    return found


def stored_rule(segment_id: int, known: Known, trail: tuple[int, ...] = ()) -> Rule:
    """The rule of a segment. RuleError when something it names is not what it was."""
    if segment_id in trail:
        names = " → ".join(known.segments[number].name for number in (*trail[trail.index(segment_id) :], segment_id))
        raise RuleError("rule", f"the segments go round in a circle: {names}", code="segment_cycle", hint=_CIRCLE)
    if segment_id not in known.rules:
        reader = _Reader(known, is_stored=True, trail=(*trail, segment_id))
        known.rules[segment_id] = reader.read(known.segments[segment_id].rule, "rule", 0)
    return known.rules[segment_id]


_CIRCLE = "Take one of these segments out of the rule of another."


def check_size(rule: Rule, known: Known, path: str = "rule") -> None:
    """RuleError ``rule_too_large`` unless the database can work the rule out with all it names."""
    whole = size(rule, known.sizes)
    if whole.conditions > MOST_CONDITIONS or whole.depth > DEEPEST_IN_ALL:
        raise RuleError(
            path,
            f"with the segments it names it has {whole.conditions:,} conditions on {whole.depth:,} levels",
            code="rule_too_large",
            hint=f"At most {MOST_CONDITIONS:,} conditions on {DEEPEST_IN_ALL} levels are possible.",
        )


def as_json(rule: Rule, *, is_stored: bool = False) -> Any:
    """The JSON of a rule: with names for people, with ids to be stored."""
    match rule:
        case AllOf(parts):
            return {"all": [as_json(part, is_stored=is_stored) for part in parts]}
        case AnyOf(parts):
            return {"any": [as_json(part, is_stored=is_stored) for part in parts]}
        case Not(part):
            return {"not": as_json(part, is_stored=is_stored)}
        case InUpload(request_id):
            return {"upload": request_id}
        case InSource(source_id, name):
            return {"source": source_id if is_stored else name}
        case HasTrait(trait_id):
            return {"trait": trait_id}
        case InSegment(segment_id, name):
            return {"segment": segment_id if is_stored else name}
        case Has(attribute, operator):
            which = attribute.attribute_id if is_stored else attribute.name
            return {"attribute": which, "operator": operator.name, **shown_value(rule)}


def named(stored: Any, known: Known) -> Any:
    """A stored rule with names in the place of ids, whether it can be used or not: to be corrected by a person."""
    if isinstance(stored, list):
        return [named(part, known) for part in stored]
    if not isinstance(stored, dict):
        return stored
    names = {
        "source": known.sources,
        "attribute": {number: one.name for number, one in known.attributes.items()},
        "segment": {number: kept.name for number, kept in known.segments.items()},
    }
    return {
        key: names[key].get(part, part) if key in names and isinstance(part, int) else named(part, known)
        for key, part in stored.items()
    }


def spelled(rule: Any, known: Known) -> Any:
    """A rule as a person writes it, with names and operators spelled as they are; what is not known stays as it is."""
    if isinstance(rule, list):
        return [spelled(part, known) for part in rule]
    if not isinstance(rule, dict):
        return rule
    made = {key: spelled(part, known) if key in ("all", "any", "not") else part for key, part in rule.items()}
    attribute = known.attribute(made["attribute"]) if isinstance(made.get("attribute"), str) else None
    if attribute is not None:
        made["attribute"] = attribute.name
        written = made.get("operator")
        operator = find_operator(attribute, written) if isinstance(written, str) else None
        made |= {"operator": operator.name} if operator is not None else {}
    if isinstance(made.get("source"), str) and (number := known.source(made["source"])) is not None:
        made["source"] = known.sources[number]
    if isinstance(made.get("segment"), str) and (number := known.segment(made["segment"])) is not None:
        made["segment"] = known.segments[number].name
    return made


def rule_from_text(text: str) -> Any:
    """The JSON of a rule, as in a rule file. InputError ``bad_rule`` with line and column where JSON says them."""
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        where = f" at line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        where = ""
    raise InputError(
        f"The rule is not valid JSON{where}. Nothing was changed.",
        code="bad_rule",
        hint='Such as {"any": [{"source": "CRM"}]}.',
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands there twice, JSON would take the last without a word."""
    if len(pairs) != len({key for key, _ in pairs}):
        raise ValueError
    return dict(pairs)


@dataclass(frozen=True)
class _Reader:
    """Reads one tree. ``trail``: the segments whose rules are being read, outermost first."""

    known: Known
    is_stored: bool
    trail: tuple[int, ...]

    def read(self, node: object, path: str, depth: int) -> Rule:
        if depth > DEEPEST and not self.is_stored:
            raise RuleError(path, f"it has more than {DEEPEST} levels")
        if not isinstance(node, dict) or not node:
            raise RuleError(path, "this is no part of a rule")
        if "attribute" in node:
            return self._has(node, path)
        if len(node) > 1:
            raise RuleError(path, "a group or a condition has one key; put several into a list of all or any")
        ((kind, body),) = node.items()
        match kind:
            case "all" | "any":
                parts = self._parts(body, f"{path}.{kind}", depth)
                return AllOf(parts) if kind == "all" else AnyOf(parts)
            case "not":
                return Not(self.read(body, f"{path}.not", depth + 1))
            case "upload":
                return self._upload(body, f"{path}.upload")
            case "trait":
                return self._trait(body, f"{path}.trait")
            case "source":
                return self._source(body, f"{path}.source")
            case "segment":
                return self._segment(body, f"{path}.segment")
        raise RuleError(path, "a rule has no such part")

    def _parts(self, body: object, path: str, depth: int) -> tuple[Rule, ...]:
        if not isinstance(body, list):
            raise RuleError(path, "a group is a list")
        return tuple(self.read(part, f"{path}[{number}]", depth + 1) for number, part in enumerate(body))

    def _upload(self, request_id: object, path: str) -> InUpload:
        request_id = self._name(request_id, path, "the Request ID of an upload")
        if request_id not in self.known.uploads and not self.is_stored:
            raise RuleError(path, "there is no such upload", code="no_such_upload", hint="See: history")
        return InUpload(request_id, self.known.uploads.get(request_id))

    def _trait(self, named: object, path: str) -> HasTrait:
        text = str(named) if isinstance(named, int | str) and not isinstance(named, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise RuleError(path, "a trait is named by its number")
        name = self.known.traits.get(int(text))
        if name is None:
            raise RuleError(path, "there is no such trait", code="no_such_trait", hint="See: am trait list")
        return HasTrait(int(text), name, self.known.joins)

    def _source(self, named: object, path: str) -> InSource:
        source_id = self._id(named, self.known.sources)
        if source_id is None:
            name = self._name(named, path, "the name of a source")
            source_id = self.known.source(name)
            if source_id is None:
                hint = did_you_mean(name, self.known.sources.values(), "See the names with: source list")
                raise RuleError(path, "there is no such source", code="no_such_source", hint=hint)
        return InSource(source_id, self.known.sources[source_id])

    def _segment(self, named: object, path: str) -> InSegment:
        segment_id = self._id(named, self.known.segments)
        if segment_id is None:
            name = self._name(named, path, "the name of a segment")
            segment_id = self.known.segment(name)
            if segment_id is None:
                names = [kept.name for kept in self.known.visible]
                hint = did_you_mean(name, names, "See the names with: segment list")
                raise RuleError(path, "there is no such segment", code="no_such_segment", hint=hint)
        try:
            rule = stored_rule(segment_id, self.known, self.trail)
        except RuleError as error:  # the person sees this rule, not the one the error is in
            raise RuleError(path, error.what, code=error.code, hint=error.hint) from None
        return InSegment(segment_id, self.known.segments[segment_id].name, rule)

    def _has(self, node: dict[str, Any], path: str) -> Has:
        if unknown := sorted(str(key) for key in node if key not in ("attribute", "operator", "value")):
            raise RuleError(path, f"an attribute has operator and value beside it, not {', '.join(unknown)[:100]}")
        attribute = self._attribute(node["attribute"], f"{path}.attribute")
        written = node.get("operator")
        operator = find_operator(attribute, written) if isinstance(written, str) else None
        if operator is None:
            raise _bad_operator(attribute, f"{path}.operator")
        try:
            return Has(attribute, operator, read_values(attribute, operator, node.get("value")))
        except BadValue as wrong:
            what = f"the value to compare {attribute.name} with {wrong}"
            raise RuleError(f"{path}.value", what, code="bad_value", hint="Correct the value.") from None

    def _attribute(self, named: object, path: str) -> Attribute:
        by_id = self._id(named, self.known.attributes)
        if by_id is not None:
            return self.known.attributes[by_id]
        name = self._name(named, path, "the name of an attribute")
        attribute = self.known.attribute(name)
        if attribute is None:
            names = [known.name for known in self.known.attributes.values()]
            hint = did_you_mean(name, names, "See the names with: attribute list")
            raise RuleError(path, "there is no such attribute", code="unknown_attribute", hint=hint)
        if attribute.segment is None:
            raise RuleError(
                path,
                f"{attribute.name} is not made for segments",
                code="not_for_segments",
                hint=f"Allow it with: attribute change {shlex.quote(attribute.name)} --segment {_upper(attribute)}",
            )
        return attribute

    def _id(self, named: object, known: Any) -> int | None:
        """A stored id. Rules of the first version held the names of sources: those are read as a person's are."""
        if not self.is_stored or not isinstance(named, int):
            return None
        return named if named in known else None

    def _name(self, named: object, path: str, what: str) -> str:
        if not isinstance(named, str):
            raise RuleError(path, f"{what} is a text" if not self.is_stored else "what it names is not there any more")
        return named


def _bad_operator(attribute: Attribute, path: str) -> RuleError:
    names = ", ".join(operator.name for operator in operators_for(attribute))
    if attribute.pii:
        what = f"{attribute.name} is personal data: a rule may only ask whether there is a value"
    else:
        what = f"{attribute.name} ({attribute.type}) has no such operator"
    return RuleError(path, what, code="bad_operator", hint=f"Choose one of: {names}.")


def _upper(attribute: Attribute) -> str:
    """A segment name that the attribute could have."""
    return re.sub("[^A-Z0-9]+", "_", attribute.name.upper()).strip("_") or "NAME"
