"""The one compiler of rules: a tree becomes a condition on a profile ``p``.

A condition is true for whom the rule is true, and false or NULL for everybody else: ``IS NOT TRUE`` is then the exact
opposite, and plain comparisons reach the scan, ten times faster than ones guarded against NULL. What people wrote is
bound; what is text here is ours, and column names are generated (``a17``). Text is compared without regard to case,
letter by letter, accents count; identifiers are compared exactly, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_core.audience_manager.joined import WITH_TRAIT, Join
from ingest_core.engine import quote
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.segments.operators import BY_NAME
from ingest_core.segments.tree import AllOf, AnyOf, Has, HasTrait, InSegment, InSource, InUpload, Not, Rule
from ingest_core.segments.values import is_day

_IN_SOURCE = "p.pid IN (SELECT m.pid FROM membership AS m WHERE m.source_id = ?)"
_IN_UPLOAD = "p.pid IN (SELECT q.pid FROM resolution AS q WHERE q.rid >= ? AND q.rid < ?)"
_IN_UPLOADS = "p.pid IN (SELECT q.pid FROM resolution AS q WHERE q.rid >> 32 IN ({}))"


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over a profile ``p``, true for whom it is meant, and what is bound in it. To be used behind WHERE or WHEN."""

    sql: str
    parameters: tuple[object, ...] = ()


def compile_rule(rule: Rule, moment: datetime) -> Condition:
    """The condition of a rule. ``moment`` (UTC): whose day is the last of *in the last days*."""
    match rule:
        case AllOf(parts):
            return _joined([compile_rule(part, moment) for part in parts], " AND ", "true")
        case AnyOf(parts):
            return _joined(_any(parts, moment), " OR ", "false")
        case Not(part):
            return _opposite(compile_rule(part, moment), is_set=isinstance(part, InSource | InUpload))
        case InUpload(_, upload_no):
            return _in_uploads([upload_no])
        case InSource(source_id):
            return Condition(_IN_SOURCE, (source_id,))
        case InSegment():
            return compile_rule(rule.rule, moment)
        case HasTrait(trait_id, _, joins):
            return _joined([_with_trait(join, trait_id, moment) for join in joins], " OR ", "false")
        case Has():
            return _has(rule, moment)


def _joined(conditions: list[Condition], word: str, empty: str) -> Condition:
    parameters = tuple(value for condition in conditions for value in condition.parameters)
    return Condition(word.join(f"({condition.sql})" for condition in conditions) or empty, parameters)


def _opposite(condition: Condition, *, is_set: bool = False) -> Condition:
    """``is_set``: IN a set of profiles, never NULL; of that the database makes an anti-join when it sees a NOT."""
    sql = f"NOT ({condition.sql})" if is_set else f"({condition.sql}) IS NOT TRUE"
    return Condition(sql, condition.parameters)


def _any(parts: tuple[Rule, ...], moment: datetime) -> list[Condition]:
    """A segment that every upload added to has many of them: they are looked up at once."""
    uploads = [part.upload_no for part in parts if isinstance(part, InUpload)]
    others = [compile_rule(part, moment) for part in parts if not isinstance(part, InUpload)]
    return [*others, *([_in_uploads(uploads)] if uploads else [])]


def _in_uploads(numbers: list[int | None]) -> Condition:
    known = [number for number in numbers if number is not None]
    if not known:
        return Condition("false")
    if len(known) == 1:
        return Condition(_IN_UPLOAD, (known[0] << 32, (known[0] + 1) << 32))
    return Condition(_IN_UPLOADS.format(", ".join("?" for _ in known)), tuple(known))


def _has(leaf: Has, moment: datetime) -> Condition:
    column = f"p.{quote(leaf.attribute.column)}"
    positive = BY_NAME[leaf.operator.negates] if leaf.operator.negates else leaf.operator
    texts = _days(leaf, moment) if positive.takes == "days" else leaf.values
    sides = [_sides(leaf.attribute, column, text) for text in texts]
    words = {"list": ", ".join(v for _, v in sides)}
    for number, (x, v) in zip(("", "2"), sides, strict=False):
        words |= {f"x{number}": x, f"v{number}": v}
    condition = Condition(positive.sql.format(column=column, **words), texts)
    return _opposite(condition) if leaf.operator.negates else condition


def _with_trait(join: Join, trait_id: int, moment: datetime) -> Condition:
    return Condition(f"{join.of('p')} IN ({WITH_TRAIT})", (*join.bound(moment), trait_id))


def _days(leaf: Has, moment: datetime) -> tuple[str, ...]:
    """The day before the first, and the last."""
    today = moment.date()
    return (today - timedelta(days=int(leaf.values[0]))).isoformat(), today.isoformat()


def _sides(attribute: Attribute, column: str, text: str) -> tuple[str, str]:
    """SQL of the person's value and of a bound text, as they are compared with each other."""
    kind = data_type(attribute.type).sql_type
    if kind == "VARCHAR":
        return (column, "?") if attribute.identifier else (f"lower({column})", "lower(?)")
    if kind == "TIMESTAMP" and is_day(text):
        return f"CAST({column} AS DATE)", "CAST(? AS DATE)"
    return column, f"CAST(? AS {kind})"
