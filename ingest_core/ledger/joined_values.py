"""The values by which profiles merge, read from the lines that state them: receipts hold lines, never a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ingest_core.catalog.attributes import attributes_now
from ingest_core.engine import Session, quote
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute, IdentityPreview, MergeGroup, MergingProfile, Receipt
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader


def with_values(session: Session, keyset: Keyset, receipt: Receipt) -> Receipt:
    """A kept receipt with the values of its merges, masked where they are PII."""
    if receipt.identity is None or not receipt.identity.largest:
        return receipt
    upload_no = session.value("SELECT upload_no FROM upload WHERE request_id = ?", [receipt.request_id])
    return receipt.model_copy(update={"identity": named(session, keyset, receipt.identity, upload_no)})


def named(session: Session, keyset: Keyset, preview: IdentityPreview, upload_no: int) -> IdentityPreview:
    """The same with values. One is None where its row is gone: erased, or removed by retention."""
    lines = {one.line for group in preview.largest for one in group.profiles if one.line is not None}
    if not lines:
        return preview
    attributes = {attribute.name: attribute for attribute in attributes_now(session)}
    names = {one.attribute for group in preview.largest for one in group.profiles}
    wanted = [attribute for name, attribute in attributes.items() if name in names]
    rows = _rows(session, wanted, [upload_no << 32 | line for line in lines])
    texts = _texts(session, keyset, wanted, rows.values())

    def value(one: MergingProfile) -> str | None:
        attribute = attributes.get(one.attribute or "")
        row = rows.get(upload_no << 32 | (one.line or 0))
        return None if attribute is None or row is None else texts.get((attribute.name, row[attribute.column]))

    def filled(group: MergeGroup) -> MergeGroup:
        profiles = tuple(one.model_copy(update={"value": value(one)}) for one in group.profiles)
        return group.model_copy(update={"profiles": profiles})

    return preview.model_copy(update={"largest": tuple(map(filled, preview.largest))})


def _rows(session: Session, attributes: Sequence[Attribute], rids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = "".join(f", {quote(attribute.column)}" for attribute in attributes)
    found = session.records(
        f"SELECT rid{columns} FROM record WHERE rid BETWEEN ? AND ? AND rid IN (SELECT unnest(?::BIGINT[]))",
        [min(rids), max(rids), list(rids)],
    )
    return {row["rid"]: row for row in found}


def _texts(
    session: Session, keyset: Keyset, attributes: Sequence[Attribute], rows: Any
) -> dict[tuple[str, object], str]:
    """(attribute, what the log holds) → what is shown."""
    held = {(a.name, row[a.column]): a for row in rows for a in attributes if row[a.column] is not None}
    opened = VaultReader(session, keyset).values(stored for (_, stored), a in held.items() if a.pii)
    shown = {}
    for (name, stored), attribute in held.items():
        if not attribute.pii:
            shown[name, stored] = str(stored)
        elif stored in opened:
            shown[name, stored] = data_type(attribute.type).mask(opened[stored])
    return shown
