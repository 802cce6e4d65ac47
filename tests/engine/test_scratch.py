"""Scratch tables: rows of a query or of ours in files of the temporary folder, gone as soon as they are let go of."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.engine import Engine, EngineError
from ingest_core.errors import StateError

SCHEMA = pa.schema({"number": pa.int64(), "word": pa.string()})
ODD = ["", "it's", '"', "a\tb", "é\u0000ü", "?", None]


@pytest.fixture
def engine(tmp_path):
    """In a folder whose name has to be quoted."""
    temp = tmp_path / "temp's"
    engine = Engine(tmp_path / "a.duckdb", temp, memory_limit="500MB", threads=2, temp_limit="1MB")
    yield engine
    engine.close()


@pytest.fixture
def session(engine):
    with engine.session() as session:
        yield session


@pytest.fixture
def files(tmp_path):
    return lambda: [path for path in (tmp_path / "temp's").rglob("*") if path.is_file()]


def written(session, *rows):
    file = session.scratch.writer(SCHEMA)
    for number, word in rows:
        file.write(pa.table({"number": [number], "word": [word]}, schema=SCHEMA))
    file.close()
    return file.path


def test_a_table_holds_what_its_query_gave_whatever_becomes_of_the_source(session):
    session.run("CREATE TEMP TABLE source AS SELECT unnest(?::VARCHAR[]) AS word", [ODD])
    assert session.scratch.keep("kept", "SELECT word, ?::BIGINT AS number FROM source", [7]) == len(ODD)
    session.run("DELETE FROM source")
    assert session.rows("SELECT word, number FROM kept") == [(word, 7) for word in ODD]


def test_rows_are_added_to_a_table_and_replaced_by_a_query_on_it(session, files):
    session.scratch.keep("kept", "SELECT 1 AS number")
    assert session.scratch.add("kept", "SELECT number + 1 AS number FROM kept") == 1
    assert session.rows("SELECT number FROM kept ORDER BY ALL") == [(1,), (2,)]
    assert session.scratch.keep("kept", "SELECT 10 * number AS number FROM kept") == 2
    assert session.rows("SELECT number FROM kept ORDER BY ALL") == [(10,), (20,)]
    assert len(files()) == 1


def test_an_empty_table_keeps_its_columns(session):
    assert session.scratch.keep("kept", "SELECT 1 AS number, 'x' AS word WHERE false") == 0
    assert session.rows("SELECT number, word FROM kept") == []


def test_our_own_rows_stand_in_the_order_of_their_files(session):
    session.scratch.show("kept", [written(session, (1, "a"), (2, None)), written(session), written(session, (3, "c"))])
    assert session.rows("SELECT number, word FROM kept") == [(1, "a"), (2, None), (3, "c")]


def test_rows_apart_by_a_column_are_shown_share_by_share(session, files):
    apart = session.scratch.apart("SELECT range AS number, range % 3 AS share FROM range(10) WHERE range <> 4", "share")
    assert sorted(apart) == ["0", "1", "2"]
    found = {}
    for share, paths in apart.items():
        session.scratch.show("kept", paths)
        assert session.scratch.keep("columns", "SELECT * FROM kept") == len(session.rows("SELECT * FROM columns"))
        found[share] = sorted(number for (number,) in session.rows("FROM columns"))
    assert found == {"0": [0, 3, 6, 9], "1": [1, 7], "2": [2, 5, 8]}
    session.scratch.drop("kept", "columns")
    assert files() == []


def test_what_is_let_go_of_is_gone_before_the_transaction_ends(session, files):
    session.run("BEGIN")
    session.scratch.keep("kept", "SELECT 1 AS number")
    session.scratch.keep("other", "SELECT 2 AS number")
    session.scratch.drop("kept")
    assert len(files()) == 1
    with pytest.raises(StateError):
        session.rows("FROM kept")
    session.run("ROLLBACK")


def test_with_the_session_everything_goes(engine, files):
    with engine.session() as session:
        session.scratch.keep("kept", "SELECT 1 AS number")
        written(session, (1, "not shown yet"))
        assert len(files()) == 2
    assert files() == []


def test_what_a_killed_process_left_is_removed_when_the_engine_opens(tmp_path, engine, session, files):
    session.scratch.keep("kept", "SELECT 1 AS number")
    Engine(tmp_path / "b.duckdb", tmp_path / "temp's", memory_limit="500MB", threads=1, temp_limit="1MB").close()
    assert files() == []


def test_sessions_have_tables_of_their_own(engine, session):
    session.scratch.keep("kept", "SELECT 1 AS number")
    with engine.session() as other:
        other.scratch.keep("kept", "SELECT 2 AS number")
        assert session.value("SELECT number FROM kept") == 1
        assert other.value("SELECT number FROM kept") == 2


def test_more_than_the_limit_of_temporary_files_is_refused(session):
    with pytest.raises(EngineError) as refused:
        session.scratch.keep("kept", "SELECT md5(range::VARCHAR) AS word FROM range(100_000)")
    assert refused.value.code == "out_of_memory"
    file = session.scratch.writer(SCHEMA)
    with pytest.raises(EngineError) as refused:
        file.write(pa.table({"number": range(200_000), "word": ["x"] * 200_000}, schema=SCHEMA))
    assert refused.value.code == "out_of_memory"


def test_a_full_disk_is_told_as_one(session, monkeypatch):
    file = session.scratch.writer(SCHEMA)

    def full(rows):
        raise OSError(28, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr(file._writer, "write_table", full)
    with pytest.raises(StateError) as refused:
        file.write(pa.table({"number": [1], "word": ["secret"]}, schema=SCHEMA))
    assert refused.value.code == "disk_full"
    assert "secret" not in refused.value.message


def test_an_expression_is_evaluated_for_rows_in_their_order(session):
    words = pa.table({"word": ODD})
    assert session.evaluated(words, "length(word)").to_pylist() == [0, 4, 1, 3, 3, 1, None]
