"""A change of type: one column of the profile is folded again from the log, which holds every value as text.

Nothing is lost: a text that does not fit the new type stays in the log, and comes back with a type that it fits.
"""

from __future__ import annotations

import json

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import must_be
from ingest_core.errors import InputError, StateError
from ingest_core.faults import abort_point
from ingest_core.ledger.fields import Fields, fits, profile_type
from ingest_core.ledger.refold import refold
from ingest_core.ledger.rules_of import rules_of
from ingest_core.ledger.stated import plain
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, ColumnMapping, Model

TARGETS = ("string", "number", "integer", "boolean", "date", "datetime")
"""Types that values can be changed to: the profile decides by itself whether a text fits them."""

SAMPLES = 5


class TypeChange(Model):
    """What a change of type does to the profiles that have a value now, or get one.

    ``profiles = same + rewritten + lost``; ``lost`` have no value afterwards, ``rewritten`` one that reads otherwise
    (5.7 as integer: 6; or an older value, as a text that does not fit counts as absent), ``regained`` have none now and
    one afterwards. ``texts_lost`` counts the distinct texts in the log that do not fit, the commonest of them in
    ``samples``. ``rewritten_samples``: (before, after).
    """

    attribute: str
    type_before: str
    type_after: str
    profiles: int
    same: int
    rewritten: int
    lost: int
    regained: int
    texts_lost: int
    samples: tuple[str, ...]
    rewritten_samples: tuple[tuple[str, str], ...]


def check_target(session: Session, attribute: Attribute, kind: str) -> None:
    """InputError ``unknown_type``, ``type_not_changeable``; StateError ``type_in_use``."""
    data_type(kind)
    why = "its values are personal data, kept as tokens" if attribute.pii else None
    why = "it is an identifier" if attribute.identifier else why
    if why or kind not in TARGETS:
        raise InputError(
            f"The type of {attribute.name} stays as it is: {why or f'values cannot become {kind} afterwards'}. "
            "Nothing was changed.",
            code="type_not_changeable",
            hint="Create a new attribute and load the files into that one."
            if why
            else f"Choose one of: {', '.join(TARGETS)}.",
            facts={"attribute": attribute.name, "types": list(TARGETS)},
        )
    refused = sorted(rule for rule in _rules_ever(session, attribute) if not _can_combine(rule, kind))
    if refused:
        raise StateError(
            f"Uploads combine values of {attribute.name} by {' and '.join(refused)}, which the type {kind} cannot. "
            "Nothing was changed.",
            code="type_in_use",
            hint="Create a new attribute of this type for files to come.",
            facts={"attribute": attribute.name, "combine": refused},
        )


def _rules_ever(session: Session, attribute: Attribute) -> set[str]:
    """The combine rules that any upload used for the attribute; one that does not count now may count again."""
    rows = session.rows(
        "SELECT DISTINCT columns FROM mapping JOIN upload ON mapping.source_id = upload.source_id "
        "AND mapping.version = upload.mapping_version WHERE upload.status = 'Completed'"
    )
    columns = [ColumnMapping(**column) for (text,) in rows for column in json.loads(text)]
    return {column.combine for column in columns if column.attribute == attribute.name}


def _can_combine(rule: str, kind: str) -> bool:
    if rule in ("sum", "count"):
        return data_type(kind).can_sum
    return rule not in ("min", "max") or data_type(kind).is_ordered


def fold_as(session: Session, attribute: Attribute, kind: str) -> TypeChange:
    """Folds the values of everybody as if the attribute were of this type, into table ``retyped`` (pid, its column)."""
    changed = attribute.model_copy(update={"type": kind})
    column = quote(attribute.column)
    session.run("CREATE OR REPLACE TEMP TABLE refold_row AS SELECT pid, rid FROM resolution")
    session.run(f"CREATE OR REPLACE TEMP TABLE retyped (pid BIGINT, {column} {profile_type(changed)})")
    fields = Fields((changed,))
    refold(session, fields, rules_of(session, fields), is_everybody=True, into="retyped")
    pairs = (
        f"SELECT {plain(attribute, f'CAST(profile.{column} AS VARCHAR)')} AS old, "
        f"{plain(changed, f'CAST(retyped.{column} AS VARCHAR)')} AS new FROM profile JOIN retyped USING (pid)"
    )
    counts = session.records(_COUNTS.format(pairs=pairs))[0]
    unfit = _UNFIT.format(column=column, fits=fits(changed, column))
    texts, samples = session.rows(unfit)[0]
    return TypeChange(
        attribute=attribute.name,
        type_before=attribute.type,
        type_after=kind,
        **counts,
        texts_lost=texts,
        samples=tuple(samples or ()),
        rewritten_samples=tuple(session.rows(_REWRITTEN.format(pairs=pairs))),
    )


_COUNTS = """
SELECT count(old) AS profiles, count(*) FILTER (old = new) AS same, count(*) FILTER (old <> new) AS rewritten,
       count(*) FILTER (old IS NOT NULL AND new IS NULL) AS lost,
       count(*) FILTER (old IS NULL AND new IS NOT NULL) AS regained
FROM ({pairs})"""

_REWRITTEN = f"""
SELECT old, new FROM ({{pairs}}) WHERE old <> new GROUP BY ALL ORDER BY count(*) DESC, old LIMIT {SAMPLES}"""

_UNFIT = f"""
WITH text AS (
    SELECT {{column}} AS text, count(*) AS rows FROM record
    WHERE rid IN (SELECT rid FROM refold_row) AND {{column}} IS NOT NULL AND NOT {{fits}}
    GROUP BY ALL
), commonest AS (
    FROM text ORDER BY rows DESC, text LIMIT {SAMPLES}
)
SELECT (SELECT count(*) FROM text), (SELECT list(text ORDER BY rows DESC, text) FROM commonest)"""


def change_type(session: Session, attribute: Attribute, kind: str) -> TypeChange:
    """Gives the profile's column its new type and values, inside the caller's transaction."""
    abort_point("change type", "before")
    change = fold_as(session, attribute, kind)
    column = quote(attribute.column)
    new_type = profile_type(attribute.model_copy(update={"type": kind}))
    session.run(f"ALTER TABLE profile ALTER COLUMN {column} SET DATA TYPE {new_type} USING NULL")
    written = session.run(
        f"UPDATE profile SET {column} = retyped.{column} FROM retyped WHERE retyped.pid = profile.pid"
    )
    must_be(written or 0, int(session.value("SELECT count(*) FROM profile")), "profiles with the new type")
    session.run("UPDATE attribute SET type = ? WHERE attribute_id = ?", [kind, attribute.attribute_id])
    abort_point("change type", "after")
    return change
