"""Changes which uploads count (undo, redo), or which rows there are (erase), and folds again only what that touches.

Works on tables ``gone`` and ``back`` (upload_no): uploads whose rows no longer count, or count again. One scan of the
log's identifier columns finds every statement about the identifiers of these rows; owners, shared values and rows
without a primary are decided again for these identifiers, then the people whose rows moved are folded from the log.
Afterwards ``refold_profile`` holds the touched profiles as they were and ``refold_row`` the rows of the new ones.
"""

from __future__ import annotations

from ingest_core.engine import Session
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger import memberships
from ingest_core.ledger.fields import Fields, primary_of, token_of
from ingest_core.ledger.floating import resolve_region
from ingest_core.ledger.rebuild import LIVE, settle
from ingest_core.ledger.refold import Rules, refold

_COUNTS = "status = 'Completed' AND undone_at IS NULL"

DECIDE = f"""UPDATE upload SET
    is_live = {_COUNTS} AND replaced_by IS NULL
WHERE source_id = ? AND status = 'Completed'"""

REPLACED = """UPDATE upload SET replaced_by = (
    SELECT min(later.upload_no) FROM upload AS later
    WHERE later.source_id = upload.source_id AND later.upload_no > upload.upload_no
      AND later.status = 'Completed' AND later.undone_at IS NULL
      AND json_extract_string(later.options, '$.replace') = 'values'
) WHERE source_id = ? AND status = 'Completed'"""
"""An upload counts unless it was undone or a later *replace, values too* of its source, itself not undone, came."""


def decide_live(session: Session, source_id: int) -> None:
    """Sets ``is_live`` of a source's uploads after one of them was undone or redone; fills ``gone`` and ``back``."""
    session.run(
        "CREATE OR REPLACE TEMP TABLE was_live AS SELECT upload_no FROM upload WHERE source_id = ? AND is_live",
        [source_id],
    )
    session.run(REPLACED, [source_id])
    session.run(DECIDE, [source_id])
    session.run(
        "CREATE OR REPLACE TEMP TABLE gone AS SELECT upload_no FROM was_live "
        "ANTI JOIN (SELECT upload_no FROM upload WHERE is_live) AS now USING (upload_no)"
    )
    session.run(
        "CREATE OR REPLACE TEMP TABLE back AS SELECT upload_no FROM upload ANTI JOIN was_live USING (upload_no) "
        "WHERE source_id = ? AND is_live",
        [source_id],
    )


def fold_again(runner: Runner, fields: Fields, rules: Rules, shared_limit: int) -> None:
    """Brings all folds to the uploads that are live now; inside the caller's transaction."""
    session = runner.session
    session.run(LIVE)
    runner.all(_touched(fields))
    has_floating = bool(session.value(_HAS_FLOATING.format(primary=primary_of(fields))))
    _settle_again(runner, fields, rules, shared_limit, has_floating=has_floating)


def fold_without(runner: Runner, fields: Fields, rules: Rules, shared_limit: int) -> None:
    """Deletes the rows of table ``erased_row`` (rid) from the log and brings all folds to what is left."""
    session = runner.session
    session.run(LIVE)
    for table in ("gone", "back"):  # no upload as a whole comes or goes
        session.run(f"CREATE OR REPLACE TEMP TABLE {table} (upload_no INTEGER)")
    runner.all(_erased(fields))
    has_floating = bool(session.value("SELECT exists(SELECT 1 FROM token_was WHERE has_floating)"))
    _settle_again(runner, fields, rules, shared_limit, has_floating=has_floating)


def _settle_again(runner: Runner, fields: Fields, rules: Rules, shared_limit: int, *, has_floating: bool) -> None:
    session = runner.session
    runner.run(_statements(fields, has_floating=has_floating))
    runner.run(_primaries(fields))
    session.run("CREATE OR REPLACE TEMP TABLE statement AS " + _STATEMENT)
    for sql in _FORGET:
        session.run(sql)
    runner.all(settle(shared_limit))
    runner.run(_LEAVE)
    runner.run(_return(fields))
    for sql in _SEEDS:
        session.run(sql)
    resolve_region(runner)
    for sql in _CHOOSE:
        session.run(sql)
    with runner.timed("profiles", "Fold the profiles whose rows changed from the log.", "\n".join(_CHOOSE)) as done:
        session.run("CREATE OR REPLACE TEMP TABLE refold_profile AS SELECT profile.* FROM profile SEMI JOIN refold_old "
                    "ON refold_old.old_pid = profile.pid")  # fmt: skip
        session.run("DELETE FROM profile WHERE pid IN (SELECT old_pid FROM refold_old)")
        done(refold(session, fields, rules))
    _memberships(runner)


_CHANGED = "(SELECT upload_no FROM gone UNION SELECT upload_no FROM back)"
_RANGE = f"""rid >= (SELECT min(upload_no)::BIGINT << 32 FROM {_CHANGED})
  AND rid < (SELECT (max(upload_no)::BIGINT + 1) << 32 FROM {_CHANGED})
  AND rid >> 32 IN {_CHANGED}"""


def _touched(fields: Fields) -> list[Step]:
    parts = [
        f"SELECT {token_of(a)} AS token FROM record WHERE {_RANGE}" for a in (*fields.primaries, *fields.secondaries)
    ]
    return [
        Step(
            "touched identifiers",
            "List the identifiers of the rows that no longer count, or count again.",
            "CREATE OR REPLACE TEMP TABLE touched_token AS SELECT DISTINCT token FROM (\n"
            + "\nUNION ALL\n".join(parts)
            + "\n) AS named WHERE token IS NOT NULL",
        ),
        _IDENTIFIERS_BEFORE,
        Step(
            "rows that left",
            "Keep where the rows stood that no longer count.",
            """CREATE OR REPLACE TEMP TABLE left_row AS
SELECT rid, pid FROM resolution WHERE rid >> 32 IN (SELECT upload_no FROM gone)""",
        ),
    ]


_IDENTIFIERS_BEFORE = Step(
    "identifiers before",
    "Keep what was known about them.",
    "CREATE OR REPLACE TEMP TABLE token_was AS SELECT identity.* FROM identity SEMI JOIN touched_token USING (token)",
)


def _erased(fields: Fields) -> list[Step]:
    parts = [
        f"SELECT {token_of(a)} AS token FROM record SEMI JOIN erased_row USING (rid)"
        for a in (*fields.primaries, *fields.secondaries)
    ]
    return [
        Step(
            "touched identifiers",
            "List the identifiers of the rows that are erased.",
            "CREATE OR REPLACE TEMP TABLE touched_token AS SELECT DISTINCT token FROM (\n"
            + "\nUNION ALL\n".join(parts)
            + "\n) AS named WHERE token IS NOT NULL",
        ),
        _IDENTIFIERS_BEFORE,
        Step(
            "rows that left",
            "Keep where these rows stood.",
            "CREATE OR REPLACE TEMP TABLE left_row AS SELECT rid, pid FROM resolution SEMI JOIN erased_row USING (rid)",
        ),
        Step(
            "erase rows",
            "Take the rows out of the log.",
            "DELETE FROM record WHERE rid IN (SELECT rid FROM erased_row)",
        ),
        Step(
            "rows leave",
            "Take them from their person.",
            "DELETE FROM resolution WHERE rid IN (SELECT rid FROM erased_row)",
        ),
    ]


_HAS_FLOATING = (
    f"SELECT exists(SELECT 1 FROM token_was WHERE has_floating) "
    f"OR exists(SELECT 1 FROM record WHERE {{primary}} IS NULL AND {_RANGE})"
)


def _statements(fields: Fields, *, has_floating: bool) -> Step:
    """The one scan of the log; ``has_floating``: rows without a primary are wanted whatever they name."""
    everyone = "p IS NULL OR " if has_floating else ""
    parts = [
        f"SELECT rid, {token_of(a)} AS token, {a.attribute_id} AS attribute_id, {a.priority} AS priority, "
        f"{primary_of(fields)} AS p\nFROM record WHERE {token_of(a)} IS NOT NULL"
        for a in fields.secondaries
    ] or ["SELECT rid, NULL::UUID AS token, 0 AS attribute_id, 0 AS priority, NULL::UUID AS p FROM record WHERE false"]
    return Step(
        "statements",
        "Read again which secondary was stated with which primary: one scan of the log's identifier columns.",
        "CREATE OR REPLACE TEMP TABLE log_mention AS SELECT named.* FROM (\n"
        + "\nUNION ALL\n".join(parts)
        + "\n) AS named SEMI JOIN live_upload ON live_upload.upload_no = named.rid >> 32\n"
        + f"WHERE {everyone}token IN (SELECT token FROM touched_token)",
    )


_STATEMENT = """SELECT DISTINCT rid >> 32 AS upload_no, token, attribute_id, p
FROM log_mention SEMI JOIN touched_token USING (token)"""


def _primaries(fields: Fields) -> Step:
    cases = " ".join(f"WHEN {token_of(a)} IS NOT NULL THEN {a.attribute_id}" for a in fields.primaries)
    return Step(
        "primaries",
        "Find out which of these primary identifiers some row still names.",
        f"""CREATE OR REPLACE TEMP TABLE prime_now AS
SELECT {primary_of(fields)} AS token, any_value({f"CASE {cases} END" if cases else "0"}) AS attribute_id,
       min(rid) AS first_rid
FROM record SEMI JOIN live_upload ON live_upload.upload_no = record.rid >> 32
WHERE {primary_of(fields)} IN (SELECT token FROM touched_token)
GROUP BY 1""",
    )


_FORGET = (
    "DELETE FROM sighting WHERE token IN (SELECT token FROM touched_token)",
    "DELETE FROM identity WHERE token IN (SELECT token FROM touched_token)",
    """INSERT INTO identity
SELECT prime_now.token, prime_now.attribute_id, NULL, coalesce(token_was.pid, prime_now.first_rid), false, false
FROM prime_now LEFT JOIN token_was ON token_was.token = prime_now.token""",
)
"""A primary keeps its profile's old name for now, as its other rows still stand there."""


_LEAVE = Step(
    "rows leave",
    "Take the rows that no longer count from their people.",
    "DELETE FROM resolution WHERE rid >> 32 IN (SELECT upload_no FROM gone)",
)


def _return(fields: Fields) -> Step:
    return Step(
        "rows return",
        "Find a place for the rows that count again.",
        f"""CREATE OR REPLACE TEMP TABLE back_row AS
SELECT record.rid, coalesce(identity.pid, record.rid) AS pid
FROM record LEFT JOIN identity ON identity.token = {primary_of(fields, "record")}
WHERE {_RANGE.replace("rid", "record.rid")} AND record.rid >> 32 IN (SELECT upload_no FROM back)""",
    )


_SEEDS = (
    "INSERT INTO resolution SELECT rid, pid FROM back_row",
    """CREATE OR REPLACE TEMP TABLE floating_mention AS
SELECT rid, token, attribute_id, priority FROM log_mention WHERE p IS NULL""",
    """CREATE OR REPLACE TEMP TABLE seed AS
SELECT token, token_was.pid AS old_pid FROM token_was FULL JOIN identity USING (token)
WHERE token IN (SELECT token FROM touched_token)
  AND (coalesce(token_was.has_floating, false) OR coalesce(identity.has_floating, false))""",
    """CREATE OR REPLACE TEMP TABLE touched_pid AS
SELECT pid FROM left_row UNION SELECT pid FROM back_row""",
)

_CHOOSE = (
    """CREATE OR REPLACE TEMP TABLE moved_from AS
SELECT old_pid FROM regrouped SEMI JOIN (SELECT target FROM regrouped WHERE old_pid <> pid) AS moved USING (target)
UNION
SELECT pid FROM touched_pid""",
    """CREATE OR REPLACE TEMP TABLE refold_row AS
SELECT pid, rid, old_pid FROM regrouped
WHERE target IN (SELECT target FROM regrouped SEMI JOIN moved_from USING (old_pid))""",
    "CREATE OR REPLACE TEMP TABLE refold_old AS SELECT old_pid FROM refold_row UNION SELECT old_pid FROM moved_from",
)
"""People whose set of rows changed, with every profile that lost a row to them."""


def _memberships(runner: Runner) -> None:
    session = runner.session
    with runner.timed("memberships", "Work out again who belongs to which source.", memberships.REFOLD[1]) as done:
        for sql in memberships.REFOLD:
            session.run(sql)
        rewritten = session.rows(_REPLACING)
        for (source_id,) in rewritten:
            session.run("DELETE FROM membership WHERE source_id = ?", [source_id])
            session.run(memberships.OF_SOURCE, [source_id])
        done(session.value("SELECT count(*) FROM membership"))


_REPLACING = f"""SELECT DISTINCT source_id FROM upload
WHERE upload_no IN {_CHANGED} AND json_extract_string(options, '$.replace') IS NOT NULL"""
"""Sources whose memberships a *replace* ended, or ends again: of everybody in them."""
