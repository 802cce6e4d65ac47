"""Cells in the background: one after another, watched, stopped, and never lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ingest_core.errors import InputError, Stopped
from ingest_core.explore.bench import Bench
from tests.explore.test_limits import ENDLESS


@pytest.fixture
def bench(opened):
    return Bench(opened())


def until(is_so: Callable[[], bool]) -> None:
    """Waits, but not for ever."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def done(bench: Bench) -> Bench:
    until(lambda: bench.work() is None)
    return bench


def rows(bench: Bench, cell: str) -> list[list[object]]:
    outcome = bench.outcome(cell)
    assert outcome is not None
    assert outcome.result is not None, outcome.error
    return outcome.result.as_json()["rows"]


def test_nothing_happens_before_it_is_asked(bench):
    assert (bench.work(), bench.tables, bench.session.is_loaded) == (None, (), False)


def test_reading_says_what_there_is_and_how_far_it_is(bench):
    bench.read()
    assert bench.work() is not None
    assert [table.name for table in done(bench).tables] == ["file", "typed", "rejects"]
    assert bench.problem is None


def test_cells_run_in_order_and_keep_their_answers(bench):
    bench.run([("a", "SELECT count(*) FROM file"), ("b", "SELECT 2"), ("c", "SELECT 3")])
    assert bench.is_waiting("c")
    done(bench)
    assert [rows(bench, cell) for cell in "abc"] == [[[4]], [[2]], [[3]]]
    assert not bench.is_waiting("c")
    assert bench.outcome("a").sql == "SELECT count(*) FROM file"
    bench.forget("a")
    assert bench.outcome("a") is None


def test_a_wrong_query_is_an_outcome_and_the_next_one_runs(bench):
    bench.run([("a", "SELECT no FROM file"), ("b", "SELECT 1")])
    done(bench)
    assert isinstance(bench.outcome("a").error, InputError)
    assert rows(bench, "b") == [[1]]


def test_a_cell_that_waits_is_asked_what_it_says_now(bench):
    bench.run([("a", ENDLESS), ("b", "SELECT 1")])
    until(lambda: bench.work().cell == "a")
    bench.run([("b", "SELECT 2")])
    assert bench.work().waiting == 1
    bench.session.stop()
    assert rows(done(bench), "b") == [[2]]


def test_stop_ends_what_runs_and_forgets_what_waits(bench):
    bench.run([("a", ENDLESS), ("b", "SELECT 1")])
    until(lambda: bench.work().cell == "a")
    bench.stop()
    done(bench)
    assert isinstance(bench.outcome("a").error, Stopped)
    assert bench.outcome("b") is None
    bench.stop()  # nothing to stop
    bench.run([("b", "SELECT 1")])
    assert rows(done(bench), "b") == [[1]]


def test_what_is_asked_right_after_a_stop_runs(bench):
    bench.run([("a", ENDLESS)])
    until(lambda: bench.work().cell == "a")
    bench.stop()
    bench.run([("b", "SELECT 1")])
    assert rows(done(bench), "b") == [[1]]


def test_a_stop_that_came_too_early_is_said_again(bench):
    """As it is when the query has not quite begun: the session forgets a stop at the beginning of a query."""
    bench.run([("a", ENDLESS)])
    until(lambda: bench.work().cell == "a")
    bench._is_stopped = True
    done(bench)
    assert isinstance(bench.outcome("a").error, Stopped)


def test_data_that_cannot_be_read_is_the_outcome_of_what_asked_for_it(opened):
    bench = Bench(opened("x" * 3_000_000))
    bench.run([("a", "SELECT 1")])
    done(bench)
    assert bench.problem is not None
    assert bench.outcome("a").error is bench.problem
    assert bench.tables == ()


def test_again_reads_the_data_anew_and_keeps_results(bench):
    bench.run([("a", "SELECT 1")])
    first = done(bench).session.filled_at
    bench.again()
    assert done(bench).session.filled_at > first
    assert rows(bench, "a") == [[1]]


def test_every_end_is_a_new_version(bench):
    seen = [bench.version]
    for _ in range(2):
        bench.run([("a", "SELECT 1")])
        seen.append(done(bench).version)
    assert seen == sorted(set(seen))


def test_closing_ends_what_runs_and_frees_the_data(bench):
    bench.run([("a", ENDLESS)])
    until(lambda: bench.work().cell == "a")
    bench.close()
    done(bench)
    assert not bench.session.is_loaded
