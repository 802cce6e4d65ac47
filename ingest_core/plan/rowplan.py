"""Turns a plan into what the row function needs: keys, context, suppressed people."""

from __future__ import annotations

import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.models import Attribute, ColumnMapping, TypeContext
from ingest_core.plan.plan import Plan
from ingest_core.plan.rows import ColumnPlan, RowPlan
from ingest_core.settings import Settings
from ingest_core.vault import Keyset


def row_plan(session: Session, keyset: Keyset, settings: Settings, plan: Plan) -> RowPlan:
    """Keys are derived here and stay in memory."""
    suppressed = _suppressed(session)
    columns = tuple(
        _column(keyset, index, mapping, attribute, attribute.attribute_id in suppressed)
        for index, mapping, attribute in plan.resolved.columns
    )
    return RowPlan(
        columns=columns,
        dialect=plan.dialect,
        context=TypeContext(
            phone_country=plan.source.settings.phone_country or settings.phone_country,
            lower_email_local=settings.lower_email_local,
        ),
        blocked=settings.blocked,
        minimum_secondary_length=settings.minimum_secondary_length,
        suppressed=suppressed,
    )


def _column(
    keyset: Keyset, index: int, mapping: ColumnMapping, attribute: Attribute, is_suppressing: bool
) -> ColumnPlan:
    needs_token = attribute.pii or attribute.identifier is not None
    return ColumnPlan(
        index=index,
        mapping=mapping,
        attribute=attribute,
        token_key=keyset.token_key(attribute.attribute_id) if needs_token else None,
        suppression_key=keyset.suppression_key(attribute.attribute_id) if is_suppressing else None,
    )


def _suppressed(session: Session) -> dict[int, pa.Array]:
    found: dict[int, list[bytes]] = {}
    for attribute_id, token in session.rows("SELECT attribute_id, token FROM suppression"):
        found.setdefault(attribute_id, []).append(token.bytes)
    return {attribute_id: pa.array(tokens, pa.binary(16)) for attribute_id, tokens in found.items()}
