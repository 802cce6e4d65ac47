"""What a workspace knows, in a few figures, and which received files it still needs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ingest_core.catalog import Drafts
from ingest_core.engine import Session
from ingest_core.errors import StateError
from ingest_core.ledger.digest import digest
from ingest_core.ledger.fields import Fields
from ingest_core.models import Attribute
from ingest_core.vault import Keyset


def standing(session: Session) -> dict[str, int]:
    """{profiles, memberships, uploads}: how many."""
    tables = {"profiles": "profile", "memberships": "membership", "uploads": "upload"}
    return {name: int(session.value(f"SELECT count(*) FROM {table}")) for name, table in tables.items()}


def digest_of(session: Session, keyset: Keyset) -> str:
    """The state digest of the session's database, by the attributes that this database knows."""
    return str(digest(session, keyset, fields_of(session))["digest"])


def fields_of(session: Session) -> Fields:
    """The attributes of the session's database: of a copy, not of the workspace it was made from."""
    rows: list[dict[str, Any]] = session.records("SELECT * EXCLUDE (created_at, created_by) FROM attribute")
    return Fields.of([Attribute(**row) for row in rows])


def files_of_uploads(session: Session) -> set[str]:
    """Landing ids of uploads that have not ended: without the file they could not be loaded."""
    sql = "SELECT landing FROM upload WHERE landing IS NOT NULL AND status IN ('Scheduled', 'In Progress')"
    return {landing_id for (landing_id,) in session.rows(sql)}


def files_of_notebooks(session: Session) -> set[str]:
    """Landing ids of files that notebooks are over."""
    return {landing_id for (landing_id,) in session.rows("SELECT landing FROM notebook WHERE landing IS NOT NULL")}


def files_of_arrivals(session: Session) -> set[str]:
    """Landing ids of files that were fetched and are not submitted yet."""
    sql = "SELECT landing FROM arrival WHERE landing IS NOT NULL AND state = 'taken'"
    return {landing_id for (landing_id,) in session.rows(sql)}


def files_of_drafts(drafts: Drafts) -> set[str]:
    """Landing ids that unfinished ingests name; one that cannot be opened names none."""
    found = set()
    for draft_id, _, _ in drafts.list():
        with suppress(StateError):
            found.add((drafts.load(draft_id) or {}).get("landing_id"))
    return {landing_id for landing_id in found if isinstance(landing_id, str)}
