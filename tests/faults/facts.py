"""What is in a workspace, as its next opening finds it, and what may be in none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_core.ledger.audit import verify_audit
from ingest_core.workspace import Workspace
from tests.cli.onramp import check_receipt, counts, state_of


@dataclass(frozen=True)
class Facts:
    """What is in a workspace, as its next opening finds it."""

    tables: dict[str, Any]
    counts: dict[str, int]
    digest: object
    uploads: list[dict[str, Any]]
    rows: int  # of the log
    doubled: int  # of them
    landing: list[str]
    problems: list[str]


def look(home: Path) -> Facts | None:
    """Opens the workspace as the next command does and reads it; None where there is none."""
    if not (home / "onramp.duckdb").exists():
        return None
    with Workspace.open(home) as workspace:
        state = state_of(workspace)
        facts = Facts(
            tables={name: value for name, value in state.items() if name not in ("upload", "mapping", "landing")},
            counts=counts(state),
            digest=state["digest"],
            uploads=[receipt.model_dump(mode="json") for receipt in workspace.history.list()],
            rows=counts(state)["record"],
            doubled=doubled_in(workspace, "record"),
            landing=workspace.landing.ids(),
            problems=problems(workspace),
        )
    if left := [path.name for path in (home / "tmp").iterdir()]:
        facts.problems.append(f"left in tmp: {left}")
    return facts


UNIQUE = {
    "record": "rid",
    "resolution": "rid",
    "profile": "pid",
    "identity": "token",
    "membership": "(pid, source_id)",
    "upload": "request_id",
    "vault_page": "page_id",
    "vault_value": "(attribute_id, token)",
    "segment": "name",
}

ORPHANS = {
    "log rows of no completed upload": "SELECT count(*) FROM record ANTI JOIN (SELECT upload_no FROM upload "
    "WHERE status = 'Completed') AS done ON done.upload_no = record.rid >> 32",
    "log rows missing": "SELECT coalesce(sum(stored + duplicates), 0) - (SELECT count(*) FROM record) FROM upload "
    "WHERE status = 'Completed' AND purged_at IS NULL",
    "live rows of nobody": "SELECT count(*) FROM record SEMI JOIN (SELECT upload_no FROM upload WHERE is_live) AS live "
    "ON live.upload_no = rid >> 32 ANTI JOIN resolution USING (rid)",
    "resolutions to no profile": "SELECT count(*) FROM resolution ANTI JOIN profile USING (pid)",
    "members who are nobody": "SELECT count(*) FROM membership ANTI JOIN profile USING (pid)",
    "values in no page": "SELECT count(*) FROM vault_value ANTI JOIN vault_page USING (page_id)",
    "rejects in no page": "SELECT count(*) FROM reject ANTI JOIN vault_page USING (page_id)",
    "uploads under way": "SELECT count(*) FROM upload WHERE status = 'In Progress'",
    "uploads that wait for no file": "SELECT count(*) FROM upload WHERE status = 'Scheduled' AND landing IS NULL",
}


def doubled_in(workspace: Workspace, table: str) -> int:
    """Rows of a table that are there more than once."""
    with workspace.engine.session() as session:
        return int(session.value(f"SELECT count(*) - count(DISTINCT {UNIQUE[table]}) FROM {table}"))


def problems(workspace: Workspace) -> list[str]:
    """What may be in no workspace, whatever happened to it."""
    found = [f"doubled in {table}: {doubled}" for table in UNIQUE if (doubled := doubled_in(workspace, table))]
    with workspace.engine.session() as session:
        for what, sql in ORPHANS.items():
            if number := session.value(sql):
                found.append(f"{what}: {number}")
        if verify_audit(session) is not None:
            found.append("audit log")
        named = {
            name for (name,) in session.rows("SELECT landing FROM upload WHERE status = 'Scheduled' AND landing <> ''")
        }
    if named != set(workspace.landing.ids()):
        found.append("landing zone")
    for receipt in workspace.history.list():
        try:
            check_receipt(receipt.model_dump(mode="json"))
        except AssertionError:
            found.append(f"receipt of {receipt.request_id}")
    return found
