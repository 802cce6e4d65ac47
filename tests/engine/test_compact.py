"""Replaced rows are cleared away when many have gathered, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_core.workspace import Workspace


def shape(session):
    """The profile table's definition and content."""
    sql = session.value("SELECT sql FROM duckdb_tables() WHERE table_name = 'profile' AND NOT temporary")
    return sql, session.rows("SELECT * FROM profile ORDER BY pid")


def replace_all(session):
    """As a load does: out with the old rows, in with new ones, in one transaction."""
    with session.transaction():
        session.run("CREATE OR REPLACE TEMP TABLE kept AS SELECT * FROM profile")
        session.run("DELETE FROM profile")
        session.run("INSERT INTO profile SELECT * FROM kept")


@pytest.fixture
def filled(tmp_path: Path):
    with Workspace.open(tmp_path / "home") as workspace:
        with workspace.engine.session() as session:
            session.run("INSERT INTO profile (pid, a7) SELECT range, 'x' || range FROM range(5000)")
        yield workspace


def test_few_replaced_rows_stay_where_they_are(filled):
    assert filled.engine.compact(("profile",)) == []


def test_many_replaced_rows_are_cleared_and_nothing_else_changes(filled):
    with filled.engine.session() as session:
        replace_all(session)
        before = shape(session)
        assert session.value("SELECT max(rowid) FROM profile") > 5000
        assert filled.engine.compact(("profile", "identity")) == ["profile"]
        assert shape(session) == before
        assert session.value("SELECT max(rowid) FROM profile") == 4999
        assert filled.engine.compact(("profile",)) == []


def test_a_reader_sees_its_own_moment(filled):
    with filled.engine.session() as reader, filled.engine.session() as writer:
        replace_all(writer)
        with reader.transaction():
            assert reader.value("SELECT count(*) FROM profile") == 5000
            filled.engine.compact(("profile",))
            assert reader.value("SELECT count(*) FROM profile") == 5000
        assert reader.value("SELECT count(*) FROM profile") == 5000


def test_a_new_attribute_can_be_added_afterwards(filled):
    with filled.engine.session() as session:
        replace_all(session)
    filled.engine.compact(("profile",))
    added = filled.attributes.add("shoe_size", "number")
    with filled.engine.session() as session:
        assert session.value(f"SELECT count({added.column}) FROM profile") == 0
