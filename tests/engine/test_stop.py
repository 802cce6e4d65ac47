"""A wish to stop is met once by the work it is for, and by nothing else in the process."""

from __future__ import annotations

import threading

import pytest

from ingest_core.engine.stopping import Stop, check_stop, stoppable_by, working_for
from ingest_core.errors import Stopped


@pytest.fixture
def engine(workspace):
    return workspace.engine


ENDLESS = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE (a.range * b.range) % 7 = 3"


def test_a_statement_under_way_is_stopped_and_cleaning_up_after_it_is_not(engine):
    stop, met = Stop(), []

    def work():
        with working_for(stop):
            try:
                with engine.session() as session:
                    threading.Thread(target=ask_when_running, args=[session]).start()
                    session.rows(ENDLESS)
            except Stopped:
                met.append("stopped")
            with engine.session() as session:
                met.append(session.value("SELECT 7"))
            check_stop()

    def ask_when_running(session):
        while not session._is_running:
            pass
        stop.ask()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert met == ["stopped", 7]


def test_where_nothing_runs_the_next_session_meets_it_once(engine):
    stop = Stop()
    with working_for(stop):
        stop.ask()
        with pytest.raises(Stopped):
            engine.session()
        with engine.session() as session:
            assert session.value("SELECT 1") == 1


def test_it_rolls_back_what_was_begun(engine):
    with engine.session() as session:
        session.run("CREATE TABLE kept (n INTEGER)")
    stop = Stop()

    def work():
        with working_for(stop), engine.session() as session, session.transaction():
            session.run("INSERT INTO kept VALUES (1)")
            stop.ask()
            session.run("INSERT INTO kept VALUES (2)")

    with pytest.raises(Stopped):
        work()
    with engine.session() as session:
        assert session.value("SELECT count(*) FROM kept") == 0


def test_it_is_nobody_elses(engine):
    stop = Stop()
    stop.ask()
    check_stop()
    with engine.session() as session:
        assert session.value("SELECT 1") == 1


def test_work_in_another_process_is_called_also_when_it_begins_too_late():
    stop, calls = Stop(), []
    with working_for(stop):
        with stoppable_by(lambda: calls.append("early")):
            stop.ask()
            stop.ask()
        with stoppable_by(lambda: calls.append("late")):
            pass
    assert calls == ["early", "late"]
