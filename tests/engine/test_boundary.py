"""What the engine says about customers' data stays in the engine (facts.md F8)."""

from __future__ import annotations

import threading
import traceback

import pyarrow as pa
import pytest

from ingest_core.engine import Engine, EngineError
from ingest_core.errors import Stopped

SECRET = "priya.raman@example.in"


def shown(error: BaseException) -> str:
    """Everything that a log, a screen or a mail could show of an error."""
    parts = ["".join(traceback.format_exception(error)), str(error), repr(error)]
    if isinstance(error, EngineError):
        parts.append(str(error.as_dict()))
    return "\n".join(parts)


@pytest.mark.parametrize(
    ("sql", "parameters", "kind"),
    [
        ("SELECT CAST(? AS INTEGER)", [SECRET], "ConversionException"),
        ("SELECT CAST(value AS DATE) FROM cells", [], "ConversionException"),
        ("SELECT error(value) FROM cells", [], "InvalidInputException"),
        ("INSERT INTO strict SELECT value FROM cells", [], "ConstraintException"),
        (f"SELECT * FROM '{SECRET}'", [], "CatalogException"),
        (f"SELEKT '{SECRET}'", [], "ParserException"),
        (f'SELECT "{SECRET}" FROM cells', [], "BinderException"),
    ],
)
def test_an_engine_error_has_code_and_kind_but_no_text(workspace, sql, parameters, kind):
    with workspace.engine.session() as session:
        session.run("CREATE TEMP TABLE cells AS SELECT ?::VARCHAR AS value", [SECRET])
        session.run("CREATE TEMP TABLE strict (value VARCHAR CHECK (length(value) < 3))")
        with pytest.raises(EngineError) as caught:
            session.rows(sql, parameters)
    error = caught.value
    assert (error.code, error.facts["kind"]) == ("engine_error", kind)
    assert error.hint
    assert SECRET not in shown(error)


def test_arrow_results_pass_the_same_boundary(workspace):
    with workspace.engine.session() as session:
        table = pa.table({"value": [SECRET]})
        session.register("given", table)
        for read in (session.arrow, lambda sql: list(session.batches(sql))):
            with pytest.raises(EngineError) as caught:
                read("SELECT CAST(value AS INTEGER) AS number FROM given")
            assert SECRET not in shown(caught.value)


def test_a_missing_name_says_nothing_of_the_schema(workspace):
    with workspace.engine.session() as session, pytest.raises(EngineError) as caught:
        session.rows("SELECT * FROM uploads_of_priya")
    assert "Did you mean" not in shown(caught.value)


def test_interrupting_is_stopping(workspace):
    found: list[BaseException] = []

    def count(session):
        try:
            session.rows("SELECT count(*) FROM range(1000000) a, range(1000000) b")
        except Stopped as stopped:
            found.append(stopped)

    with workspace.engine.session() as session:
        thread = threading.Thread(target=count, args=[session])
        thread.start()
        while thread.is_alive():
            session.interrupt()
            thread.join(timeout=0.01)
        assert [type(error) for error in found] == [Stopped]
        assert session.value("SELECT 1") == 1


def test_too_little_memory_and_disk_is_an_error_of_its_own(tmp_path):
    engine = Engine(tmp_path / "db", tmp_path / "tmp", memory_limit="30MB", threads=1, temp_limit="1MB")
    with engine.session() as session, pytest.raises(EngineError) as caught:
        session.run("CREATE TEMP TABLE wide AS SELECT hash(range)::VARCHAR || hash(range + 1) AS v FROM range(2000000)")
    assert caught.value.code == "out_of_memory"
    engine.close()


def test_a_transaction_ends_with_its_block(workspace):
    def write(session, key, then):
        with session.transaction():
            session.run("INSERT INTO meta VALUES (?, '1')", [key])
            then(session)

    def die(_session):
        raise KeyboardInterrupt

    with workspace.engine.session() as session:
        write(session, "kept", lambda _: None)
        with pytest.raises(EngineError):
            write(session, "lost", lambda again: again.run("SELECT * FROM nothing_like_this"))
        with pytest.raises(KeyboardInterrupt):
            write(session, "lost", die)
        assert session.rows("SELECT key FROM meta WHERE key IN ('kept', 'lost')") == [("kept",)]


def test_readers_see_the_last_commit_while_a_writer_is_at_work(workspace):
    with workspace.engine.session() as writer, workspace.engine.session() as reader:
        with writer.transaction():
            writer.run("INSERT INTO meta VALUES ('new', '1')")
            assert reader.value("SELECT count(*) FROM meta WHERE key = 'new'") == 0
        assert reader.value("SELECT count(*) FROM meta WHERE key = 'new'") == 1


def test_temporary_and_registered_tables_belong_to_one_session(workspace):
    with workspace.engine.session() as first, workspace.engine.session() as second:
        first.run("CREATE TEMP TABLE stage AS SELECT 1 AS a")
        first.register("given", pa.table({"a": [1]}))
        assert first.records("SELECT * FROM stage JOIN given USING (a)") == [{"a": 1}]
        for name in ("stage", "given"):
            with pytest.raises(EngineError):
                second.rows(f"SELECT * FROM {name}")


def test_rows_of_an_open_transaction_have_other_rowids(workspace):
    """Why the stage is filled in autocommit: there a rowid is the record number."""
    with workspace.engine.session() as session:
        session.run("CREATE TABLE filled (a INTEGER)")
        session.run("INSERT INTO filled SELECT range FROM range(3)")
        assert session.rows("SELECT rowid FROM filled") == [(0,), (1,), (2,)]
        with session.transaction():
            session.run("INSERT INTO filled VALUES (3)")
            assert session.value("SELECT max(rowid) FROM filled") > 10**16
