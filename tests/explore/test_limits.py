"""Time, memory, rows and bytes of a query; what a query does to its process stays there."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from ingest_core.errors import InputError, Stopped

ENDLESS = "SELECT count(*) FROM range(1000000000000)"
CROSSED = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 0"
DEAF = "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))"
"""One call of a function that the engine cannot interrupt, and that takes hours."""


def until_at_work(session) -> None:
    """Returns when the process of a session has an order."""
    while session._sandbox is None or not session._sandbox._is_busy:
        time.sleep(0.001)


def stopped_in_the_middle(session, sql: str) -> BaseException:
    """Runs in a thread of its own; stops it as soon as it is under way; returns what the thread met."""
    met: list[BaseException] = []

    def work() -> None:
        try:
            session.run(sql)
        except (InputError, Stopped) as error:
            met.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until_at_work(session)
    session.stop()
    thread.join()
    return met[0]


@pytest.mark.parametrize("sql", [ENDLESS, CROSSED])
def test_a_query_that_never_ends_is_interrupted_and_the_tables_stay(opened, sql):
    session = opened(seconds=0.5)
    session.tables()
    pid = session._sandbox.pid
    with pytest.raises(InputError) as caught:
        session.run(sql)
    assert caught.value.code == "sql_too_slow"
    assert "0.5 seconds" in caught.value.message
    assert session.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]
    assert session._sandbox.pid == pid


def test_a_query_that_hears_nothing_is_killed_and_the_next_one_finds_the_tables(opened):
    session = opened(seconds=0.5)
    session.tables()
    pid = session._sandbox.pid
    with pytest.raises(InputError) as caught:
        session.run(DEAF)
    assert caught.value.code == "sql_too_slow"
    assert not session.is_loaded
    assert session.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]
    assert session._sandbox.pid != pid


@pytest.mark.parametrize("sql", [ENDLESS, DEAF])
def test_stop_ends_a_query(opened, sql):
    session = opened()
    session.tables()
    error = stopped_in_the_middle(session, sql)
    assert isinstance(error, Stopped)
    assert error.message == "The query was stopped."
    assert session.run("SELECT 1").row_count == 1


def test_stop_ends_the_reading_of_a_file(opened):
    session = opened()
    seen = threading.Event()

    def stop(phase: str, done: int, total: int | None) -> None:
        seen.set()
        session.stop()

    with pytest.raises(Stopped):
        session.tables(stop)
    assert seen.is_set()
    assert not session.is_loaded
    assert len(session.tables()) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT repeat('x', 1000000000)",
        "SELECT lpad('x', 1000000000, 'y') || 'z'",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
        "SELECT list(range) FROM range(1000000000)",
        "SELECT range(100000000)",
        "SELECT list_resize([1], 2000000000)",
        "SELECT repeat('1', 1000000000)::BIT",
        "SELECT printf('%2000000000d', 1)",
        "SELECT a.range FROM range(100000000) a, range(100000000) b ORDER BY hash(a.range + b.range) DESC",
    ],
)
def test_memory_has_an_end_and_the_session_none(opened, sql):
    session = opened(memory=128 << 20, seconds=3)
    with pytest.raises(InputError) as caught:
        session.run(sql)
    assert caught.value.code in {"sql_too_much_memory", "sql_too_slow", "sql_broke"}
    assert session.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]


def test_a_list_without_end_is_refused_by_the_engine(opened):
    session = opened()
    with pytest.raises(InputError) as caught:
        session.run("SELECT range(1000000000000)")
    assert caught.value.code == "sql_failed"


def test_only_the_first_rows_are_kept_and_the_answer_says_so(opened):
    session = opened(rows=100)
    answer = session.run("SELECT * FROM range(1000000000000)").as_json()
    assert (answer["row_count"], answer["is_cut"], answer["rows"][-1]) == (100, True, [99])
    assert session.run("SELECT * FROM range(100)").as_json()["is_cut"] is False
    assert session.run("SELECT * FROM range(101)").as_json()["is_cut"] is True
    assert session.run("SELECT * FROM range(5000)", 7).row_count == 7
    assert session.run("SELECT * FROM range(5000)", 5_000).row_count == 100
    assert session.run("SELECT * FROM range(0)").as_json()["rows"] == []


def test_bytes_of_a_result_have_an_end(opened):
    session = opened(result_bytes=1 << 20)
    answer = session.run("SELECT repeat('x', 100000) AS x FROM range(1000)")
    assert answer.is_cut
    assert 0 < answer.row_count <= 10
    assert answer.table.nbytes <= 1 << 20
    with pytest.raises(InputError) as caught:
        session.run("SELECT repeat('x', 2000000)")
    assert caught.value.code == "sql_too_large"
    assert session.run("SELECT count(*) FROM range(1000)").as_json()["rows"] == [[1000]]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGSEGV, "sql_broke"), (signal.SIGABRT, "sql_broke"), (signal.SIGKILL, "sql_too_much_memory")],
)
def test_what_ends_the_process_is_an_error_with_a_name(opened, number, code):
    """A crash of the engine; or the system, which has no memory left."""
    session = opened()
    session.tables()

    def end() -> None:
        until_at_work(session)
        os.kill(session._sandbox.pid, number)

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(InputError) as caught:
        session.run(ENDLESS)
    thread.join()
    assert caught.value.code == code
    assert session.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]
