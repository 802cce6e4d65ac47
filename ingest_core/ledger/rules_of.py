"""Which rules each live upload was loaded by: its mapping version, laid over the attributes of today."""

from __future__ import annotations

import json

from ingest_core.engine import Session
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.refold import Rules
from ingest_core.models import ColumnMapping


def rules_of(session: Session, fields: Fields) -> Rules:
    """The rules of every upload that was loaded."""
    ids = {attribute.name: attribute.attribute_id for attribute in fields.attributes}
    versions: dict[tuple[int, int], dict[int, ColumnMapping]] = {}
    for source_id, version, columns in session.rows("SELECT source_id, version, columns FROM mapping"):
        parsed = [ColumnMapping(**column) for column in json.loads(columns)]
        versions[source_id, version] = {ids[c.attribute]: c for c in parsed if c.attribute in ids}
    uploads = session.rows("SELECT upload_no, source_id, mapping_version FROM upload WHERE is_live")
    return Rules({number: versions.get((source, version), {}) for number, source, version in uploads})
