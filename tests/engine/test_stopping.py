"""A statement under way is stopped at once, a transaction still ends, and no later statement slips through."""

from __future__ import annotations

import threading

import pytest

from ingest_core.engine import EngineError
from ingest_core.errors import Stopped

ENDLESS = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE (a.range * b.range) % 7 = 3"


class Working(threading.Thread):
    """Runs statements of a session until one fails; says how it ended."""

    def __init__(self, session, *statements):
        super().__init__(daemon=True)
        self.session, self.statements, self.ended = session, statements, None

    def run(self):
        try:
            for sql in self.statements:
                self.session.rows(sql)
        except BaseException as error:  # noqa: BLE001  the test looks at what it was
            self.ended = error


def until(condition):
    tick = threading.Event()
    for _ in range(30_000):
        if condition():
            return
        tick.wait(0.001)
    raise AssertionError("it never happened")


def test_a_running_statement_ends(workspace):
    with workspace.engine.session() as session:
        session.run("BEGIN")
        working = Working(session, ENDLESS)
        working.start()
        until(lambda: session._is_running)
        session.stop()
        working.join(30)
        assert isinstance(working.ended, Stopped)


def test_a_stopped_session_only_rolls_back(workspace):
    with workspace.engine.session() as session:
        with pytest.raises(Stopped), session.transaction():
            _insert_and_stop(session)
        for sql in ("SELECT 1", "COMMIT", "BEGIN"):
            with pytest.raises(Stopped):
                session.run(sql)
        with pytest.raises(EngineError):  # it was rolled back already
            session.run("ROLLBACK")
    with workspace.engine.session() as session:
        assert session.value("SELECT count(*) FROM meta WHERE key = 'lost'") == 0


def _insert_and_stop(session):
    session.run("INSERT INTO meta VALUES ('lost', '1')")
    session.stop()


def test_a_stop_between_two_statements_is_not_forgotten(workspace):
    """The engine forgets an interruption that comes just before a statement; we do not, at whatever moment it comes."""
    for spins in range(0, 3000, 60):
        with workspace.engine.session() as session:
            working = Working(session, "SELECT 1", "SELECT 2", ENDLESS)
            working.start()
            for _ in range(spins):
                pass
            session.stop()
            working.join(30)
            assert isinstance(working.ended, Stopped), spins


def test_other_sessions_go_on(workspace):
    with workspace.engine.session() as session, workspace.engine.session() as other:
        session.stop()
        assert other.value("SELECT 1") == 1


def test_the_engine_interrupts_whatever_runs_and_nothing_afterwards(workspace):
    with workspace.engine.session() as first, workspace.engine.session() as second:
        both = [Working(session, ENDLESS) for session in (first, second)]
        for working in both:
            working.start()
        tick = threading.Event()
        while any(working.is_alive() for working in both):
            workspace.engine.interrupt()
            tick.wait(0.01)
        assert [type(working.ended) for working in both] == [Stopped, Stopped]
        workspace.engine.interrupt()
        assert first.value("SELECT 1") == second.value("SELECT 1") == 1


def test_compacting_is_stopped_and_keeps_the_table(workspace, monkeypatch):
    """Clearing away is the one long thing that is done when no upload runs."""
    engine = workspace.engine
    with engine.session() as session:
        session.run("CREATE TABLE heap AS SELECT range AS a FROM range(100000)")
        session.run("DELETE FROM heap WHERE a < 90000")
    monkeypatch.setattr("ingest_core.engine.duck._DEAD_SHARE", f"SELECT 9.0 FROM ({ENDLESS}) -- {{table}}")
    ended = []

    def compact():
        try:
            engine.compact(["heap"])
        except Stopped as stopped:
            ended.append(stopped)

    thread = threading.Thread(target=compact)
    thread.start()
    until(lambda: engine._compacting is not None and engine._compacting._is_running)
    engine.stop_compacting()
    thread.join(30)
    assert len(ended) == 1
    with engine.session() as session:
        assert session.value("SELECT count(*) FROM heap") == 10_000


def test_reading_in_batches_is_stopped_too(workspace):
    with workspace.engine.session() as session:
        batches = session.batches("SELECT hash(range) AS h FROM range(10_000_000_000)")
        next(batches)
        session.stop()
        with pytest.raises(Stopped):
            list(batches)


def test_errors_in_the_middle_of_a_result_pass_the_boundary(workspace):
    """A result is computed while it is fetched: also what fails late must not quote a customer's line (facts.md F8)."""
    sql = "SELECT CASE WHEN range = 999999 THEN error('priya.raman@example.in') ELSE 'x' END AS v FROM range(1000000)"
    with workspace.engine.session() as session:
        for read in (session.rows, session.records, session.run, lambda sql: list(session.batches(sql))):
            with pytest.raises(EngineError) as caught:
                read(sql)
            assert "priya" not in str(caught.value.as_dict())
