"""Folds one upload's rows into the profiles they landed on: one value per attribute, by the mapping's rules."""

from __future__ import annotations

from collections.abc import Sequence

from ingest_core.engine import quote
from ingest_core.engine.steps import Step
from ingest_core.ledger.fields import Fields, column_type, is_cleared, profile_type, typed
from ingest_core.models import Attribute, ColumnMapping

Mapped = Sequence[tuple[Attribute, ColumnMapping]]


def combined(attribute: Attribute, combine: str, value: str, order: str) -> str:
    """SQL aggregate: several log values of one person in one file → one log value (text or token)."""
    number = f"TRY_CAST(nullif({value}, '') AS DECIMAL(28,10))"  # ten billion of the largest add up without overflow
    match combine:
        case "last":
            return f"arg_max({value}, {order}) FILTER (WHERE {value} IS NOT NULL)"
        case "first":
            return f"arg_min({value}, {order}) FILTER (WHERE {value} IS NOT NULL)"
        case "sum" | "count":
            # A sum that does not fit the attribute says nothing, here and in a rebuild.
            total = f"CAST(TRY_CAST(sum({number}) AS {profile_type(attribute)}) AS VARCHAR)"
            return f"CASE WHEN count({number}) = 0 THEN min({value}) ELSE {total} END"
        case _:
            kind = profile_type(attribute)
            least = f"{combine}(TRY_CAST(nullif({value}, '') AS {kind}))"
            return f"coalesce(CAST({least} AS VARCHAR), min({value}))"


def fold(fields: Fields, mapped: Mapped) -> list[Step]:
    """The steps from ``landed`` and ``stage`` to table ``profile``; rows of ``refold`` are left to the log's fold."""
    return [_incoming(mapped), _merged(fields, mapped), *_WRITE]


def _incoming(mapped: Mapped) -> Step:
    singles = "".join(f",\n       stage.{quote(a.column)}" for a, _ in mapped)
    several = "".join(
        f",\n       {combined(a, m.combine, f'stage.{quote(a.column)}', 'stage.rid')} AS {quote(a.column)}"
        for a, m in mapped
    )
    return Step(
        "one row per person",
        "Combine the lines of each person by the columns' combine rules.",
        f"""CREATE OR REPLACE TEMP VIEW incoming AS
WITH lines AS (
    SELECT pid, min(rid) AS rid, count(*) AS lines FROM landed ANTI JOIN refold USING (pid) GROUP BY pid
)
SELECT lines.pid{singles}
FROM lines
JOIN stage ON stage.rid = lines.rid
WHERE lines.lines = 1
UNION ALL
SELECT landed.pid{several}
FROM lines
JOIN landed ON landed.pid = lines.pid
JOIN stage ON stage.rid = landed.rid
WHERE lines.lines > 1
GROUP BY landed.pid""",
    )


def _merged(fields: Fields, mapped: Mapped) -> Step:
    brought = {attribute.attribute_id: (attribute, column) for attribute, column in mapped}
    values, same = [], []
    for attribute in fields.attributes:
        name = quote(attribute.column)
        if attribute.attribute_id not in brought:
            values.append(f"profile.{name} AS {name}")
            continue
        new, old = f"incoming.{name}", f"profile.{name}"
        value = _value(attribute, brought[attribute.attribute_id][1], new, old)
        values.append(f"{value} AS {name}")
        same.append(f"{value} IS NOT DISTINCT FROM {old}")
    return Step(
        "merged profiles",
        "Merge the file's values with the stored ones by the blank and conflict rules.",
        "CREATE OR REPLACE TEMP TABLE merged AS\n"
        "SELECT incoming.pid, profile.rowid AS old_row, "
        f"profile.pid IS NULL AS is_new,\n       NOT ({' AND '.join(same) or 'true'}) AS is_changed,\n       "
        + ",\n       ".join(values)
        + "\nFROM incoming\nLEFT JOIN profile ON profile.pid = incoming.pid",
    )


def _value(attribute: Attribute, column: ColumnMapping, new: str, old: str) -> str:
    """SQL: the merged value of one attribute."""
    incoming = typed(attribute, new)
    if column.conflict == "newest":
        merged = f"coalesce({incoming}, {old})"
    else:
        merged = f"coalesce({old}, {incoming})"
    if column.blank == "keep":
        return merged
    return f"CASE WHEN {is_cleared(attribute, new)} THEN NULL ELSE {merged} END"


_WRITE = (
    Step(
        "profiles: out with the old",
        "Remove the stored rows that change; cost follows the file, not the store.",
        "DELETE FROM profile WHERE rowid IN (SELECT old_row FROM merged WHERE is_changed AND NOT is_new)",
    ),
    Step(
        "profiles",
        "Store new and changed profiles.",
        "INSERT INTO profile BY NAME SELECT * EXCLUDE (old_row, is_new, is_changed) FROM merged "
        "WHERE is_changed OR is_new",
    ),
)


def stage_columns(mapped: Mapped) -> list[tuple[str, str]]:
    """(name, SQL type) of the stage's columns beside ``rid``."""
    columns = []
    for attribute, _ in mapped:
        columns.append((attribute.column, column_type(attribute)))
        if attribute.identifier and not attribute.pii:
            columns.append((f"i{attribute.attribute_id}", "UUID"))
    return columns
