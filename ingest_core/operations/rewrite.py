"""Rewrites the database file, so that what was deleted is in no byte of it any more (facts.md F9)."""

from __future__ import annotations

from pathlib import Path

from ingest_core.engine import Engine
from ingest_core.engine.copying import check_copy, copy_database, replace_database
from ingest_core.operations.scratch import scratch
from ingest_core.operations.steps import step


def rewrite(engine: Engine, home: Path, command: str) -> None:
    """Copies, checks and exchanges the file; everybody else waits. ``command`` names the abort points.

    StateError ``in_use`` where the database was never free for a moment.
    """
    with engine.alone(), scratch(home) as at_hand:
        copy = at_hand.path("database")
        with step(f"{command} copy"):
            content = copy_database(engine, copy)
        with step(f"{command} check"):
            check_copy(engine, copy, content)
        with step(f"{command} replace"):
            replace_database(engine, copy)
