"""Who is who, updated for one upload: tables ``identity``, ``sighting`` and ``resolution`` (domain.md §5).

The rules are set-based, so nothing here depends on the order of lines:

- a primary names one profile; the *owner* of a secondary is the primary it was stated with in the last upload that
  stated it with exactly one;
- a record without a primary ("floating") goes to the owner of its strongest owned identifier, else to the connected
  component of its unowned identifiers, which joins a primary when that is the only one its neighbours name;
- shared values (met with more than a limit of primaries) are nobody's.

Most uploads touch no floating records of the past; when one does, ``floating.resolve_again`` redoes that region.
"""

from __future__ import annotations

from ingest_core.engine.steps import Step
from ingest_core.ledger.fields import Fields, primary_of, token_of

EFFECTIVE_OLD = "CASE WHEN was_shared THEN NULL ELSE old_owner END"
EFFECTIVE_NEW = "CASE WHEN is_shared THEN NULL ELSE owner END"
DIRTY = f"is_known AND had_floating AND (was_shared <> is_shared OR {EFFECTIVE_OLD} IS DISTINCT FROM {EFFECTIVE_NEW})"


def meet(fields: Fields, shared_limit: int) -> list[Step]:
    """Steps that look up every identifier of the stage and decide owners, contested and shared values."""
    return [_prime(fields), _mention(fields), _MET, _SIGHTINGS, _newly_shared(shared_limit), _MARK_SHARED]


def _prime(fields: Fields) -> Step:
    token = primary_of(fields)
    cases = " ".join(f"WHEN {token_of(a)} IS NOT NULL THEN {a.attribute_id}" for a in fields.primaries)
    attribute = f"CASE {cases} END" if cases else "NULL::INTEGER"
    return Step(
        "primaries",
        "Look up the profile of each primary identifier in the file.",
        f"""CREATE OR REPLACE TEMP TABLE prime AS
WITH named AS (
    SELECT {token} AS token, any_value({attribute}) AS attribute_id, min(rid) AS first_rid
    FROM stage
    WHERE {token} IS NOT NULL
    GROUP BY 1
)
SELECT named.token, named.attribute_id, named.first_rid, identity.pid AS old_pid
FROM named
LEFT JOIN identity ON identity.token = named.token""",
    )


def _mention(fields: Fields) -> Step:
    owner = primary_of(fields)
    parts = [
        f"SELECT rid, {token_of(a)} AS token, {a.attribute_id} AS attribute_id, {a.priority} AS priority, "
        f"{owner} AS p\n"
        f"FROM stage WHERE {token_of(a)} IS NOT NULL"
        for a in fields.secondaries
    ] or ["SELECT rid, NULL::UUID AS token, 0 AS attribute_id, 0 AS priority, NULL::UUID AS p FROM stage WHERE false"]
    return Step(
        "mentions",
        "List each secondary identifier of each row, with the primary it is stated with.",
        "CREATE OR REPLACE TEMP TABLE mention AS\n" + "\nUNION ALL\n".join(parts),
    )


_MET = Step(
    "secondaries",
    "Look up each secondary identifier: its owner so far, and its owner after this file.",
    """CREATE OR REPLACE TEMP TABLE met AS
WITH named AS (
    SELECT token, any_value(attribute_id) AS attribute_id, min(p) AS p_min, max(p) AS p_max,
           bool_or(p IS NULL) AS floats, min(rid) FILTER (WHERE p IS NULL) AS first_floating
    FROM mention
    GROUP BY token
)
SELECT named.*, identity.token IS NOT NULL AS is_known, identity.owner AS old_owner, identity.pid AS old_pid,
       coalesce(identity.is_shared, false) AS was_shared, coalesce(identity.is_shared, false) AS is_shared,
       coalesce(identity.has_floating, false) AS had_floating,
       CASE WHEN named.p_min = named.p_max THEN named.p_min ELSE identity.owner END AS owner
FROM named
LEFT JOIN identity ON identity.token = named.token""",
)

_SIGHTINGS = Step(
    "sightings",
    "Remember every primary that a secondary was met with, once there is more than one.",
    """INSERT INTO sighting
WITH changed AS (
    SELECT token, old_owner
    FROM met
    WHERE p_min IS NOT NULL AND (p_min <> p_max OR (is_known AND old_owner IS DISTINCT FROM p_min))
), pairs AS (
    SELECT mention.token, mention.p AS primary_token
    FROM mention
    JOIN changed ON changed.token = mention.token
    WHERE mention.p IS NOT NULL
    UNION
    SELECT token, old_owner FROM changed WHERE old_owner IS NOT NULL
)
SELECT pairs.token, pairs.primary_token
FROM pairs
ANTI JOIN sighting ON sighting.token = pairs.token AND sighting.primary_token = pairs.primary_token""",
)


def _newly_shared(limit: int) -> Step:
    return Step(
        "shared values",
        f"Find secondaries met with more than {limit} different primaries: from now on they identify nobody.",
        f"""CREATE OR REPLACE TEMP TABLE newly_shared AS
SELECT sighting.token
FROM sighting
JOIN met ON met.token = sighting.token
WHERE NOT met.was_shared AND met.p_min IS NOT NULL
GROUP BY sighting.token
HAVING count(*) > {limit}""",
    )


_MARK_SHARED = Step(
    "mark shared",
    "Take these values out of matching.",
    "UPDATE met SET is_shared = true WHERE token IN (SELECT token FROM newly_shared)",
)


def land_primaries(fields: Fields) -> Step:
    """Rows with a primary go to its profile; a new profile is named after its first row."""
    return Step(
        "rows with a primary",
        "Give each row that states a primary identifier its profile.",
        f"""CREATE OR REPLACE TEMP TABLE landed AS
SELECT stage.rid, coalesce(prime.old_pid, prime.first_rid) AS pid
FROM stage
JOIN prime ON prime.token = {primary_of(fields, "stage")}""",
    )


FLOATING_EDGES = f"""
WITH usable AS (
    SELECT mention.rid, mention.token, mention.priority, met.is_known, met.old_pid, met.first_floating,
           {EFFECTIVE_NEW} AS home, ({DIRTY}) OR (is_known AND had_floating AND old_pid IS NULL) AS is_slow,
           is_known AND NOT had_floating AND old_pid IS NULL AS is_contested
    FROM mention
    JOIN met ON met.token = mention.token
    WHERE mention.p IS NULL AND NOT met.is_shared
), homes AS (
    SELECT usable.rid, coalesce(prime.old_pid, identity.pid, prime.first_rid) AS pid
    FROM (SELECT rid, arg_min(home, priority) AS home FROM usable WHERE home IS NOT NULL GROUP BY rid) AS usable
    LEFT JOIN prime ON prime.token = usable.home
    LEFT JOIN identity ON identity.token = usable.home
)
SELECT rid AS a, first_floating AS b, false AS is_pid, is_slow OR is_contested AS is_slow
FROM usable WHERE home IS NULL
UNION ALL
SELECT first_floating, old_pid, true, is_slow FROM usable WHERE home IS NULL AND old_pid IS NOT NULL
UNION ALL
SELECT rid, pid, true, false FROM homes
UNION ALL
SELECT rid, rid, false, false FROM floating_row"""
"""Edges between floating rows through unowned identifiers (a token stands as the first row that names it), and from
rows to the profiles their identifiers name already (``is_pid``)."""

FLOATING_ROWS = "CREATE OR REPLACE TEMP TABLE floating_row AS SELECT rid FROM stage WHERE {primary} IS NULL"

LAND_FLOATING = Step(
    "rows without a primary",
    "Give each row without a primary identifier the profile its identifiers name, or a new one.",
    "INSERT INTO landed SELECT rid, pid FROM floating_place",
)

WRITE_IDENTITY = (
    Step(
        "identity changes",
        "Collect identifiers that are new or changed hands.",
        """CREATE OR REPLACE TEMP TABLE identity_new AS
SELECT token, attribute_id, NULL::UUID AS owner, first_rid AS pid, false AS is_shared, false AS has_floating
FROM prime
WHERE old_pid IS NULL
UNION ALL
SELECT met.token, met.attribute_id, met.owner,
       CASE WHEN met.is_shared THEN NULL
            WHEN met.owner IS NOT NULL THEN coalesce(prime.old_pid, prime.first_rid, met.old_pid)
            ELSE coalesce(floating_place.pid, met.old_pid) END AS pid,
       met.is_shared, met.had_floating OR met.floats AS has_floating
FROM met
LEFT JOIN prime ON prime.token = met.owner
LEFT JOIN floating_place ON floating_place.rid = met.first_floating AND NOT floating_place.is_slow
WHERE NOT met.is_known OR met.owner IS DISTINCT FROM met.old_owner OR met.is_shared <> met.was_shared
   OR (met.floats AND NOT met.had_floating)""",
    ),
    Step(
        "identity: out with the old",
        "Remove the rows of identifiers that changed hands.",
        "DELETE FROM identity WHERE token IN (SELECT identity_new.token FROM identity_new JOIN met "
        "ON met.token = identity_new.token WHERE met.is_known)",
    ),
    Step("identity", "Store who each identifier names.", "INSERT INTO identity SELECT * FROM identity_new"),
    Step("resolution", "Store which profile each row went to.", "INSERT INTO resolution SELECT rid, pid FROM landed"),
)
