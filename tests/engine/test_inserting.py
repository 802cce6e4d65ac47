"""Arrow rows that are added to a table are let go at once, also while the transaction is open."""

from __future__ import annotations

import pyarrow as pa
import pytest


@pytest.fixture
def session(workspace):
    with workspace.engine.session() as session:
        session.run("BEGIN")
        session.run("CREATE OR REPLACE TEMP TABLE kept (number BIGINT, word VARCHAR)")
        yield session
        session.run("ROLLBACK")


def rows(first):
    return pa.table({"n": pa.array(range(first, first + 1_000)), "w": pa.array([f"word {n}" for n in range(1_000)])})


def test_rows_stand_in_the_columns_by_place(session):
    session.insert("kept", rows(5))
    assert session.row("SELECT count(*), min(number), max(number), max(word) FROM kept") == (
        1_000, 5, 1_004, "word 999",
    )  # fmt: skip


def test_what_was_added_is_not_held_until_the_transaction_ends(session):
    session.insert("kept", rows(0))
    before = pa.total_allocated_bytes()
    for first in range(1_000, 51_000, 1_000):
        session.insert("kept", rows(first))
    assert session.value("SELECT count(*) FROM kept") == 51_000
    assert pa.total_allocated_bytes() <= before


def test_a_table_that_an_empty_statement_filled_shows_all_rows_that_come_after(session):
    session.run("INSERT INTO kept SELECT 1, 'x' WHERE false")
    numbers = pa.array(range(200_000))
    session.insert("kept", pa.table({"n": numbers, "w": numbers.cast(pa.string())}))
    assert session.value("SELECT sum(number) FROM kept") == sum(range(200_000))
