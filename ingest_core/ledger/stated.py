"""What each upload stated about a few people, and what became of it: the log read for lineage.

The lines of one upload are combined by the very expression of the folds (``profiles.combined``), so that lineage names
what a profile really holds. What follows from several uploads is worked out here, upload by upload, for few people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ingest_core.engine import Session, quote
from ingest_core.ledger.fields import Fields, fits, is_cleared, typed
from ingest_core.ledger.profiles import combined
from ingest_core.ledger.refold import Rules
from ingest_core.ledger.rules_of import rules_of
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute

SET, COMBINED, KEPT_OUT, CLEARED, UNFIT = "set", "combined", "kept out", "cleared", "does not fit"


@dataclass(frozen=True, slots=True)
class Stated:
    """One upload's word on one attribute of one person.

    ``value`` is what it comes to, as the profile has it (of PII the token): None when it clears or when nothing of it
    fits the type. ``text`` is the same, or the last text that does not fit. ``line`` holds the value; ``lines`` is how
    many made it: 1, but for sums and counts.
    """

    pid: int
    upload_no: int
    value: str | UUID | None
    text: str | UUID | None
    is_cleared: bool
    is_keep: bool
    line: int
    lines: int


def look_at(session: Session, fields: Fields, whom: str, parameters: Sequence[object]) -> Rules:
    """Reads the rows of some people into table ``looked_at``; returns the rules of the uploads they came by.

    ``whom``: SQL of ours over resolution ``q``.
    """
    columns = "".join(f", record.{quote(a.column)}" for a in fields.attributes)
    session.run(
        f"CREATE OR REPLACE TEMP TABLE looked_at AS SELECT q.pid, record.rid{columns} "
        f"FROM record JOIN (SELECT pid, rid FROM resolution AS q WHERE {whom}) AS q ON q.rid = record.rid",
        parameters,
    )
    present = {number for (number,) in session.rows("SELECT DISTINCT rid >> 32 FROM looked_at")}
    rules = rules_of(session, fields).by_upload
    return Rules({number: columns for number, columns in rules.items() if number in present})


def stated(session: Session, attribute: Attribute, rules: Rules) -> dict[int, list[Stated]]:
    """Pid → what was stated about this attribute in table ``looked_at``, in upload order."""
    parts = [
        _statements(attribute, combine, is_keep=conflict == "keep", uploads=uploads)
        for (combine, conflict), uploads in rules.uploads(attribute).items()
    ]
    if not parts:
        return {}
    value = (
        typed(attribute, "log") if attribute.pii else plain(attribute, f"CAST({typed(attribute, 'log')} AS VARCHAR)")
    )
    rows = session.rows(
        f"SELECT pid, upload_no, {value}, coalesce({value}, last), coalesce({is_cleared(attribute, 'log')}, false), "
        f"is_keep, coalesce(rid, last_rid) & 4294967295, lines FROM ({' UNION ALL '.join(parts)}) ORDER BY upload_no"
    )
    found: dict[int, list[Stated]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Stated(*row))
    return found


def _statements(attribute: Attribute, combine: str, *, is_keep: bool, uploads: Sequence[int]) -> str:
    """SQL: the lines of each of these uploads about each person, combined. What does not fit the type is not there."""
    column = quote(attribute.column)
    value = f"CASE WHEN {fits(attribute, column)} THEN {column} END"
    rid, lines = _holder(attribute, combine, value)
    return f"""
SELECT pid, rid >> 32 AS upload_no, {combined(attribute, combine, value, "rid")} AS log, {is_keep} AS is_keep,
       CASE WHEN count({value}) = 0 THEN arg_max({column}, rid) END AS last,
       {rid} AS rid, max(rid) AS last_rid, {lines} AS lines
FROM looked_at WHERE {column} IS NOT NULL AND rid >> 32 IN ({", ".join(map(str, uploads))})
GROUP BY pid, rid >> 32"""


def _holder(attribute: Attribute, combine: str, value: str) -> tuple[str, str]:
    """SQL aggregates: the rid of the line that holds the combined value, and how many lines made it."""
    match combine:
        case "first" | "last":
            side = "min" if combine == "first" else "max"
            return f"{side}(rid) FILTER ({value} IS NOT NULL)", "1"
        case "sum" | "count":
            number = f"TRY_CAST(nullif({value}, '') AS DECIMAL(28,10))"
            return f"max(rid) FILTER ({number} IS NOT NULL)", f"greatest(count({number}), 1)"
        case _:
            fitting, sign = typed(attribute, value), "" if combine == "min" else "-"
            return f"arg_{combine}(rid, ({fitting}, {sign}rid)) FILTER ({fitting} IS NOT NULL)", "1"


def plain(attribute: Attribute, text: str) -> str:
    """SQL: a typed value's text as people write it: decimals without trailing zeros."""
    if data_type(attribute.type).sql_type.startswith("DECIMAL"):
        return f"rtrim(rtrim({text}, '0'), '.')"
    return text


def effects(statements: Sequence[Stated]) -> list[str]:
    """What became of each statement, in upload order."""
    return [effect for effect, _ in follow(statements)]


def standing(statements: Sequence[Stated]) -> Stated | None:
    """The statement whose value stands in the end, None when there is no value."""
    followed = follow(statements)
    return followed[-1][1] if followed else None


def follow(statements: Sequence[Stated]) -> list[tuple[str, Stated | None]]:
    """(effect, the statement that stands afterwards) of each statement: the rules *blank* and *conflict*."""
    followed = []
    held: Stated | None = None
    for one in statements:
        if one.is_cleared:
            effect, held = CLEARED, None
        elif one.value is None:
            effect = UNFIT
        elif one.is_keep and held is not None:
            effect = KEPT_OUT
        else:
            effect, held = COMBINED if one.lines > 1 else SET, one
        followed.append((effect, held))
    return followed
