"""In which order uploads are loaded, and that files of one source never overtake each other."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from ingest_core.clock import now
from ingest_core.models import Options
from tests.jobs.test_jobs import COLUMNS, Pausing, query, receipt, rows, submit, wait_for
from tests.workspaces import mapping_of

HOUR = timedelta(hours=1)


def city(name):
    return f"crmid\temail\tcity\nK1\t\t{name}\n".encode()


def due(kernel, request_id, moment):
    """As if it had been given before its time, which has come."""
    sql = "UPDATE upload SET scheduled_for = ?, created_at = ? WHERE request_id = ?"
    query(kernel, sql, moment, moment - HOUR, request_id)


def order(kernel):
    return [one for (one,) in query(kernel, "SELECT request_id FROM upload ORDER BY upload_no")]


def test_two_of_the_same_time_are_loaded_in_the_order_in_which_they_were_given(kernel):
    later = datetime.now(UTC) + HOUR
    given = [submit(kernel, city(name), name, at=later) for name in ("Pune", "Goa", "Agra", "Kochi")]
    moment = now() - HOUR
    for request_id in reversed(given):
        due(kernel, request_id, moment)
    assert [one.request_id for one in kernel.workspace.jobs.queued()] == given
    assert kernel.workspace.jobs.run_waiting() == 4
    assert order(kernel) == given
    assert kernel.values("crmid", "K1")["city"] == "Kochi"


def test_what_became_due_first_is_loaded_first_after_a_night_without_a_worker(kernel):
    later = datetime.now(UTC) + HOUR
    second, first = (submit(kernel, city(name), name, at=later) for name in ("Goa", "Pune"))
    due(kernel, second, now() - HOUR)
    due(kernel, first, now() - 2 * HOUR)
    at_once = submit(kernel, city("Kochi"), "Kochi")
    assert kernel.workspace.jobs.run_waiting() == 3
    assert order(kernel) == [first, second, at_once]


def test_a_time_in_the_past_lets_nobody_overtake(kernel):
    first = submit(kernel, city("Pune"), "a")
    second = submit(kernel, city("Goa"), "b", at=datetime.now(UTC) - 24 * HOUR)
    assert kernel.workspace.jobs.run_waiting() == 2
    assert order(kernel) == [first, second]


def test_one_that_is_taken_up_again_is_before_those_that_came_later(kernel):
    first, second = submit(kernel, rows(2000), "a"), submit(kernel, rows(3, 9000), "b")
    pause = Pausing(kernel.workspace.jobs, "log")
    kernel.workspace.jobs.start_worker()
    assert pause.reached.wait(30)
    stopping = threading.Thread(target=kernel.workspace.jobs.stop_worker)
    stopping.start()
    while not kernel.workspace.jobs._is_closing:
        threading.Event().wait(0.001)
    pause.go_on.set()
    stopping.join(30)
    assert [receipt(kernel, one).status for one in (first, second)] == ["Scheduled", "Scheduled"]
    assert kernel.workspace.jobs._next() == first


class TestAtOnce:
    """Who loads a file without the queue."""

    def load(self, kernel, data):
        source = kernel.source()
        kernel.workspace.jobs.let_pass(source)
        return kernel.load(data.decode(), COLUMNS).request_id

    def test_without_a_worker_what_is_due_of_the_source_is_loaded_before_and_nothing_else(self, kernel):
        mapping = mapping_of(COLUMNS)
        other = kernel.workspace.jobs.submit(
            kernel.land(rows(2, 50)), kernel.source("Shop"), mapping, Options(), idempotency_key="shop"
        )
        later = submit(kernel, city("Agra"), "later", at=datetime.now(UTC) + HOUR)
        first, second = submit(kernel, city("Pune"), "a"), submit(kernel, city("Goa"), "b")
        third = self.load(kernel, city("Kochi"))
        assert order(kernel)[:3] == [first, second, third]
        assert kernel.values("crmid", "K1")["city"] == "Kochi"
        assert [receipt(kernel, one).status for one in (other, later)] == ["Scheduled", "Scheduled"]

    def test_with_a_worker_it_waits_for_what_runs_and_what_is_due(self, kernel):
        first, second = submit(kernel, rows(2000), "a"), submit(kernel, city("Goa"), "b")
        pause = Pausing(kernel.workspace.jobs, "read")
        kernel.workspace.jobs.start_worker()
        assert pause.reached.wait(30)
        kernel.workspace.loads.loader.keyset = kernel.workspace._keyset  # of the load that comes with its receipt
        found, asked = [], threading.Event()

        def loading():
            asked.set()
            found.append(self.load(kernel, city("Kochi")))

        thread = threading.Thread(target=loading)
        thread.start()
        assert asked.wait(10)
        pause.go_on.set()
        thread.join(60)
        assert order(kernel) == [first, second, *found]
        wait_for(kernel, second, "Completed")
        assert kernel.values("crmid", "K1")["city"] == "Kochi"

    def test_it_does_not_wait_for_one_that_waits_for_a_person(self, kernel):
        waiting = submit(kernel, city("Goa"), "b")
        query(kernel, """UPDATE upload SET held = '{"code": "unusual_file"}' WHERE request_id = ?""", waiting)
        self.load(kernel, city("Kochi"))
        assert receipt(kernel, waiting).status == "Scheduled"


def test_the_queue_says_what_runs_what_is_next_and_what_waits_for_what(kernel):
    jobs = kernel.workspace.jobs
    held = submit(kernel, rows(2, 10), "held")
    query(kernel, """UPDATE upload SET held = '{"code": "unusual_file"}' WHERE request_id = ?""", held)
    later = submit(kernel, rows(2, 20), "later", at=datetime.now(UTC) + HOUR)
    first, second = submit(kernel, rows(2000, 100), "a"), submit(kernel, rows(2, 30), "b")
    pause = Pausing(jobs, "log")
    jobs.start_worker()
    assert pause.reached.wait(30)
    found = jobs.queued()
    pause.go_on.set()
    assert {one.request_id: one.state for one in found} == {
        first: "running", second: "due", later: "waiting", held: "held",
    }  # fmt: skip
    assert [one.request_id for one in found[:2]] == [first, second]
    assert found[0].progress.counts["lines"] == 2000
    assert [one.progress for one in found[1:]] == [None, None, None]
    wait_for(kernel, second, "Completed")
    assert {one.request_id for one in jobs.queued()} == {held, later}


def test_what_is_due_is_worked_off_once_with_the_rounds_between(kernel):
    """An arrival found by a round is an upload that is due, and its end is something to tell by another round."""
    told, fetched = [], []

    class Arrivals:
        name = "arrivals"

        def turn(self, is_ending):
            if not fetched:
                fetched.append(submit(kernel, rows(2, 70), "arrived"))
            return 60.0

    class Notices:
        name = "notices"

        def turn(self, is_ending):
            told.extend(one for one in fetched if receipt(kernel, one).status == "Completed" and one not in told)
            return 60.0

    from ingest_core.jobs.rounds import Rounds

    workspace = kernel.workspace
    workspace.rounds = Rounds([Notices(), Arrivals()])
    submit(kernel, rows(3), "waiting")
    workspace.work_off()
    while not workspace.jobs.has_ended(0.1):
        pass
    assert dict(workspace.jobs.ended) == {"Completed": 2}
    assert told == fetched
    assert not workspace.jobs.health().is_worker_alive


def test_what_cannot_go_on_is_named_and_ends_what_is_done_once(kernel, monkeypatch):
    from ingest_core.errors import StateError

    def full():
        raise StateError("The disk is full.", code="disk_full")

    monkeypatch.setattr(kernel.workspace.jobs, "_tidy", full)
    kernel.workspace.work_off()
    while not kernel.workspace.jobs.has_ended(0.1):
        pass
    assert kernel.workspace.trouble() == {"queue": "disk_full"}
