"""What a rule may ask, offered while it is written: attributes with their operators, and values that people have."""

from __future__ import annotations

from typing import Any

from ingest_core.engine import Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.stated import plain
from ingest_core.models import Attribute
from ingest_core.segments.known import Known, did_you_mean
from ingest_core.segments.operators import operators_for


def fields(known: Known) -> list[dict[str, Any]]:
    """{attribute, display_name, segment, type, pii, identifier, operators: [{name, words, takes}]}."""
    return [
        {
            **{name: getattr(one, name) for name in ("display_name", "segment", "type", "pii", "identifier")},
            "attribute": one.name,
            "operators": [
                {"name": operator.name, "words": operator.words, "takes": operator.takes}
                for operator in operators_for(one)
            ],
        }
        for one in known.attributes.values()
        if one.segment is not None
    ]


def values(session: Session, known: Known, name: str, most: int) -> list[dict[str, Any]]:
    """{value, count} of an attribute, the most frequent first. InputError ``unknown_attribute``, ``personal_data``."""
    attribute = _askable(known, name)
    column = f"p.{quote(attribute.column)}"
    return session.records(
        f"SELECT {plain(attribute, f'CAST({column} AS VARCHAR)')} AS value, count(*) AS count FROM profile AS p "
        f"WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY count DESC, value LIMIT ?",
        [most],
    )


def _askable(known: Known, name: str) -> Attribute:
    attribute = known.attribute(name)
    if attribute is None or attribute.segment is None:
        raise InputError(
            "There is no such attribute for segments.",
            code="unknown_attribute",
            hint=did_you_mean(
                name, [one.name for one in known.attributes.values() if one.segment], "See: segment fields"
            ),
        )
    if attribute.pii:
        raise InputError(
            f"{attribute.name} is personal data: its values are not in the tables that segments read.",
            code="personal_data",
            hint="A rule can ask whether there is a value.",
        )
    return attribute
