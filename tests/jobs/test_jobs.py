"""The queue: submitted once, loaded in order, stopped, interrupted and taken up again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ingest_core.clock import now
from ingest_core.errors import OnrampError, StateError
from ingest_core.jobs.sweep import sweep
from ingest_core.models import Options
from ingest_core.vault.landing import CHUNK
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, mapping_of

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def rows(count, start=0):
    lines = (f"K{n}\tperson{n}@example.com\tPune" for n in range(start, start + count))
    return ("crmid\temail\tcity\n" + "\n".join(lines) + "\n").encode()


def submit(kernel, data=None, key="key", **options):
    landing_id = kernel.land(data if data is not None else rows(3))
    return kernel.workspace.jobs.submit(
        landing_id, kernel.source(), mapping_of(COLUMNS), Options(**options), idempotency_key=key
    )


def receipt(kernel, request_id):
    return kernel.workspace.history.get(request_id)


def query(kernel, sql, *parameters):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql, parameters)


class Pausing:
    """Holds a load at the first report of a phase until told to go on: told by the load itself, no sleeping."""

    def __init__(self, jobs, phase):
        self.reached, self.go_on = threading.Event(), threading.Event()
        inner = jobs._loads.loader.load

        def load(plan, request_id, progress, session=None, live=None):
            def tell(name, done, total):
                if name == phase and not self.reached.is_set():
                    self.reached.set()
                    assert self.go_on.wait(30)
                progress(name, done, total)

            return inner(plan, request_id, tell, session, live)

        object.__setattr__(jobs._loads, "loader", _Loader(load))


class _Loader:
    def __init__(self, load):
        self.load = load


def wait_for(kernel, request_id, *statuses):
    """Until the upload has one of these statuses."""
    tick = threading.Event()
    for _ in range(600):
        found = receipt(kernel, request_id)
        if found.status in statuses:
            return found
        tick.wait(0.05)
    raise AssertionError(f"still {found.status}")


def test_a_submitted_file_is_loaded_and_its_original_forgotten(kernel):
    request_id = submit(kernel)
    waiting = receipt(kernel, request_id)
    assert (waiting.status, waiting.source, waiting.file) == ("Scheduled", "CRM", "people.tsv")
    assert kernel.workspace.jobs.run_waiting() == 1
    done = receipt(kernel, request_id)
    assert (done.status, done.stored, done.created) == ("Completed", 3, 3)
    assert kernel.workspace.landing.ids() == []
    assert query(kernel, "SELECT landing, worker FROM upload") == [(None, "app")]
    assert kernel.workspace.jobs.run_waiting() == 0


def test_two_clicks_are_one_upload(kernel):
    assert submit(kernel) == submit(kernel)
    assert kernel.workspace.jobs.run_waiting() == 1
    assert submit(kernel) == kernel.workspace.history.list()[0].request_id, "also after it ended"
    assert len(kernel.workspace.history.list()) == 1


def test_two_clicks_at_the_same_moment_are_one_upload(kernel):
    landing_id, start = kernel.land(rows(3)), threading.Barrier(4)
    source, found = kernel.source(), []

    def click():
        start.wait()
        found.append(
            kernel.workspace.jobs.submit(landing_id, source, mapping_of(COLUMNS), Options(), idempotency_key="same")
        )

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(kernel.workspace.history.list()) == 1


def test_two_uploads_run_in_the_order_they_were_submitted(kernel):
    first = submit(kernel, b"crmid\temail\tcity\nK1\t\tPune\n", "a")
    second = submit(kernel, b"crmid\temail\tcity\nK1\t\tGoa\n", "b")
    assert kernel.workspace.jobs.run_waiting() == 2
    assert query(kernel, "SELECT request_id FROM upload ORDER BY upload_no") == [(first,), (second,)]
    assert kernel.values("crmid", "K1")["city"] == "Goa"


def test_a_file_that_waits_twice_is_loaded_once(kernel):
    first, second = submit(kernel, key="a"), submit(kernel, key="b")
    assert kernel.workspace.jobs.run_waiting() == 2
    assert receipt(kernel, first).status == "Completed"
    again = receipt(kernel, second)
    assert (again.status, again.error["code"]) == ("Failed", "already_loaded")
    assert kernel.workspace.landing.ids() == []


def test_an_upload_for_later_waits_for_its_time(kernel):
    later = submit(kernel, key="later", at=datetime.now(UTC) + timedelta(hours=1))
    past = submit(kernel, rows(2, 100), key="past", at=datetime.now(UTC) - timedelta(hours=1))
    assert kernel.workspace.jobs.run_waiting() == 1
    assert (receipt(kernel, later).status, receipt(kernel, past).status) == ("Scheduled", "Completed")
    query(kernel, "UPDATE upload SET scheduled_for = ? WHERE request_id = ?", now(), later)
    assert kernel.workspace.jobs.run_waiting() == 1
    assert receipt(kernel, later).status == "Completed"


def test_what_cannot_be_loaded_at_all_is_refused_at_once(kernel):
    with pytest.raises(OnrampError) as caught:
        submit(kernel, b"crmid\temail\tcity\n")
    assert caught.value.code == "no_data_rows"
    assert kernel.workspace.history.list() == []


class TestStopping:
    def test_one_that_waits_ends_at_once_and_leaves_no_file(self, kernel):
        before = kernel.workspace.digest()
        request_id = submit(kernel)
        assert kernel.workspace.jobs.stop(request_id)
        done = receipt(kernel, request_id)
        assert (done.status, done.badges, done.error["code"]) == ("Failed", ("Cancelled",), "stopped")
        assert kernel.workspace.jobs.run_waiting() == 0
        assert kernel.workspace.landing.ids() == []
        assert kernel.workspace.digest() == before

    @pytest.mark.parametrize("phase", ["read", "log", "resolution", "segments"])
    def test_one_that_runs_leaves_nothing_behind(self, kernel, phase):
        kernel.load(rows(5).decode(), COLUMNS)
        before = kernel.workspace.digest()
        request_id = submit(kernel, rows(3000))
        pause = Pausing(kernel.workspace.jobs, phase)
        kernel.workspace.jobs.start_worker()
        assert pause.reached.wait(30)
        assert receipt(kernel, request_id).status == "In Progress"
        assert kernel.workspace.jobs.progress(request_id).request_id == request_id
        assert kernel.workspace.jobs.progress("another") is None
        assert kernel.workspace.jobs.stop(request_id)
        pause.go_on.set()
        done = wait_for(kernel, request_id, "Failed", "Completed")
        kernel.workspace.jobs.stop_worker()
        assert (done.status, done.badges, done.error["code"]) == ("Failed", ("Cancelled",), "stopped")
        assert (done.stored, done.withheld, done.created) == (0, 0, 0)
        assert kernel.workspace.digest() == before
        assert kernel.workspace.landing.ids() == []
        tables = ("record", "resolution", "profile", "membership", "reject")
        assert [query(kernel, f"SELECT count(*) FROM {table}")[0][0] for table in tables] == [5, 5, 5, 5, 0]
        assert query(kernel, "SELECT count(*) FROM vault_value") == [(5,)]

    def test_one_that_has_ended_is_not_stopped(self, kernel):
        request_id = submit(kernel)
        kernel.workspace.jobs.run_waiting()
        assert not kernel.workspace.jobs.stop(request_id)
        assert not kernel.workspace.jobs.stop("no such upload")
        assert receipt(kernel, request_id).status == "Completed"

    def test_one_stopped_between_two_looks_of_the_worker_is_not_loaded(self, kernel):
        """The worker has chosen it, a person stops it, the worker begins: the first word counts."""
        jobs = kernel.workspace.jobs
        request_id = submit(kernel)
        assert jobs._next() == request_id
        assert jobs.stop(request_id)
        jobs._run(request_id)
        done = receipt(kernel, request_id)
        assert (done.status, done.badges) == ("Failed", ("Cancelled",))
        assert kernel.workspace.profiles.count() == 0

    def test_one_stopped_while_it_is_planned_is_not_loaded(self, kernel):
        """As before, with the original still there: it is claimed only while it waits."""
        jobs = kernel.workspace.jobs
        request_id = submit(kernel)
        query(kernel, "UPDATE upload SET status = 'Failed', is_cancelled = true WHERE request_id = ?", request_id)
        jobs._run(request_id)
        assert receipt(kernel, request_id).status == "Failed"
        assert kernel.workspace.profiles.count() == 0

    def test_the_next_one_is_loaded(self, kernel):
        first, second = submit(kernel, rows(2000), "a"), submit(kernel, rows(3, 9000), "b")
        pause = Pausing(kernel.workspace.jobs, "read")
        kernel.workspace.jobs.start_worker()
        assert pause.reached.wait(30)
        kernel.workspace.jobs.stop(first)
        pause.go_on.set()
        assert wait_for(kernel, second, "Completed", "Failed").status == "Completed"
        assert receipt(kernel, first).status == "Failed"


class TestInterruption:
    def test_stopping_the_worker_lets_the_upload_wait_and_starting_completes_it(self, kernel):
        request_id = submit(kernel, rows(2000))
        pause = Pausing(kernel.workspace.jobs, "log")
        kernel.workspace.jobs.start_worker()
        assert pause.reached.wait(30)
        stopping = threading.Thread(target=kernel.workspace.jobs.stop_worker)
        stopping.start()
        while not kernel.workspace.jobs._is_closing:
            threading.Event().wait(0.001)
        pause.go_on.set()
        stopping.join(30)
        assert receipt(kernel, request_id).status == "Scheduled"
        assert kernel.workspace.profiles.count() == 0
        kernel.workspace.jobs.start_worker()
        kernel.workspace.jobs.start_worker()
        done = wait_for(kernel, request_id, "Completed", "Failed")
        assert (done.status, done.stored) == ("Completed", 2000)

    def test_closing_the_workspace_and_opening_it_completes_it_too(self, home, tmp_path):
        with Workspace.open(home) as workspace:
            request_id = submit(Kernel(workspace, tmp_path))
        with Workspace.open(home) as workspace:
            assert workspace.jobs.run_waiting() == 1
            assert workspace.history.get(request_id).status == "Completed"

    def test_what_a_killed_process_left_is_loaded_from_its_landing_file(self, kernel):
        request_id = submit(kernel)
        query(kernel, "UPDATE upload SET status = 'In Progress', started_at = now()::TIMESTAMP, worker = 'app'")
        sweep(kernel.workspace.engine)
        assert receipt(kernel, request_id).status == "Scheduled"
        assert kernel.workspace.jobs.run_waiting() == 1
        assert receipt(kernel, request_id).stored == 3

    def test_without_a_landing_file_it_failed_and_says_so(self, kernel):
        request_id = submit(kernel)
        query(kernel, "UPDATE upload SET status = 'In Progress', landing = NULL")
        for _ in range(2):
            sweep(kernel.workspace.engine)
            done = receipt(kernel, request_id)
            assert (done.status, done.error["code"], done.badges) == ("Failed", "interrupted", ())
            assert done.finished_at is not None

    def test_ended_and_waiting_uploads_are_left_alone(self, kernel):
        ended = kernel.load(rows(2, 50).decode(), COLUMNS).request_id
        waiting = submit(kernel)
        before = query(kernel, "SELECT * FROM upload ORDER BY request_id")
        sweep(kernel.workspace.engine)
        assert query(kernel, "SELECT * FROM upload ORDER BY request_id") == before
        assert {receipt(kernel, ended).status, receipt(kernel, waiting).status} == {"Completed", "Scheduled"}

    def test_an_original_that_outlived_its_upload_is_removed(self, kernel):
        """Killed after the commit, before the file was deleted."""
        request_id = submit(kernel)
        kernel.workspace.jobs.run_waiting()
        query(kernel, "UPDATE upload SET landing = ?", kernel.land(rows(3)))
        following = submit(kernel, rows(1, 70), "next")
        kernel.workspace.jobs.start_worker()
        wait_for(kernel, following, "Completed")
        kernel.workspace.jobs.stop_worker()
        assert kernel.workspace.landing.ids() == []
        assert receipt(kernel, request_id).status == "Completed"


class TestBrokenOriginals:
    def change(self, kernel, how):
        (landing_id,) = kernel.workspace.landing.ids()
        path = kernel.workspace.home / "landing" / f"{landing_id}.land"
        path.write_bytes(how(path.read_bytes()))

    @pytest.mark.parametrize(
        "how",
        [lambda data: data[:-1], lambda data: data[: CHUNK + 28], lambda data: b"", lambda data: b"x" + data[1:]],
        ids=["cut", "cut at a chunk", "empty", "changed"],
    )
    def test_a_changed_file_fails_with_a_message(self, kernel, how):
        """Cut at a chunk, every byte that is left is genuine: only the checksum of the submission tells."""
        request_id = submit(kernel, rows(4000))
        self.change(kernel, how)
        kernel.workspace.jobs.run_waiting()
        done = receipt(kernel, request_id)
        assert done.status == "Failed"
        assert done.error["code"] in ("landing_damaged", "no_data_rows", "empty_file")
        assert done.error["message"]
        assert kernel.workspace.profiles.count() == 0
        assert kernel.workspace.landing.ids() == []

    def test_a_lost_file_fails_with_a_message(self, kernel):
        request_id = submit(kernel)
        kernel.workspace.landing.delete(kernel.workspace.landing.ids()[0])
        assert kernel.workspace.jobs.run_waiting() == 1
        assert receipt(kernel, request_id).error["code"] == "no_such_file"

    def test_a_fault_of_ours_ends_one_upload_not_the_worker(self, kernel):
        bad, good = submit(kernel, key="a"), submit(kernel, rows(2, 50), "b")
        query(kernel, "UPDATE upload SET dialect = 'no JSON' WHERE request_id = ?", bad)
        assert kernel.workspace.jobs.run_waiting() == 2
        done = receipt(kernel, bad)
        assert (done.status, done.error["code"]) == ("Failed", "internal_error")
        assert done.error["facts"] == {"kind": "JSONDecodeError"}
        assert receipt(kernel, good).status == "Completed"


def test_progress_names_the_phases_in_order(kernel):
    request_id = submit(kernel, rows(2000))
    pause = Pausing(kernel.workspace.jobs, "log")
    kernel.workspace.jobs.start_worker()
    assert pause.reached.wait(30)
    progress = kernel.workspace.jobs.progress(request_id)
    pause.go_on.set()
    names = [phase.name for phase in progress.phases]
    assert names[0] == "receive"
    assert names.index("read") < names.index("protect")
    assert progress.counts == {"lines_in_file": 2000, "lines": 2000, "rejected": 0}
    assert [phase.is_done for phase in progress.phases] == [True] * (len(names) - 1) + [False]
    wait_for(kernel, request_id, "Completed")
    kernel.workspace.jobs.stop_worker()
    assert kernel.workspace.jobs.progress(request_id) is None


def test_a_load_under_way_holds_nobody_up(kernel):
    """Drafts are saved, mappings too, files queued and taken back while a load is inside its transaction."""
    workspace = kernel.workspace
    draft_id, landing_id, source = workspace.drafts.create(None), kernel.land(rows(2, 500)), kernel.source()

    def everything():
        workspace.drafts.save(draft_id, {"step": 2})
        workspace.drafts.create(None)
        workspace.mappings.save(source, mapping_of({"crmid": "crmid"}))
        options = Options()
        first = workspace.jobs.submit(landing_id, source, mapping_of(COLUMNS), options, idempotency_key="b")
        assert workspace.jobs.stop(first)
        return submit(kernel, rows(2, 700), "c")

    running = submit(kernel, rows(2000), "a")
    pause = Pausing(workspace.jobs, "segments")
    workspace.jobs.start_worker()
    assert pause.reached.wait(30)
    with ThreadPoolExecutor(1) as pool:
        try:
            queued = pool.submit(everything).result(timeout=20)
        finally:
            pause.go_on.set()
    assert wait_for(kernel, running, "Completed", "Failed").stored == 2000
    assert wait_for(kernel, queued, "Completed", "Failed").stored == 2
    assert workspace.drafts.load(draft_id)["step"] == 2
    assert [version.version for version in workspace.mappings.all(source)] == [3, 2, 1]


class TestLoads:
    def test_the_same_key_loads_once(self, kernel):
        plan = kernel.plan(rows(3), COLUMNS, idempotency_key="k")
        first = kernel.workspace.loads.load(plan)
        assert kernel.workspace.loads.load(plan).request_id == first.request_id
        assert len(kernel.workspace.history.list()) == 1

    def test_a_load_that_is_stopped_has_one_end_state(self, kernel):
        from ingest_core.errors import Stopped

        def stop(phase, done, total):
            if phase == "log":
                raise Stopped

        plan = kernel.plan(rows(3), COLUMNS)
        with pytest.raises(Stopped):
            kernel.workspace.loads.load(plan, stop)
        (done,) = kernel.workspace.history.list()
        assert (done.status, done.badges) == ("Failed", ("Cancelled",))

    def test_an_error_of_a_step_ends_the_upload(self, kernel, monkeypatch):
        monkeypatch.setenv("ONRAMP_FAULT", "profiles:after:error")
        plan = kernel.plan(rows(3), COLUMNS)
        with pytest.raises(StateError):
            kernel.workspace.loads.load(plan)
        (done,) = kernel.workspace.history.list()
        assert (done.status, done.error["code"], done.badges) == ("Failed", "fault_injected", ())
        assert kernel.workspace.profiles.count() == 0

    def test_a_fault_of_ours_ends_the_upload_and_shows_no_cell(self, kernel):
        def fail(phase, done, total):
            if phase == "log":
                raise ValueError("priya.raman@example.in")

        plan = kernel.plan(rows(3), COLUMNS)
        with pytest.raises(ValueError, match="priya"):
            kernel.workspace.loads.load(plan, fail)
        (done,) = kernel.workspace.history.list()
        assert (done.status, done.error["code"]) == ("Failed", "internal_error")
        assert "priya" not in str(done.error)

    def test_a_file_for_later_is_kept_encrypted(self, kernel):
        plan = kernel.plan(rows(3), COLUMNS, at=datetime.now(UTC) + timedelta(days=1))
        waiting = kernel.workspace.jobs.schedule(plan, {})
        assert (waiting.status, waiting.sha256) == ("Scheduled", plan.facts.sha256)
        (landing_id,) = kernel.workspace.landing.ids()
        assert kernel.workspace.landing.open(landing_id).open().read() == rows(3)
        query(kernel, "UPDATE upload SET scheduled_for = NULL")
        kernel.workspace.jobs.run_waiting()
        assert receipt(kernel, waiting.request_id).stored == 3


def test_sample_data_is_loaded_once(workspace):
    first = workspace.load_sample_data()
    assert [receipt.status for receipt in first] == ["Completed"] * 3
    assert workspace.load_sample_data() == []
    assert len(workspace.sources.list()) == 2
