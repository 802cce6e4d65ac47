"""A clock that steps, back a day or forward a year, changes what is written beside an upload and nothing else."""

from __future__ import annotations

import time
from datetime import UTC, timedelta

import pytest

from ingest_core.clock import now
from ingest_core.models import Options
from ingest_core.workspace import Workspace
from pages.ui.arrivals import Arrivals
from tests.workspaces import Kernel, mapping_of

STEPS = [{"days": -1}, {"days": 365}, {"hours": -8760}, {"seconds": -1}]
IDS = ["back a day", "forward a year", "back a year", "back a second"]
COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}
CITIES = ("Pune", "Goa", "Agra", "Kochi")


def person(city, crmid="K1"):
    return f"crmid\temail\tcity\n{crmid}\tpriya@example.in\t{city}\n"


def submit(kernel, data, key, **options):
    return kernel.workspace.jobs.submit(
        kernel.land(data.encode()), kernel.source(), mapping_of(COLUMNS), Options(**options), idempotency_key=key
    )


def statuses(kernel):
    return {receipt.request_id: receipt.status for receipt in kernel.workspace.history.list()}


def test_the_clock_of_the_tests_is_the_clock_of_the_product(wall):
    before = now()
    wall.step(days=-1)
    assert now() == before - timedelta(days=1)


@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_the_last_upload_wins_whatever_the_clock_said(kernel, wall, step):
    for city in CITIES:
        kernel.load(person(city), COLUMNS)
        wall.step(**step)
    assert kernel.values("crmid", "K1")["city"] == CITIES[-1]
    before = kernel.workspace.digest()
    assert kernel.workspace.rebuild()["digest"] == before["digest"]


@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_steps_between_and_inside_uploads_leave_the_same_people(kernel, home, tmp_path, wall, monkeypatch, step):
    """The same files into two workspaces, one of them on a clock that steps before every step of every load."""
    files = [person("Pune"), person("Goa", "K2"), person("Agra"), person("Kochi", "K3")]
    for data in files:
        kernel.load(data, COLUMNS)
    straight = kernel.workspace.digest()
    kernel.workspace.close()
    monkeypatch.setattr("ingest_core.engine.steps.abort_point", lambda *_: wall.step(**step))
    stepping_folder = tmp_path / "stepping"
    stepping_folder.mkdir()
    with Workspace.open(tmp_path / "other") as workspace:
        other = Kernel(workspace, stepping_folder)
        for data in files:
            other.load(data, COLUMNS)
        assert {name: workspace.digest()[name] for name in ("profiles", "memberships")} == {
            name: straight[name] for name in ("profiles", "memberships")
        }
        assert workspace.digest() == straight


@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_history_is_in_the_order_in_which_uploads_were_made(kernel, wall, step):
    made = []
    for number, city in enumerate(CITIES):
        made.append(
            kernel.load(person(city), COLUMNS).request_id if number % 2 else submit(kernel, person(city), str(number))
        )
        wall.step(**step)
    kernel.workspace.jobs.run_waiting()
    assert [receipt.request_id for receipt in kernel.workspace.history.list()] == made[::-1]


def test_the_order_survives_a_rewrite_of_the_database(home, tmp_path, wall):
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, tmp_path)
        made = []
        for city in CITIES:
            made.append(kernel.load(person(city), COLUMNS).request_id)
            wall.step(hours=-1)
        workspace.operations.maintain()
    with Workspace.open(home) as workspace:
        assert [receipt.request_id for receipt in workspace.history.list()] == made[::-1]


class TestQueue:
    def test_what_waits_for_nothing_is_loaded_at_once_though_the_clock_went_back(self, kernel, wall):
        waiting = submit(kernel, person("Pune"), "a")
        wall.step(days=-1)
        assert kernel.workspace.jobs.run_waiting() == 1
        assert statuses(kernel) == {waiting: "Completed"}

    @pytest.mark.parametrize("step", STEPS, ids=IDS)
    def test_the_order_is_that_of_the_submissions(self, kernel, wall, step):
        for city in CITIES:
            submit(kernel, person(city), city)
            wall.step(**step)
        assert kernel.workspace.jobs.run_waiting() == len(CITIES)
        assert kernel.values("crmid", "K1")["city"] == CITIES[-1]

    def test_an_upload_for_later_runs_once_when_its_time_has_come_however_often_the_clock_steps(self, kernel, wall):
        moment = wall.moment + timedelta(hours=1)
        later = submit(kernel, person("Pune"), "later", at=moment)
        wall.step(days=-1)
        assert kernel.workspace.jobs.run_waiting() == 0
        wall.step(days=1, minutes=59)
        assert kernel.workspace.jobs.run_waiting() == 0
        wall.step(minutes=1)
        assert kernel.workspace.jobs.run_waiting() == 1
        assert statuses(kernel) == {later: "Completed"}
        for step in ({"days": -2}, {"days": 2}, {"days": 365}):
            wall.step(**step)
            assert kernel.workspace.jobs.run_waiting() == 0
        assert len(kernel.workspace.history.list()) == 1

    def test_a_clock_that_leaps_over_the_time_does_not_leap_over_the_upload(self, kernel, wall):
        later = submit(kernel, person("Pune"), "later", at=wall.moment + timedelta(hours=1))
        wall.step(days=365)
        assert kernel.workspace.jobs.run_waiting() == 1
        assert statuses(kernel) == {later: "Completed"}

    def test_a_restart_in_between_changes_nothing(self, home, tmp_path, wall):
        with Workspace.open(home) as workspace:
            submit(Kernel(workspace, tmp_path), person("Pune"), "later", at=wall.moment + timedelta(hours=1))
        wall.step(days=-1)
        with Workspace.open(home) as workspace:
            assert workspace.jobs.run_waiting() == 0
        wall.step(days=2)
        for expected in (1, 0):
            with Workspace.open(home) as workspace:
                assert workspace.jobs.run_waiting() == expected

    def test_uploads_whose_time_has_come_run_in_the_order_of_their_times_among_the_others(self, kernel, wall):
        """As if the worker had been there all the time: 11:00 was queued after 13:00, and is before it."""
        at = wall.moment.astimezone(UTC)
        submit(kernel, person("at 3"), "3", at=at + timedelta(hours=3))
        submit(kernel, person("at 1"), "1", at=at + timedelta(hours=1))
        wall.step(hours=2)
        submit(kernel, person("at once"), "2")
        wall.step(hours=2)
        assert kernel.workspace.jobs.run_waiting() == 3
        with kernel.workspace.engine.session() as session:
            order = session.rows("SELECT idempotency_key FROM upload ORDER BY upload_no")
        assert order == [("1",), ("2",), ("3",)]


@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_tickets_and_arrivals_live_as_long_as_they_should(wall, monkeypatch, step):
    """Durations are measured by a clock that nobody sets."""
    arrivals = Arrivals()
    token = arrivals.issue("draft", "asha", "browser", 100)
    wall.step(**step)
    monkeypatch.setattr(time, "time", wall.moment.timestamp)
    assert arrivals.is_open(token)
    arrival = arrivals.begin(arrivals.redeem(token, "browser", 50), "people.tsv", 50, "landing")
    wall.step(**step)
    assert arrivals.get(arrival.arrival_id, "browser") is arrival
    assert arrivals.expired() == []


def test_an_upload_that_ends_before_it_began_is_still_one(kernel, wall, monkeypatch):
    monkeypatch.setattr("ingest_core.engine.steps.abort_point", lambda *_: wall.step(days=-1))
    receipt = kernel.load(person("Pune"), COLUMNS)
    assert (receipt.status, receipt.stored) == ("Completed", 1)
    assert receipt.finished_at < receipt.started_at
    assert all(step.seconds >= 0 for step in receipt.steps)
