"""After a failure that stops the engine nothing pretends to work, and the next process finds what was committed."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager

import pytest

from ingest_core.engine import Engine, EngineError
from ingest_core.errors import OnrampError

MEGABYTE = 1 << 20


def opening(folder):
    return Engine(folder / "db", folder / "tmp", memory_limit="256MB", threads=1, temp_limit="1GB")


@contextmanager
def files_no_larger_than(size):
    """What a full disk looks like to this process only."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def broken(tmp_path):
    """An engine whose checkpoint met a full disk, and the error it told."""
    engine = opening(tmp_path)
    with engine.session() as session:
        session.run("CREATE TABLE t AS SELECT hash(range) AS h FROM range(50000)")
        session.run("CHECKPOINT")
        session.run("INSERT INTO t SELECT hash(range) FROM range(1000)")
        with files_no_larger_than(engine.path.stat().st_size), pytest.raises(OnrampError) as caught:
            session.run("CHECKPOINT")
    yield engine, caught.value
    engine.close()


def test_the_first_failure_names_its_cause_and_promises_nothing(broken):
    engine, error = broken
    assert engine.is_broken
    assert (error.code, error.exit_code) == ("disk_full", 3)
    assert "Nothing was changed" not in error.message
    assert "history" in error.hint


def test_everything_later_fails_at_once_and_says_that_the_engine_stopped(broken):
    engine, _ = broken
    for call in (engine.session, engine.check, lambda: engine.compact(["t"])):
        with pytest.raises(EngineError) as caught:
            call()
        assert caught.value.code == "engine_stopped"
        assert caught.value.facts == {"cause": "disk_full"}


def test_a_session_of_before_fails_as_well(tmp_path):
    engine = opening(tmp_path)
    with engine.session() as other, engine.session() as session:
        session.run("CREATE TABLE t AS SELECT hash(range) AS h FROM range(50000)")
        session.run("CHECKPOINT")
        session.run("INSERT INTO t SELECT hash(range) FROM range(1000)")
        with files_no_larger_than(engine.path.stat().st_size), pytest.raises(OnrampError):
            session.run("CHECKPOINT")
        for sql in ("SELECT 1", "ROLLBACK", "COMMIT"):
            with pytest.raises(EngineError) as caught:
                other.run(sql)
            assert caught.value.code == "engine_stopped"
    engine.close()


def test_the_next_one_finds_what_was_committed(broken, tmp_path):
    engine, _ = broken
    engine.close()
    again = opening(tmp_path)
    assert not again.is_broken
    with again.session() as session:
        assert session.value("SELECT count(*) FROM t") == 51_000
    again.close()


def test_a_commit_that_is_durable_is_no_failure_though_the_engine_stopped_after_it(tmp_path):
    """The log took the data and only moving it into the file failed: to say "nothing was changed" would be wrong."""
    engine = opening(tmp_path)
    with engine.session() as session:
        session.run("CREATE TABLE t (n INTEGER, b BLOB)")
        for number in range(20):
            session.run("INSERT INTO t VALUES (?, ?)", [number, os.urandom(MEGABYTE)])
        session.run("CHECKPOINT")
        with files_no_larger_than(max(engine.path.stat().st_size, 20 * MEGABYTE)):
            for number in range(20, 40):  # after some sixteen megabytes a commit moves the log into the file
                with session.transaction():
                    session.run("INSERT INTO t VALUES (?, ?)", [number, os.urandom(MEGABYTE)])
                if engine.is_broken:
                    break
    assert engine.is_broken
    engine.close()
    again = opening(tmp_path)
    with again.session() as session:
        assert session.value("SELECT max(n) FROM t") == number
    again.close()


def test_an_error_that_breaks_nothing_breaks_nothing(workspace):
    with workspace.engine.session() as session, pytest.raises(EngineError):
        session.run("SELECT error('no')")
    assert not workspace.engine.is_broken
    workspace.engine.check()
