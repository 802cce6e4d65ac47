"""The list of erased identifiers, as it leaves a workspace and as an older backup gets it applied again.

The list holds keyed tokens only. It is of use to nobody without the keys of the workspace that it came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import Runner
from ingest_core.errors import InputError
from ingest_core.ledger.fields import Fields, token_of
from ingest_core.models import Attribute
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader
from ingest_core.vault.tokens import tokens

FORMAT = "onramp-erased-1"

Listed = dict[int, list[UUID]]
"""Attribute id → suppression tokens."""


def export(session: Session) -> dict[str, Any]:
    """{format, erased: [{attribute_id, token}]}: every identifier that was erased, as a keyed token."""
    rows = session.rows("SELECT DISTINCT attribute_id, token FROM suppression ORDER BY ALL")
    return {"format": FORMAT, "erased": [{"attribute_id": number, "token": str(found)} for number, found in rows]}


def parse(text: str) -> Listed:
    """What ``export`` wrote. InputError ``not_an_erased_list``."""
    try:
        made = json.loads(text)
        if made["format"] != FORMAT:
            raise ValueError
        found: Listed = {}
        for one in made["erased"]:
            found.setdefault(int(one["attribute_id"]), []).append(UUID(one["token"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            "This is no list of erased people. Nothing was changed.",
            code="not_an_erased_list",
            hint="Make one with: profile erased --json > FILE",
        ) from None
    return found


def add(session: Session, listed: Listed, moment: object) -> int:
    """Keeps the tokens that are not there yet; returns how many."""
    known = set(session.rows("SELECT attribute_id, token FROM suppression"))
    given = [(number, one) for number, held in listed.items() for one in dict.fromkeys(held)]
    fresh = [pair for pair in given if pair not in known]
    for number, one in fresh:
        session.run("INSERT INTO suppression VALUES (?, ?, ?)", [one, number, moment])
    return len(fresh)


def find_rows(runner: Runner, keyset: Keyset, fields: Fields, listed: Listed) -> int:
    """Fills ``erased_row`` with all rows of whoever holds a listed identifier, and all that name one; how many."""
    session = runner.session
    with runner.timed("erased people", "Find the people who were erased since, by their identifiers.") as done:
        session.run("CREATE OR REPLACE TEMP TABLE listed_token (token UUID)")
        for attribute in (*fields.primaries, *fields.secondaries):
            if held := listed.get(attribute.attribute_id):
                found = _holders(session, keyset, attribute, held)
                session.run("INSERT INTO listed_token SELECT unnest(?::UUID[])", [[str(one) for one in found]])
        named = "\nUNION ALL\n".join(
            f"SELECT rid FROM record WHERE {token_of(a)} IN (SELECT token FROM listed_token)"
            for a in (*fields.primaries, *fields.secondaries)
        )
        session.run(_ROWS.format(named=named))
        count = int(session.value("SELECT count(*) FROM erased_row"))
        done(count)
    return count


_ROWS = """CREATE OR REPLACE TEMP TABLE erased_row AS
SELECT rid FROM resolution WHERE pid IN (SELECT pid FROM identity SEMI JOIN listed_token USING (token))
UNION
({named})"""


def _holders(session: Session, keyset: Keyset, attribute: Attribute, held: Iterable[UUID]) -> list[UUID]:
    """Tokens of the log whose value has one of these suppression tokens."""
    wanted = pa.array([one.bytes for one in held], pa.binary(16))
    key = keyset.suppression_key(attribute.attribute_id)
    found: list[UUID] = []
    for texts, of_log in _values(session, keyset, attribute):
        hits = pc.is_in(tokens(key, texts).storage, wanted)
        found += [of_log[n] for n, is_hit in enumerate(hits.to_pylist()) if is_hit]
    return found


def _values(session: Session, keyset: Keyset, attribute: Attribute) -> Iterable[tuple[pa.StringArray, list[UUID]]]:
    """(values, token of each) of an identifier, a page or a block at a time."""
    if not attribute.pii:
        rows = session.rows(
            f"SELECT DISTINCT {token_of(attribute)} AS token, {quote(attribute.column)} FROM record "
            "WHERE token IS NOT NULL"
        )
        yield pa.array([text for _, text in rows], pa.string()), [found for found, _ in rows]
        return
    reader = VaultReader(session, keyset, held=1)
    pages = session.rows("SELECT page_id FROM vault_page WHERE attribute_id = ? ORDER BY 1", [attribute.attribute_id])
    for (page,) in pages:
        places = session.rows("SELECT slot, token FROM vault_value WHERE page_id = ?", [page])
        texts = reader.page(page)
        kept = [(slot, found) for slot, found in places if slot < len(texts)]
        yield texts.take(pa.array([slot for slot, _ in kept], pa.int64())), [found for _, found in kept]
