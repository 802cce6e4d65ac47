"""Whom a value names, whatever kind of identifier it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.errors import InputError
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, TypeContext
from ingest_core.people.ids import profile_id, record_of
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, token

PROFILE_ID = "profile_id"

_OWNERS = """
SELECT token, pid, is_shared FROM identity WHERE token IN (SELECT unnest(?::UUID[]))"""


class Found:
    """What a value names. ``by``: pid → names of the identifiers that name it, the strongest first.

    ``nobody``: identifier → *shared* (it belongs to too many people) or *contested* (one file gave it to several).
    ``tried``: the identifiers that the value could be.
    """

    def __init__(self) -> None:
        self.by: dict[int, list[str]] = {}
        self.nobody: dict[str, str] = {}
        self.tried: list[str] = []


def find(
    session: Session, keyset: Keyset, attributes: Sequence[Attribute], value: str, contexts: Sequence[TypeContext]
) -> Found:
    """Tries the value as every identifier whose type takes it, primaries first, then as a profile's id.

    ``contexts``: ways to read it; a telephone number is looked for as one of each country. InputError ``bad_value``.
    """
    if not value.strip():
        raise InputError("There is no value to look for.", code="bad_value", hint="Type an identifier.")
    found = Found()
    tokens = {one.name: _tokens(keyset, one, value, contexts) for one in strongest_first(attributes)}
    wanted = sorted({str(made) for of_one in tokens.values() for made in of_one})
    owners = {made: (pid, is_shared) for made, pid, is_shared in session.rows(_OWNERS, [wanted])}
    for name, of_one in tokens.items():
        found.tried += [name] if of_one else []
        for made in of_one & owners.keys():
            pid, is_shared = owners[made]
            if pid is None:
                found.nobody[name] = "shared" if is_shared else "contested"
            else:
                found.by.setdefault(pid, []).append(name)
    rid = record_of(value.strip())
    owner = None if rid is None else session.value("SELECT pid FROM resolution WHERE rid = ?", [rid])
    if owner is not None:
        found.by.setdefault(int(owner), []).append(PROFILE_ID)
    return found


def strongest_first(attributes: Sequence[Attribute]) -> list[Attribute]:
    """The identifiers in the order in which they decide."""
    return sorted((a for a in attributes if a.identifier), key=lambda a: (a.identifier != "primary", a.priority))


def contexts_of(session: Session, settings: Settings) -> list[TypeContext]:
    """Every way in which a value of this workspace may have been read: as the settings say, as each source says."""
    rows = session.rows("SELECT settings FROM source ORDER BY source_id")
    countries = [settings.phone_country, *(json.loads(text).get("phone_country") for (text,) in rows)]
    return [TypeContext(country, settings.lower_email_local) for country in dict.fromkeys(countries)]


def normal(attribute: Attribute, value: str, context: TypeContext) -> str:
    """A value as tokens are made of it; ValueError when it is none."""
    made = data_type(attribute.type).convert(pa.array([value.strip() or None], pa.string()), None, context)
    text = made.text[0].as_py()
    if text is None:
        raise ValueError
    return str(text)


def _tokens(keyset: Keyset, attribute: Attribute, value: str, contexts: Iterable[TypeContext]) -> set[UUID]:
    made = set()
    for context in contexts:
        try:
            text = normal(attribute, value, context)
        except ValueError:
            continue
        made.add(token(keyset.token_key(attribute.attribute_id), text))
    return made


def as_told(found: Found, people: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{matches, nobody, tried}; ``people`` are the matches' masked values, as ``masked.profiles`` has them."""
    by = {profile_id(pid): names for pid, names in found.by.items()}
    return {
        "matches": [{"profile_id": one["profile_id"], "by": by[one["profile_id"]], **one} for one in people],
        "nobody": [{"attribute": name, "why": why} for name, why in found.nobody.items()],
        "tried": found.tried,
    }
