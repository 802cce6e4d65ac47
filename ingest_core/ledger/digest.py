"""The state digest: SHA-256 over sorted plaintext facts about people, the same in every workspace (domain.md §2).

Facts are (best identifier, attribute, value) and (person, source). The best identifier of a profile is its strongest
primary, else its strongest secondary, the smallest value where there are several. No ids, no times, no tokens.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ingest_core.engine import Session, quote
from ingest_core.ledger.fields import Fields, token_of
from ingest_core.models import Attribute
from ingest_core.vault.keys import Keyset
from ingest_core.vault.reading import VaultReader


def digest(session: Session, keyset: Keyset, fields: Fields) -> dict[str, Any]:
    """{digest, profiles, memberships}"""
    best = _best(session, keyset, fields)
    total = hashlib.sha256()
    lines: list[str] = []
    for attribute in fields.attributes:
        lines += _values(session, keyset, attribute, best)
    for pid, source in session.rows("SELECT pid, name FROM membership JOIN source USING (source_id)"):
        lines.append(_line("member", best.get(pid, ""), source))
    lines.sort()
    for line in lines:
        total.update(line.encode())
    return {
        "digest": total.hexdigest(),
        "profiles": int(session.value("SELECT count(*) FROM profile")),
        "memberships": int(session.value("SELECT count(*) FROM membership")),
    }


def _line(*parts: str) -> str:
    """Unambiguous: every part with its length before it."""
    return "".join(f"{len(part)}:{part}" for part in parts) + "\n"


def _best(session: Session, keyset: Keyset, fields: Fields) -> dict[int, str]:
    """Pid → "attribute=value" of its best identifier."""
    best: dict[int, tuple[int, str]] = {}
    strongest = [*fields.primaries, *fields.secondaries]
    for rank, attribute in enumerate(strongest):
        texts = _identifier_texts(session, keyset, attribute)
        rows = session.rows(
            f"SELECT DISTINCT q.pid, {token_of(attribute, 'r')} AS token "
            "FROM resolution q JOIN record r ON r.rid = q.rid "
            f"WHERE {token_of(attribute, 'r')} IS NOT NULL"
        )
        for pid, token in rows:
            candidate = (rank, f"{attribute.name}={texts.get(token, '')}")
            if pid not in best or candidate < best[pid]:
                best[pid] = candidate
    return {pid: text for pid, (_, text) in best.items()}


def _identifier_texts(session: Session, keyset: Keyset, attribute: Attribute) -> dict[Any, str]:
    if attribute.pii:
        return _vault_texts(session, keyset, attribute)
    column, token = quote(attribute.column), quote(f"i{attribute.attribute_id}")
    return dict(session.rows(f"SELECT {token}, min({column}) FROM record WHERE {token} IS NOT NULL GROUP BY 1"))


def _vault_texts(session: Session, keyset: Keyset, attribute: Attribute) -> dict[Any, str]:
    reader = VaultReader(session, keyset)
    places = session.rows(
        "SELECT token, page_id, slot FROM vault_value WHERE attribute_id = ? ORDER BY page_id", [attribute.attribute_id]
    )
    found: dict[Any, str] = {}
    page_id, page = -1, []
    for token, at, slot in places:
        if at != page_id:
            page_id, page = at, reader.page(at).to_pylist()
        found[token] = page[slot]
    return found


def _values(session: Session, keyset: Keyset, attribute: Attribute, best: dict[int, str]) -> list[str]:
    column = quote(attribute.column)
    if attribute.pii:
        texts = _vault_texts(session, keyset, attribute)
        rows = session.rows(f"SELECT pid, {column} FROM profile WHERE {column} IS NOT NULL")
        return [_line(best.get(pid, ""), attribute.name, texts.get(token, "")) for pid, token in rows]
    rows = session.rows(f"SELECT pid, CAST({column} AS VARCHAR) FROM profile WHERE {column} IS NOT NULL")
    return [_line(best.get(pid, ""), attribute.name, text) for pid, text in rows]
