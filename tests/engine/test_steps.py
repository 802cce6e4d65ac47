"""Steps: timed, told, seen in the receipt; abort points before and after each."""

from __future__ import annotations

import pytest

from ingest_core.engine import EngineError
from ingest_core.engine.steps import Runner, Step
from ingest_core.errors import StateError, Stopped

ONE = Step("one", "Makes three rows.", "CREATE OR REPLACE TEMP TABLE one AS SELECT * FROM range(3)")
TWO = Step("two", "Counts them.", "INSERT INTO one SELECT * FROM range(4)")


@pytest.fixture
def session(workspace):
    with workspace.engine.session() as opened:
        yield opened


def test_steps_report_name_purpose_sql_seconds_and_rows(session):
    runner = Runner(session)
    runner.all([ONE, TWO])
    assert [(r.name, r.purpose, r.sql, r.rows) for r in runner.reports] == [
        ("one", ONE.purpose, ONE.sql, 3),
        ("two", TWO.purpose, TWO.sql, 4),
    ]
    assert all(report.seconds >= 0 for report in runner.reports)


def test_a_step_that_fails_is_not_reported(session):
    runner = Runner(session)
    with pytest.raises(EngineError):
        runner.all([ONE, Step("bad", "Fails.", "SELECT * FROM nothing_like_this")])
    assert [report.name for report in runner.reports] == ["one"]


def test_progress_is_told_each_step_and_may_stop_the_work(session):
    told = []

    def progress(phase, done, total):
        told.append(phase)
        if phase == "two":
            raise Stopped

    with pytest.raises(Stopped):
        Runner(session, progress).all([ONE, TWO])
    assert told == ["one", "two"]
    assert session.value("SELECT count(*) FROM one") == 3


@pytest.mark.parametrize(("when", "rows"), [("before", 3), ("after", 7)])
def test_an_abort_point_fails_before_or_after_its_step(session, monkeypatch, when, rows):
    monkeypatch.setenv("ONRAMP_FAULT", f"two:{when}:error")
    with pytest.raises(StateError) as caught:
        Runner(session).all([ONE, TWO])
    assert caught.value.code == "fault_injected"
    assert session.value("SELECT count(*) FROM one") == rows
