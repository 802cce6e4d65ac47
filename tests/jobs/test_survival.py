"""The queue survives: processes that die on an upload, statements that never end, disks and memory that are full."""

from __future__ import annotations

import io
import logging
import signal
import subprocess
import sys
import threading

import pytest

from ingest_core.engine.steps import Step
from ingest_core.errors import OnrampError, StateError
from ingest_core.jobs.sweep import MOST_DEATHS, sweep
from ingest_core.ledger import uploads
from ingest_core.models import Options
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, mapping_of

COLUMNS = {"crmid": "crmid", "email": "email"}
ENDLESS = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE (a.range * b.range) % 7 = 3"
WORK = """
import os, sys
from pathlib import Path
from ingest_core.workspace import Workspace
for fault in sys.argv[2:]:
    child = os.fork()
    if not child:
        os.environ["ONRAMP_FAULT"] = fault
        with Workspace.open(Path(sys.argv[1]), worker="app") as workspace:
            workspace.jobs.run_waiting()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""One process after the other opens the workspace and loads what waits, each with a fault of its own."""


def rows(count, start=0):
    lines = "".join(f"K{n}\tperson{n}@example.com\n" for n in range(start, start + count))
    return f"crmid\temail\n{lines}".encode()


def submit(kernel, data=None, key="key", **options):
    return kernel.workspace.jobs.submit(
        kernel.land(data or rows(3)), kernel.source(), mapping_of(COLUMNS), Options(**options), idempotency_key=key
    )


def receipt(kernel, request_id):
    return kernel.workspace.history.get(request_id)


def query(kernel, sql, *parameters):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql, parameters)


def until(condition):
    """Waits until something is so: the tests wait for events, never for time."""
    tick = threading.Event()
    for _ in range(6000):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it never happened")


def ended(kernel, request_id):
    until(lambda: receipt(kernel, request_id).status in ("Completed", "Failed"))
    return receipt(kernel, request_id)


def processes(home, repository, *faults):
    """The exit codes of processes that load what waits, one after the other."""
    done = subprocess.run([sys.executable, "-c", WORK, str(home), *faults], cwd=repository, capture_output=True)
    assert done.returncode == 0, done.stderr
    return [int(code) for code in done.stdout.split()]


class TestDeaths:
    """An upload that kills whoever loads it is not tried for ever."""

    def test_after_three_dead_processes_it_is_given_up_and_the_next_one_loads(self, home, tmp_path, repository):
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            bad, good = submit(kernel), submit(kernel, rows(2, 50), "good")
        codes = processes(home, repository, *["read:before:kill"] * MOST_DEATHS)
        assert codes == [-signal.SIGKILL] * MOST_DEATHS
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            given_up = receipt(kernel, bad)
            assert (given_up.status, given_up.error["code"]) == ("Failed", "gave_up")
            assert given_up.error["facts"] == {"attempts": 3}
            assert "3 times" in given_up.error["message"]
            assert given_up.finished_at is not None
            assert len(workspace.landing.ids()) == 1, "its original is gone, the other one waits"
            assert workspace.jobs.run_waiting() == 1
            assert receipt(kernel, good).status == "Completed"
            assert workspace.landing.ids() == []

    def test_a_death_while_the_file_is_planned_counts_as_well(self, kernel, monkeypatch):
        """A hostile file kills before the first step; the upload is under way from the moment it is touched."""
        request_id = submit(kernel)
        seen = []

        def look(*_, **__):
            seen.append(receipt(kernel, request_id).status)
            raise StateError("No.", code="enough")

        monkeypatch.setattr(type(kernel.workspace.planner), "plan", look)
        kernel.workspace.jobs.run_waiting()
        assert seen == ["In Progress"]

    def test_a_clean_stop_of_the_worker_is_no_death(self, kernel):
        request_id = submit(kernel)
        for _ in range(MOST_DEATHS + 1):
            assert kernel.workspace.jobs._claim(request_id) is not None
            kernel.workspace.jobs._wait_again(request_id)
        sweep(kernel.workspace.engine)
        assert query(kernel, "SELECT status, attempts FROM upload") == [("Scheduled", 0)]

    @pytest.mark.parametrize("kills", [["sweep:before"] * 3, ["sweep:after"], ["sweep:before", "sweep:after"]])
    def test_killed_in_the_sweep_itself_the_next_opening_sweeps_again(self, home, tmp_path, repository, kills):
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            request_id = submit(kernel)
            lost = kernel.load(rows(2, 90).decode(), COLUMNS).request_id
            query(kernel, "UPDATE upload SET status = 'In Progress', is_live = false")
        assert processes(home, repository, *(f"{kill}:kill" for kill in kills)) == [-signal.SIGKILL] * len(kills)
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            assert receipt(kernel, request_id).status == "Scheduled"
            assert receipt(kernel, lost).error["code"] == "interrupted"
            assert query(kernel, "SELECT attempts FROM upload WHERE landing IS NOT NULL") == [(1,)]
            assert workspace.jobs.run_waiting() == 1
            assert receipt(kernel, request_id).status == "Completed"


class TestOrphans:
    def test_files_that_nobody_names_are_gone_at_the_next_opening_and_others_stay(self, home, tmp_path):
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            queued = submit(kernel)
            orphan, of_draft, torn = (kernel.land(rows(n)) for n in (1, 2, 4))
            (home / "landing" / f"{torn}.land").unlink()  # killed between the two files that make one
            draft = workspace.drafts.create(None)
            workspace.drafts.save(draft, {"landing_id": of_draft})
        with Workspace.open(home) as workspace:
            kept = set(workspace.landing.ids())
            assert of_draft in kept
            assert not kept & {orphan, torn}
            assert len(kept) == 2
            workspace.jobs.run_waiting()
            assert workspace.history.get(queued).status == "Completed"

    def test_a_draft_that_does_not_open_keeps_nobody_from_opening_the_workspace(self, home, tmp_path):
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            draft = workspace.drafts.create(None)
            workspace.drafts.save(draft, {"landing_id": kernel.land(rows(1))})
            query(kernel, "UPDATE draft SET state = 'torn'::BLOB")
        with Workspace.open(home) as workspace:
            assert workspace.landing.ids() == []

    def test_leftovers_of_a_killed_process_are_removed(self, home):
        (home / "tmp" / "half" / "way").mkdir(parents=True)
        for leftover in ("tmp/spill.tmp", "tmp/half/way/file", "onramp.duckdb.new", "onramp.duckdb.new.wal"):
            (home / leftover).write_bytes(b"half")
        Workspace.open(home).close()
        assert list((home / "tmp").iterdir()) == list(home.glob("*.new*")) == []


class TestStopping:
    @pytest.fixture
    def running(self, kernel, monkeypatch):
        """An upload whose step ``log`` never ends, in the middle of it."""
        monkeypatch.setattr("ingest_core.plan.load._APPEND", Step("log", "Never ends.", ENDLESS))
        request_id = submit(kernel)
        kernel.workspace.jobs.start_worker()
        until(lambda: _is_inside(kernel, "log"))
        return request_id

    def test_a_statement_is_interrupted_in_its_middle(self, kernel, running):
        before = kernel.workspace.digest()
        assert kernel.workspace.jobs.stop(running)
        done = ended(kernel, running)
        assert (done.status, done.badges, done.error["code"]) == ("Failed", ("Cancelled",), "stopped")
        until(lambda: kernel.workspace.landing.ids() == [])
        assert kernel.workspace.digest() == before

    def test_closing_interrupts_it_too_and_it_waits(self, kernel, running):
        assert kernel.workspace.jobs.stop_worker()
        assert receipt(kernel, running).status == "Scheduled"
        assert len(kernel.workspace.landing.ids()) == 1
        assert query(kernel, "SELECT attempts FROM upload") == [(0,)]

    def test_a_file_that_is_being_read_is_left_at_once(self, kernel, monkeypatch):
        """Before the first statement: the file has no end, only a stop ends it."""
        request_id, reading = submit(kernel), threading.Event()

        class Endless(io.RawIOBase):
            def readable(self):
                return True

            def readinto(self, buffer):
                reading.set()
                buffer[:] = (b"K1\tanna@example.com\n" * (len(buffer) // 20 + 1))[: len(buffer)]
                return len(buffer)

        class Source:
            name, size = "endless.tsv", 3

            def open(self):
                return io.BufferedReader(Endless())

        monkeypatch.setattr(type(kernel.workspace.landing), "open", lambda *_: Source())
        kernel.workspace.jobs.start_worker()
        assert reading.wait(30)
        assert kernel.workspace.jobs.stop(request_id)
        assert ended(kernel, request_id).badges == ("Cancelled",)

    def test_a_stop_that_comes_before_the_session_is_there_counts(self, kernel):
        request_id = submit(kernel)
        jobs = kernel.workspace.jobs
        inner = jobs._loads.planner.plan

        class Planner:
            mappings = jobs._loads.planner.mappings

            def plan(self, *args, **options):
                plan = inner(*args, **options)
                assert jobs.stop(request_id)
                return plan

        object.__setattr__(jobs._loads, "planner", Planner())
        jobs.run_waiting()
        assert receipt(kernel, request_id).badges == ("Cancelled",)
        assert kernel.workspace.profiles.count() == 0


class TestWorker:
    def test_a_worker_that_cannot_be_ended_is_not_forgotten(self, kernel, monkeypatch):
        jobs, entered, go_on = kernel.workspace.jobs, threading.Event(), threading.Event()

        def stuck(*_, **__):
            entered.set()
            assert go_on.wait(30)
            raise StateError("No.", code="enough")

        submit(kernel)
        monkeypatch.setattr(type(kernel.workspace.planner), "plan", stuck)
        jobs.start_worker()
        assert entered.wait(30)
        assert not jobs.stop_worker(seconds=0)
        assert jobs.health().is_worker_alive
        go_on.set()
        assert jobs.stop_worker()
        assert not jobs.health().is_worker_alive
        jobs.start_worker()
        assert jobs.health().is_worker_alive

    def test_an_end_that_cannot_be_written_is_written_as_soon_as_it_can_be(self, kernel, monkeypatch):
        """A full disk: the load fails, and so does saying so. The worker goes on, and says it later."""
        jobs, fail, tried = kernel.workspace.jobs, uploads.fail, []

        def full(session, request_id, error, **options):
            tried.append(error["code"])
            if len(tried) < 3:
                raise StateError("The disk is full.", code="disk_full")
            fail(session, request_id, error, **options)

        monkeypatch.setattr(uploads, "fail", full)
        monkeypatch.setenv("ONRAMP_FAULT", "log:after:error")
        request_id = submit(kernel)
        jobs.start_worker()
        done = ended(kernel, request_id)
        assert (done.status, done.error["code"]) == ("Failed", "fault_injected")
        assert tried == ["fault_injected"] * 3
        until(lambda: kernel.workspace.landing.ids() == [])
        monkeypatch.delenv("ONRAMP_FAULT")
        assert ended(kernel, submit(kernel, rows(2, 70), "next")).status == "Completed"

    def test_what_a_page_left_under_way_is_ended_while_the_process_lives(self, kernel):
        """A load outside the queue whose end could not be written."""
        request_id = kernel.load(rows(3).decode(), COLUMNS).request_id
        query(kernel, "UPDATE upload SET status = 'In Progress', is_live = false")
        kernel.workspace.jobs.start_worker()
        assert ended(kernel, request_id).error["code"] == "interrupted"

    def test_what_a_page_is_loading_is_left_alone(self, kernel):
        loading = submit(kernel)
        with kernel.workspace.engine.write:  # held by whoever loads
            query(kernel, "UPDATE upload SET status = 'In Progress', landing = NULL")
            thread = threading.Thread(target=kernel.workspace.jobs._tidy)
            thread.start()
            thread.join(30)
            assert receipt(kernel, loading).status == "In Progress"

    @pytest.mark.parametrize(
        ("error", "code"), [(MemoryError(), "out_of_memory"), (RecursionError("priya@example.in"), "internal_error")]
    )
    def test_one_upload_without_memory_ends_alone(self, kernel, monkeypatch, error, code):
        def fail(plan, *_, **__):
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(type(kernel.workspace.loads.loader), "load", fail)
            bad = submit(kernel)
            kernel.workspace.jobs.start_worker()
            done = ended(kernel, bad)
        assert (done.status, done.error["code"]) == ("Failed", code)
        assert "priya" not in str(done.error)
        assert ended(kernel, submit(kernel, rows(2, 60), "next")).status == "Completed"

    def test_memory_that_ends_inside_a_step_is_told_in_the_same_words(self, kernel, monkeypatch):
        def fail(*_):
            raise MemoryError

        monkeypatch.setattr("ingest_core.plan.load.stage_file", fail)
        with pytest.raises(OnrampError) as caught:
            kernel.load(rows(2).decode(), COLUMNS)
        assert caught.value.code == "out_of_memory"
        assert kernel.workspace.history.list()[0].error["code"] == "out_of_memory"

    def test_trouble_outside_an_upload_does_not_end_the_worker(self, kernel, monkeypatch, caplog):
        jobs, times = kernel.workspace.jobs, []

        def tidy():
            times.append(1)
            if len(times) == 1:
                raise ValueError("priya@example.in")

        monkeypatch.setattr(jobs, "_tidy", tidy)
        with caplog.at_level(logging.WARNING):
            jobs.start_worker()
            until(lambda: times)
            assert ended(kernel, submit(kernel)).status == "Completed"
        assert "ValueError" in caplog.text
        assert "priya" not in caplog.text


class TestBrokenEngine:
    def test_the_worker_asks_the_process_to_leave_once(self, kernel):
        asked = threading.Event()
        kernel.workspace.jobs.start_worker(on_broken=asked.set)
        assert kernel.workspace.jobs.health().is_engine_fine
        kernel.workspace.engine._condition.breaks("FATAL Error: it stopped")
        assert asked.wait(30)
        until(lambda: not kernel.workspace.jobs.health().is_worker_alive)
        health = kernel.workspace.jobs.health()
        assert (health.is_engine_fine, health.problem) == (False, "engine_stopped")

    def test_a_load_under_way_ends_at_its_next_statement(self, kernel, monkeypatch):
        """Whoever broke it: nothing waits for a statement that cannot work any more."""
        asked = threading.Event()
        engine = kernel.workspace.engine

        def break_it(name, when):
            if (name, when) == ("profiles", "before"):
                engine._condition.breaks("FATAL Error: it stopped")

        monkeypatch.setattr("ingest_core.engine.steps.abort_point", break_it)
        submit(kernel)
        kernel.workspace.jobs.start_worker(on_broken=asked.set)
        assert asked.wait(30)

    def test_the_upload_it_met_is_loaded_by_the_next_process(self, home, tmp_path, monkeypatch):
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            request_id = submit(kernel)
            workspace.jobs._claim(request_id)
            workspace.engine._condition.breaks("FATAL Error: it stopped")
        with Workspace.open(home) as workspace:
            assert workspace.jobs.run_waiting() == 1
            assert workspace.history.get(request_id).status == "Completed"


def _is_inside(kernel, phase):
    running = kernel.workspace.jobs._running
    session = None if running is None else running._session
    return session is not None and session._is_running and running.progress().phase == phase
