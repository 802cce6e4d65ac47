"""Folds profiles from the record log: for a rebuild of everybody, or for the few whose rows were regrouped.

Each attribute is one query over (profile, upload, value): values of one upload are combined by that upload's rule;
the last upload with a value wins, unless its rule is *keep*; *cleared* empties what was there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest_core.engine import Session, quote
from ingest_core.ledger.fields import Fields, fits, is_cleared, typed
from ingest_core.ledger.profiles import combined
from ingest_core.models import Attribute, ColumnMapping


@dataclass(frozen=True)
class Rules:
    """For each upload: the rules of its mapping by attribute id."""

    by_upload: Mapping[int, Mapping[int, ColumnMapping]]

    def uploads(self, attribute: Attribute) -> dict[tuple[str, str], list[int]]:
        """(combine, conflict) → the uploads that used this pair for the attribute."""
        found: dict[tuple[str, str], list[int]] = {}
        for upload, columns in sorted(self.by_upload.items()):
            column = columns.get(attribute.attribute_id)
            if column is not None:
                found.setdefault((column.combine, column.conflict), []).append(upload)
        return found


def refold(session: Session, fields: Fields, rules: Rules, *, is_everybody: bool = False, into: str = "profile") -> int:
    """Inserts into ``profile`` one row for each pid of table ``refold_row`` (pid, rid); returns how many.

    Reads the log once for the rows it needs, unless they are ``is_everybody``'s.
    """
    log = "record" if is_everybody else "refold_log"
    if not is_everybody:
        session.run(_LOG.format(columns="".join(f", {quote(a.column)}" for a in fields.attributes)))
    joins, columns = [], []
    for attribute in fields.attributes:
        name = quote(attribute.column)
        pairs = rules.uploads(attribute)
        if not pairs:
            continue
        table = f"fold_{attribute.column}"
        session.run(f"CREATE OR REPLACE TEMP TABLE {table} AS {_fold(attribute, pairs, log)}")
        joins.append(f"LEFT JOIN {table} ON {table}.pid = who.pid")
        columns.append(f"{typed(attribute, f'{table}.value')} AS {name}")
    made = session.run(
        f"INSERT INTO {into} BY NAME SELECT who.pid"
        + "".join(f", {column}" for column in columns)
        + " FROM (SELECT DISTINCT pid FROM refold_row) AS who "
        + " ".join(joins)
    )
    for attribute in fields.attributes:
        session.run(f"DROP TABLE IF EXISTS fold_{attribute.column}")
    session.run("DROP TABLE IF EXISTS refold_log")
    return made or 0


_LOG = """CREATE OR REPLACE TEMP TABLE refold_log AS
SELECT rid{columns} FROM record WHERE rid IN (SELECT rid FROM refold_row)"""


def _fold(attribute: Attribute, pairs: Mapping[tuple[str, str], Sequence[int]], log: str) -> str:
    """SQL: (pid, value) with the log value that stands in the end."""
    value = f"record.{quote(attribute.column)}"
    events = "\nUNION ALL\n".join(
        f"SELECT refold_row.pid, record.rid >> 32 AS upload_no, "
        f"{combined(attribute, combine, value, 'record.rid')} AS value, {str(conflict == 'keep').lower()} AS is_keep\n"
        f"FROM {log} AS record JOIN refold_row ON refold_row.rid = record.rid\n"
        f"WHERE {fits(attribute, value)} AND record.rid >> 32 IN ({', '.join(map(str, uploads))})\n"
        "GROUP BY ALL"
        for (combine, conflict), uploads in pairs.items()
    )
    cleared = is_cleared(attribute, "value")
    return f"""
WITH event AS ({events}),
hard AS (
    SELECT pid, max(upload_no) AS upload_no, arg_max(value, upload_no) AS value
    FROM event WHERE value IS NOT NULL AND (NOT is_keep OR {cleared}) GROUP BY pid
), soft AS (
    SELECT event.pid, arg_min(event.value, event.upload_no) AS value
    FROM event LEFT JOIN hard ON hard.pid = event.pid
    WHERE event.is_keep AND NOT ({is_cleared(attribute, "event.value")})
      AND event.upload_no > coalesce(hard.upload_no, 0)
    GROUP BY event.pid
)
SELECT who.pid, CASE WHEN NOT ({is_cleared(attribute, "hard.value")}) THEN hard.value ELSE soft.value END AS value
FROM (SELECT DISTINCT pid FROM event) AS who
LEFT JOIN hard ON hard.pid = who.pid
LEFT JOIN soft ON soft.pid = who.pid"""
