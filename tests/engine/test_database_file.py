"""The database file: made whole or not at all, cleaned up at start, migrated once."""

from __future__ import annotations

import pytest

from ingest_core.engine import Engine
from ingest_core.engine.migrate import migrate, migrations
from ingest_core.errors import StateError


@pytest.fixture
def open_engine(tmp_path):
    opened = []

    def opening():
        engine = Engine(tmp_path / "db", tmp_path / "tmp", memory_limit="128MB", threads=1, temp_limit="1GB")
        opened.append(engine)
        return engine

    yield opening
    for engine in opened:
        engine.close()


def test_a_torn_first_write_is_thrown_away(tmp_path, open_engine):
    """Killed between the first byte and the rename: only the draft is torn, and nobody opens it (F12)."""
    (tmp_path / "db.new").write_bytes(b"half a header")
    (tmp_path / "db.new.wal").write_bytes(b"torn")
    migrate(open_engine())
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".wal") == ["db", "tmp"]


def test_the_file_is_private(tmp_path, open_engine):
    open_engine()
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tmp").stat().st_mode & 0o777 == 0o700


def test_spill_files_of_a_killed_process_are_removed_at_start(tmp_path, open_engine):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"left over")
    open_engine()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_was_committed_is_there_after_opening_again(open_engine):
    first = open_engine()
    migrate(first)
    with first.session() as session:
        session.run("INSERT INTO meta VALUES ('a', 'b')")
    first.close()
    second = open_engine()
    with second.session() as session:
        assert session.value("SELECT value FROM meta WHERE key = 'a'") == "b"


def test_a_file_that_is_no_database_is_refused_in_our_words(tmp_path, open_engine):
    (tmp_path / "db").write_bytes(b"priya.raman@example.in" * 1000)
    with pytest.raises(StateError) as caught:
        open_engine()
    assert caught.value.code == "disk_error"
    assert "priya" not in str(caught.value.as_dict())


def test_migrations_are_applied_once(open_engine):
    engine = open_engine()
    migrate(engine)
    with engine.session() as session:
        first = session.rows("SELECT * FROM migration ORDER BY number")
        migrate(engine)
        assert session.rows("SELECT * FROM migration ORDER BY number") == first
    assert [row[:2] for row in first] == [(number, name) for number, name, _ in migrations()]
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_workspace_of_a_newer_version_is_refused(open_engine):
    engine = open_engine()
    migrate(engine)
    with engine.session() as session:
        session.run("INSERT INTO migration VALUES (9999, '9999_future.sql', now()::TIMESTAMP)")
    with pytest.raises(StateError) as caught:
        migrate(engine)
    assert caught.value.code == "workspace_too_new"


def test_a_migration_that_fails_leaves_nothing(open_engine):
    engine = open_engine()
    with engine.session() as session:
        session.run("CREATE TABLE audit (already INTEGER)")  # the last table of the first migration
    with pytest.raises(Exception, match="refused"):
        migrate(engine)
    with engine.session() as session:
        tables = {name for (name,) in session.rows("SELECT table_name FROM duckdb_tables()")}
    assert tables == {"audit", "meta", "migration"}
