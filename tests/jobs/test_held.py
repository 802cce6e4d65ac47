"""A queued file that is far off waits for a person: nothing is stored until one says yes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from ingest_core.errors import Held
from ingest_core.jobs.jobs import sweep
from ingest_core.models import Options, SourceSettings
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, mapping_of

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def rows(count, start=0):
    lines = (f"K{n}\tperson{n}@example.com\tPune" for n in range(start, start + count))
    return "crmid\temail\tcity\n" + "\n".join(lines) + "\n"


def submit(kernel, data, key="key", **options):
    return kernel.workspace.jobs.submit(
        kernel.land(data.encode()), kernel.source(), mapping_of(COLUMNS), Options(**options), idempotency_key=key
    )


def query(kernel, sql):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql)


@pytest.fixture
def gated(kernel) -> Kernel:
    """A source that brought 40 people and asks at 20 %."""
    kernel.load(rows(40), COLUMNS)
    kernel.workspace.sources.update(kernel.source().source_id, settings=SourceSettings(drift_percent=20))
    return kernel


@pytest.fixture
def held(gated) -> str:
    """The Request ID of a file of 10 people that waits."""
    request_id = submit(gated, rows(10, 100))
    gated.workspace.jobs.run_waiting()
    return request_id


def receipt(kernel, request_id):
    return kernel.workspace.history.get(request_id)


def test_it_waits_with_its_file_and_says_why(gated, held):
    waiting = receipt(gated, held)
    assert (waiting.status, waiting.badges, waiting.error) == ("Scheduled", ("Waits for approval",), None)
    assert waiting.held["code"] == "unusual_file"
    assert "10 rows instead of 40" in waiting.held["message"]
    assert "approve" in waiting.held["hint"]
    assert [finding["what"] for finding in waiting.held["facts"]["findings"]] == ["rows"]
    assert (waiting.stored, waiting.started_at, waiting.finished_at) == (0, None, None)
    assert len(gated.workspace.landing.ids()) == 1
    assert gated.workspace.profiles.count() == 40
    assert query(gated, "SELECT count(*) FROM record") == [(40,)]


def test_it_is_not_tried_again_and_later_uploads_do_not_wait_for_it(gated, held):
    assert gated.workspace.jobs.run_waiting() == 0
    following = submit(gated, rows(41), "next")
    assert gated.workspace.jobs.run_waiting() == 1
    assert receipt(gated, following).status == "Completed"
    assert receipt(gated, held).status == "Scheduled"


def test_approved_it_loads_and_who_said_yes_is_kept(gated, held):
    assert gated.workspace.jobs.approve(held, "chitra")
    assert (receipt(gated, held).badges, receipt(gated, held).held) == ((), None)
    assert gated.workspace.jobs.run_waiting() == 1
    done = receipt(gated, held)
    assert (done.status, done.stored, done.uploaded_by) == ("Completed", 10, "asha")
    assert [(one.what, one.is_over) for one in done.drift] == [("rows", True)]
    assert query(gated, f"SELECT approved_by, held FROM upload WHERE request_id = '{held}'") == [("chitra", None)]
    assert gated.workspace.landing.ids() == []
    assert gated.workspace.profiles.count() == 50


def test_only_what_waits_for_a_person_is_approved(gated, held):
    jobs = gated.workspace.jobs
    queued = submit(gated, rows(41), "next")
    assert not jobs.approve(queued, "chitra")
    assert not jobs.approve("no such upload", "chitra")
    assert jobs.approve(held, "chitra")
    assert not jobs.approve(held, "devi")
    jobs.run_waiting()
    assert not jobs.approve(held, "devi")
    assert query(gated, "SELECT approved_by FROM upload WHERE approved_by IS NOT NULL") == [("chitra",)]


def test_stopped_it_has_ended_and_its_file_is_gone(gated, held):
    assert gated.workspace.jobs.stop(held)
    done = receipt(gated, held)
    assert (done.status, done.badges, done.error["code"], done.held) == ("Failed", ("Cancelled",), "stopped", None)
    assert gated.workspace.landing.ids() == []
    assert not gated.workspace.jobs.approve(held, "chitra")
    assert gated.workspace.jobs.run_waiting() == 0
    assert gated.workspace.profiles.count() == 40


def test_approved_and_then_stopped_it_does_not_load(gated, held):
    assert gated.workspace.jobs.approve(held, "chitra")
    assert gated.workspace.jobs.stop(held)
    assert gated.workspace.jobs.run_waiting() == 0
    assert receipt(gated, held).badges == ("Cancelled",)


def test_it_waits_over_restarts(home, tmp_path):
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, tmp_path / "files")
        kernel.folder.mkdir()
        kernel.load(rows(40), COLUMNS)
        workspace.sources.update(kernel.source().source_id, settings=SourceSettings(drift_percent=20))
        request_id = submit(kernel, rows(10, 100))
        workspace.jobs.run_waiting()
    with Workspace.open(home) as workspace:
        assert workspace.jobs.run_waiting() == 0
        assert workspace.history.get(request_id).badges == ("Waits for approval",)
        assert workspace.jobs.approve(request_id, "chitra")
    with Workspace.open(home) as workspace:
        assert workspace.jobs.run_waiting() == 1
        assert workspace.history.get(request_id).stored == 10


def test_a_process_killed_while_it_compares_leaves_it_to_the_next_one_which_asks(gated):
    request_id = submit(gated, rows(10, 100))
    query(gated, "UPDATE upload SET status = 'In Progress', started_at = now()::TIMESTAMP WHERE status = 'Scheduled'")
    sweep(gated.workspace.engine)
    gated.workspace.jobs.run_waiting()
    assert receipt(gated, request_id).badges == ("Waits for approval",)


def test_one_that_comes_by_schedule_waits_too(gated):
    plan = gated.plan(rows(10, 100), COLUMNS, at=datetime.now(UTC) - timedelta(minutes=1))
    request_id = gated.workspace.jobs.schedule(plan, {}).request_id
    gated.workspace.jobs.run_waiting()
    assert receipt(gated, request_id).badges == ("Waits for approval",)


def test_it_is_compared_when_it_loads_not_when_it_was_queued(gated):
    """The file before it in the queue is the former one, and the source's limit is the one of then."""
    first, second = submit(gated, rows(10, 100), "a", accept_drift=True), submit(gated, rows(11, 100), "b")
    gated.workspace.jobs.run_waiting()
    assert [receipt(gated, upload).status for upload in (first, second)] == ["Completed", "Completed"]
    third = submit(gated, rows(80), "c")
    gated.workspace.sources.update(gated.source().source_id, settings=SourceSettings())
    gated.workspace.jobs.run_waiting()
    assert receipt(gated, third).status == "Completed"


def test_the_worker_loads_it_once_it_is_approved(gated):
    request_id = submit(gated, rows(10, 100))
    jobs, tick = gated.workspace.jobs, threading.Event()
    jobs.start_worker()

    def wait_until(is_so):
        for _ in range(600):
            if is_so(receipt(gated, request_id)):
                return
            tick.wait(0.05)
        raise AssertionError(receipt(gated, request_id))

    wait_until(lambda found: found.held)
    assert jobs.approve(request_id, "chitra")
    wait_until(lambda found: found.status == "Completed")
    jobs.stop_worker()
    assert receipt(gated, request_id).stored == 10


class TestLoadedAtOnce:
    """Where nobody waits: the command line."""

    def test_it_fails_and_loads_when_it_is_accepted(self, gated):
        with pytest.raises(Held):
            gated.load(rows(10, 100), COLUMNS)
        failed = gated.workspace.history.list()[0]
        assert (failed.status, failed.badges, failed.error["code"]) == ("Failed", (), "unusual_file")
        assert "--accept-drift" in failed.error["hint"]
        assert gated.load(rows(10, 100), COLUMNS, accept_drift=True).stored == 10

    def test_the_same_bytes_once_more_are_asked_about_once_more(self, gated):
        gated.load(rows(10, 100), COLUMNS, accept_drift=True)
        with pytest.raises(Held):
            gated.load(rows(10, 100), COLUMNS, again=True)
        assert gated.load(rows(10, 100), COLUMNS, again=True, accept_drift=True).unchanged == 10

    def test_the_refused_one_loads_under_its_key_once_it_is_accepted(self, gated):
        with pytest.raises(Held):
            gated.load(rows(10, 100), COLUMNS, idempotency_key="nightly")
        assert gated.load(rows(10, 100), COLUMNS, idempotency_key="nightly").status == "Failed"  # the first one's
        accepted = gated.plan(rows(10, 100), COLUMNS, idempotency_key="nightly", accept_drift=True)
        done = gated.workspace.loads.load(accepted)
        assert done.status == "Completed"
        assert gated.workspace.loads.load(accepted).request_id == done.request_id
        assert len(gated.workspace.history.list()) == 3
