"""Copies of the database made by the engine itself, and putting a copy in the database's place.

A copy is one transaction: what was committed when it began, and nothing else, whatever a load does meanwhile. It holds
no lock of ours. Deleted values stay in a database file until it is rewritten (facts.md F9); a copy has none of them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest_core.engine.duck import Engine, Session
from ingest_core.engine.names import quote
from ingest_core.errors import OnrampError, StateError

Content = dict[str, tuple[int, str]]
"""Table → (rows, fingerprint of its definition and of its rows in any order). Comparable within one engine version."""


def content_of(session: Session) -> Content:
    """What the session's own database holds."""
    tables = session.rows(
        "SELECT table_name, sql FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary "
        "ORDER BY table_name"
    )
    content = {}
    for name, sql in tables:
        rows, total = session.rows(f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {quote(name)} AS t")[0]
        content[name] = (int(rows), hashlib.sha256(f"{sql} {total}".encode()).hexdigest())
    return content


def copy_database(engine: Engine, path: Path) -> Content:
    """Writes what is committed to the new file ``path`` in the engine's temporary folder; returns what it must hold.

    Whoever fails in between leaves the file to the caller.
    """
    name = _new_name()
    with engine.session() as session:
        session.run(f"ATTACH ? AS {name}", [str(path)])
        try:
            path.chmod(0o600)
            with session.transaction():
                content = content_of(session)
                session.run(f"COPY FROM DATABASE {quote(_own_name(session))} TO {name}")
            session.run(f"CHECKPOINT {name}")
        finally:
            _detach(session, name)
    sync(path)
    return content


@contextmanager
def opened_copy(engine: Engine, path: Path) -> Iterator[Session]:
    """A session whose database is the copy, read from its file, read-only."""
    name = _new_name()
    with engine.session() as session:
        own = quote(_own_name(session))
        session.run(f"ATTACH ? AS {name} (READ_ONLY)", [str(path)])
        try:
            session.run(f"USE {name}")
            try:
                yield session
            finally:
                session.run(f"USE {own}")
        finally:
            _detach(session, name)


def check_copy(engine: Engine, path: Path, content: Content) -> None:
    """StateError ``copy_differs`` unless the file holds exactly that content."""
    with opened_copy(engine, path) as session:
        found = content_of(session)
    if found != content:
        tables = sorted(name for name in found.keys() | content.keys() if found.get(name) != content.get(name))
        raise StateError(
            "The copy of the database is not what the database holds. Nothing was changed.",
            code="copy_differs",
            hint="Check the disk, then start again.",
            facts={"tables": tables},
        )


def replace_database(engine: Engine, copy: Path) -> None:
    """Puts a checked copy in the place of the database and opens it. For who has the engine ``alone``.

    A kill leaves the old file or the new one.
    """
    with engine.session() as session:
        session.run("CHECKPOINT")
    engine.close()
    try:
        _exchange(engine, copy)
    finally:
        engine.reopen()


def _exchange(engine: Engine, copy: Path) -> None:
    logs = list(engine.path.parent.glob(f"{engine.path.name}.wal*"))
    # A log would be replayed onto the copy; an open file would go on being the database of whoever holds it.
    if any(log.stat().st_size for log in logs) or _is_open(engine.path):
        raise StateError(
            "The database could not be closed. Nothing was changed.",
            code="database_open",
            hint="Close everything that uses this workspace, then start again.",
        )
    for log in logs:
        log.unlink()
    copy.replace(engine.path)
    sync(engine.path.parent)


def _is_open(path: Path) -> bool:
    """Whether this process still has the file open, as far as the system tells (Linux)."""
    wanted = path.stat()
    for entry in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            found = entry.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def sync(path: Path) -> None:
    """Returns when the file or folder is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _new_name() -> str:
    """All sessions see the databases of all: no two copies may have one name."""
    return "copy_" + secrets.token_hex(8)


def _detach(session: Session, name: str) -> None:
    with suppress(OnrampError):  # where the engine has stopped, the first error is the one to tell
        session.run(f"DETACH {name}")


def _own_name(session: Session) -> str:
    return str(session.value("SELECT current_database()"))
