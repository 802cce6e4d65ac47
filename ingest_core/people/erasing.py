"""Which rows, values and rejected lines are one person's alone: the lists that an erasure works on.

The rows are those that resolve to the person, and those of uploads that do not count (undone, replaced) that state a
primary of theirs, or no primary and an identifier that nobody else holds. An identifier is *theirs alone* when no row
of anybody else names it: a household's phone is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import Runner
from ingest_core.ledger.fields import NIL, Fields, primary_of, token_of
from ingest_core.models import Attribute
from ingest_core.vault import Keyset, token
from ingest_core.vault.reading import VaultReader

ROWS = "CREATE OR REPLACE TEMP TABLE erased_row AS SELECT rid FROM resolution WHERE pid = ?"


def complete_rows(runner: Runner, fields: Fields) -> int:
    """Adds to ``erased_row`` (rid) what belongs to the same people; returns how many rows there are.

    Fills ``own_token`` (token, attribute_id, is_alone).
    """
    session = runner.session
    with runner.timed("rows of the person", "List the person's rows, also of uploads that do not count.") as done:
        found = -1
        while (count := int(session.value("SELECT count(*) FROM erased_row"))) > found:
            found = count
            session.run(_own(fields))
            session.run(_sleeping(fields))
        done(found)
    return found


def _named(fields: Fields, where: str) -> str:
    parts = [
        f"SELECT rid, {token_of(a)} AS token, {a.attribute_id} AS attribute_id FROM record {where}"
        for a in (*fields.primaries, *fields.secondaries)
    ]
    return "\nUNION ALL\n".join(parts)


def _own(fields: Fields) -> str:
    return f"""CREATE OR REPLACE TEMP TABLE own_token AS
WITH own AS (
    SELECT DISTINCT token, attribute_id FROM ({_named(fields, "SEMI JOIN erased_row USING (rid)")}) AS named
    WHERE token IS NOT NULL
), others AS (
    SELECT DISTINCT token FROM ({_named(fields, "ANTI JOIN erased_row USING (rid)")}) AS named
    WHERE token IN (SELECT token FROM own)
)
SELECT token, attribute_id, token NOT IN (SELECT token FROM others) AS is_alone FROM own"""


def _sleeping(fields: Fields) -> str:
    """Rows of uploads that do not count which would be the person's; one more round may find more by what they name."""
    primary = primary_of(fields)
    numbers = ", ".join(str(a.attribute_id) for a in fields.primaries) or "NULL"
    return f"""INSERT INTO erased_row
WITH named AS ({_named(fields, "ANTI JOIN erased_row USING (rid)")}
), alive AS (
    SELECT token FROM named SEMI JOIN resolution USING (rid)
), own_prime AS (
    SELECT token FROM own_token ANTI JOIN alive USING (token) WHERE attribute_id IN ({numbers})
), asleep AS (
    SELECT rid, {primary} AS p FROM record ANTI JOIN resolution USING (rid) ANTI JOIN erased_row USING (rid)
), theirs AS (
    SELECT token FROM named JOIN asleep USING (rid) WHERE p IS NOT NULL AND p NOT IN (SELECT token FROM own_prime)
), own AS (
    SELECT token FROM own_token ANTI JOIN alive USING (token) ANTI JOIN theirs USING (token)
)
SELECT rid FROM asleep WHERE p IN (SELECT token FROM own_prime)
UNION
SELECT named.rid FROM named JOIN asleep USING (rid) SEMI JOIN own ON own.token = named.token WHERE asleep.p IS NULL"""


def identifiers_alone(session: Session, keyset: Keyset, fields: Fields) -> list[tuple[Attribute, str]]:
    """(attribute, normalised value) of the identifiers that are the person's alone."""
    rows = session.rows("SELECT attribute_id, token FROM own_token WHERE is_alone ORDER BY ALL")
    wanted: dict[int, list[UUID]] = {}
    for attribute_id, found in rows:
        wanted.setdefault(attribute_id, []).append(found)
    pairs: list[tuple[Attribute, str]] = []
    for attribute in (*fields.primaries, *fields.secondaries):
        held = wanted.get(attribute.attribute_id, [])
        pairs += [(attribute, text) for text in _texts(session, keyset, attribute, held)]
    return pairs


def _texts(session: Session, keyset: Keyset, attribute: Attribute, held: Sequence[UUID]) -> list[str]:
    if not held:
        return []
    if attribute.pii:
        return sorted(VaultReader(session, keyset).values(held).values())
    rows = session.rows(
        f"SELECT DISTINCT {quote(attribute.column)} FROM record SEMI JOIN erased_row USING (rid) "
        f"WHERE {token_of(attribute)} IN (SELECT unnest(?::UUID[])) ORDER BY 1",
        [[str(one) for one in held]],
    )
    return [text for (text,) in rows]


def suppress(session: Session, keyset: Keyset, pairs: Sequence[tuple[Attribute, str]], moment: object) -> int:
    """Keeps a token of each of these identifiers, so that their rows are left out of later files; returns how many."""
    known = set(session.rows("SELECT attribute_id, token FROM suppression"))
    made = [(a.attribute_id, token(keyset.suppression_key(a.attribute_id), text)) for a, text in pairs]
    for attribute_id, one in made:
        if (attribute_id, one) not in known:
            session.run("INSERT INTO suppression VALUES (?, ?, ?)", [one, attribute_id, moment])
    return len(pairs)


def list_values(session: Session, fields: Fields) -> None:
    """Fills ``erased_value`` (token) with all personal data that the rows hold."""
    parts = [
        f"SELECT {quote(a.column)} AS token FROM record SEMI JOIN erased_row USING (rid)"
        for a in fields.attributes
        if a.pii
    ] or ["SELECT NULL::UUID AS token WHERE false"]
    session.run(
        "CREATE OR REPLACE TEMP TABLE erased_value AS SELECT DISTINCT token FROM (\n"
        + "\nUNION ALL\n".join(parts)
        + f"\n) AS held WHERE token IS NOT NULL AND token <> {NIL}"
    )


def take_rejects(session: Session) -> list[tuple[int, int]]:
    """Deletes the rejected rows that name an identifier of the person's alone; returns where their texts lie."""
    session.run(_REJECTS)
    places = session.rows("SELECT page_id, slot FROM erased_reject ORDER BY ALL")
    session.run(_DELETE_REJECTS)
    return [(int(page), int(slot)) for page, slot in places]


_REJECTS = """CREATE OR REPLACE TEMP TABLE erased_reject AS
SELECT upload_no, line, page_id, slot FROM reject
WHERE list_has_any(tokens, (SELECT coalesce(list(token), []) FROM own_token WHERE is_alone))"""

_DELETE_REJECTS = """DELETE FROM reject USING erased_reject AS gone
WHERE reject.upload_no = gone.upload_no AND reject.line = gone.line"""

LEFT = """SELECT (SELECT count(*) FROM resolution WHERE rid IN (SELECT rid FROM erased_row))
     + (SELECT count(*) FROM identity WHERE token IN (SELECT token FROM own_token WHERE is_alone))"""
"""How much the folds still know of the person: 0."""
