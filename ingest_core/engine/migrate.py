"""Brings the schema of a workspace to this version: numbered .sql files, one transaction each."""

from __future__ import annotations

from importlib import resources

from ingest_core.clock import now
from ingest_core.engine.duck import Engine
from ingest_core.errors import StateError


def migrations() -> list[tuple[int, str, str]]:
    """(number, name, SQL) of every migration, in order."""
    folder = resources.files("ingest_core.db").joinpath("migrations")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name[:4]), f.name, f.read_text("utf-8")) for f in files]


def migrate(engine: Engine) -> None:
    """Applies what is missing; refuses a workspace written by a newer version."""
    with engine.session() as session:
        session.run("CREATE TABLE IF NOT EXISTS migration (number INTEGER, name VARCHAR, applied_at TIMESTAMP)")
        session.run("CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR)")
        applied = {row[0] for row in session.rows("SELECT number FROM migration")}
        known = migrations()
        if applied - {number for number, _, _ in known}:
            raise StateError(
                "This workspace was written by a newer version of Onramp. It was not opened.",
                code="workspace_too_new",
                hint="Update Onramp.",
            )
        for number, name, sql in known:
            if number not in applied:
                with session.transaction():
                    session.run(sql)
                    session.run("INSERT INTO migration VALUES (?, ?, ?)", [number, name, now()])
