"""Recomputes every fold from the log, by other SQL than the incremental way; both are held against each other.

Used by ``rebuild``, and where uploads stop counting (*replace, values too*).
"""

from __future__ import annotations

from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.fields import Fields, primary_of, token_of
from ingest_core.ledger.floating import NOBODY_TOUCHED, floating_log, regroup
from ingest_core.ledger.memberships import LAST_REPLACE
from ingest_core.ledger.refold import Rules, refold

LIVE = "CREATE OR REPLACE TEMP TABLE live_upload AS SELECT upload_no FROM upload WHERE is_live"

_FOLDS = ("resolution", "identity", "sighting", "profile", "membership")


def rebuild_folds(runner: Runner, fields: Fields, rules: Rules, shared_limit: int) -> None:
    """Empties and refills all folds from the uploads in table ``live_upload``; inside the caller's transaction."""
    session = runner.session
    with runner.timed("empty the folds", "Everything but the log is computed again.") as done:
        for table in _FOLDS:
            session.run(f"DELETE FROM {table}")
        done(None)
    runner.all(_primaries(fields))
    runner.all(_secondaries(fields, shared_limit))
    with runner.timed("rows without a primary", "Resolve all rows that state no primary identifier.") as done:
        session.run("CREATE OR REPLACE TEMP TABLE floating_mention AS " + floating_log(fields))
        session.run("CREATE OR REPLACE TEMP TABLE region AS SELECT DISTINCT rid FROM floating_mention")
        session.run("INSERT INTO resolution SELECT rid, rid FROM region")
        session.run(NOBODY_TOUCHED)
        regroup(session)
        done(session.value("SELECT count(*) FROM region"))
    with runner.timed("profiles", "Fold every profile's values from the log.") as done:
        session.run("CREATE OR REPLACE TEMP TABLE refold_row AS SELECT pid, rid FROM resolution")
        done(refold(session, fields, rules, is_everybody=True))
    runner.run(_MEMBERSHIPS)


def _primaries(fields: Fields) -> list[Step]:
    parts = [
        f"SELECT {primary_of(fields)} AS token, {a.attribute_id} AS attribute_id, rid FROM record\n"
        f"WHERE {primary_of(fields)} = {token_of(a)}"
        for a in fields.primaries
    ] or ["SELECT NULL::UUID AS token, 0 AS attribute_id, rid FROM record WHERE false"]
    return [
        Step(
            "primaries",
            "Name a profile after the first row of each primary identifier.",
            "INSERT INTO identity\nSELECT token, any_value(attribute_id), NULL, min(rid), false, false FROM (\n"
            + "\nUNION ALL\n".join(parts)
            + "\n) AS named SEMI JOIN live_upload ON live_upload.upload_no = named.rid >> 32\nGROUP BY token",
        ),
        Step(
            "rows with a primary",
            "Give each row with a primary its profile.",
            f"""INSERT INTO resolution
SELECT record.rid, identity.pid
FROM record
SEMI JOIN live_upload ON live_upload.upload_no = record.rid >> 32
JOIN identity ON identity.token = {primary_of(fields, "record")}""",
        ),
    ]


def _secondaries(fields: Fields, shared_limit: int) -> list[Step]:
    parts = [
        f"SELECT rid >> 32 AS upload_no, {token_of(a)} AS token, {a.attribute_id} AS attribute_id, "
        f"{primary_of(fields)} AS p\nFROM record WHERE {token_of(a)} IS NOT NULL"
        for a in fields.secondaries
    ] or [
        "SELECT rid >> 32 AS upload_no, NULL::UUID AS token, 0 AS attribute_id, NULL::UUID AS p FROM record WHERE false"
    ]
    statements = (
        "SELECT DISTINCT named.* FROM (\n"
        + "\nUNION ALL\n".join(parts)
        + "\n) AS named SEMI JOIN live_upload ON live_upload.upload_no = named.upload_no"
    )
    return [
        Step(
            "statements",
            "List which secondary was stated with which primary in which upload.",
            f"CREATE OR REPLACE TEMP TABLE statement AS {statements}",
        ),
        *settle(shared_limit),
    ]


def settle(shared_limit: int) -> list[Step]:
    """Steps from table ``statement`` (upload_no, token, attribute_id, p) to ``sighting`` and ``identity``."""
    return [
        _SIGHTINGS,
        Step(
            "secondaries",
            "Give each secondary to the primary it was last stated with alone.",
            _OWNERS.format(limit=shared_limit),
        ),
    ]


_SIGHTINGS = Step(
    "sightings",
    "Keep the pairs of secondaries that met more than one primary.",
    """INSERT INTO sighting
SELECT DISTINCT token, p FROM statement
WHERE p IS NOT NULL AND token IN (SELECT token FROM statement GROUP BY token HAVING count(DISTINCT p) > 1)""",
)

_OWNERS = """INSERT INTO identity
WITH per_upload AS (
    SELECT token, upload_no, min(p) AS p FROM statement WHERE p IS NOT NULL
    GROUP BY token, upload_no HAVING count(DISTINCT p) = 1
), owner AS (
    SELECT token, arg_max(p, upload_no) AS p FROM per_upload GROUP BY token
), named AS (
    SELECT token, any_value(attribute_id) AS attribute_id, bool_or(p IS NULL) AS has_floating,
           count(DISTINCT p) > {limit} AS is_shared
    FROM statement GROUP BY token
)
SELECT named.token, named.attribute_id, owner.p,
       CASE WHEN named.is_shared THEN NULL ELSE prime.pid END, named.is_shared, named.has_floating
FROM named
LEFT JOIN owner ON owner.token = named.token
LEFT JOIN identity AS prime ON prime.token = owner.p"""

_MEMBERSHIPS = Step(
    "memberships",
    "List who belongs to which source by its live uploads since the last replace.",
    f"""INSERT INTO membership
SELECT resolution.pid, upload.source_id, min(upload.upload_no)
FROM resolution
JOIN upload ON upload.upload_no = resolution.rid >> 32
LEFT JOIN ({LAST_REPLACE}) AS replaced ON replaced.source_id = upload.source_id
WHERE upload.is_live AND upload.status = 'Completed' AND upload.upload_no >= coalesce(replaced.upload_no, 0)
GROUP BY resolution.pid, upload.source_id""",
)
