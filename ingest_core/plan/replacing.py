"""*Replace, values too*: the source's earlier uploads count for nothing, as if undone, but stay in the history."""

from __future__ import annotations

from ingest_core.engine import Session
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.rebuild import rebuild_folds
from ingest_core.ledger.rules_of import rules_of
from ingest_core.plan.plan import Plan
from ingest_core.plan.staging import mapped
from ingest_core.settings import Settings

_RETIRE = Step(
    "replace values",
    "From now on the earlier uploads of this source count for nothing.",
    "UPDATE upload SET is_live = false, replaced_by = ? WHERE source_id = ? AND is_live",
)


def replace_values(runner: Runner, plan: Plan, fields: Fields, upload_no: int, settings: Settings) -> None:
    """Retires the earlier uploads and recomputes all folds, the running upload included."""
    session = runner.session
    session.run("CREATE OR REPLACE TEMP TABLE old_identity AS SELECT token, pid FROM identity WHERE pid IS NOT NULL")
    session.run("CREATE OR REPLACE TEMP TABLE old_profile AS SELECT * FROM profile")
    session.run(
        "CREATE OR REPLACE TEMP TABLE old_member AS SELECT pid FROM membership WHERE source_id = ?",
        [plan.source.source_id],
    )
    runner.run(_RETIRE, [upload_no, plan.source.source_id])
    session.run(
        "CREATE OR REPLACE TEMP TABLE live_upload AS SELECT upload_no FROM upload WHERE is_live "
        f"UNION SELECT {upload_no}"
    )
    rules = rules_of(session, fields)
    own = {attribute.attribute_id: column for attribute, column in mapped(plan)}
    rules = type(rules)({**rules.by_upload, upload_no: own})
    rebuild_folds(runner, fields, rules, settings.shared_limit)
    session.run(
        "CREATE OR REPLACE TEMP TABLE landed AS SELECT rid, pid FROM resolution WHERE rid >> 32 = ?", [upload_no]
    )


_WAS = """CREATE OR REPLACE TEMP TABLE was AS
SELECT identity.pid, min(old_identity.pid) AS old_pid
FROM identity JOIN old_identity ON old_identity.token = identity.token
WHERE identity.pid IN (SELECT pid FROM person)
GROUP BY identity.pid"""

_SAME = """
WITH before AS (
    SELECT was.pid, o.token FROM was JOIN old_identity o ON o.pid = was.old_pid
), after AS (
    SELECT was.pid, n.token FROM was JOIN identity n ON n.pid = was.pid
), renamed AS (
    (FROM before EXCEPT FROM after) UNION ALL (FROM after EXCEPT FROM before)
)
SELECT count(*) FROM (
    SELECT was.pid, COLUMNS(n.* EXCLUDE (pid)) FROM was JOIN profile n ON n.pid = was.pid
    WHERE was.old_pid IN (SELECT pid FROM old_member)
    INTERSECT
    SELECT was.pid, COLUMNS(o.* EXCLUDE (pid)) FROM was JOIN old_profile o ON o.pid = was.old_pid
) WHERE pid NOT IN (SELECT pid FROM renamed)"""
"""People with the same values, identifiers and membership as before."""


def count_changes(session: Session, counts: dict[str, int]) -> dict[str, int]:
    """created, updated and removed, people recognised across the replacement by any of their identifiers."""
    session.run(_WAS)
    created = counts["stored"] - int(session.value("SELECT count(*) FROM was"))
    same = int(session.value(_SAME))
    removed = counts["profiles_before"] + created - counts["profiles_after"]
    return {
        "created": created,
        "updated": counts["stored"] - created - same,
        "removed": max(removed, 0),
        "came_apart": max(-removed, 0),
        "merged": 0,
        "conflicts": 0,
        "shared": 0,
    }
