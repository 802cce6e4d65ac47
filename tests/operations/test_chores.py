"""Long work in the background: one at a time, begun once, told while it runs and when it ends."""

from __future__ import annotations

import threading
import time

import pytest

from ingest_core.errors import StateError
from ingest_core.models import Options
from ingest_core.operations.chores import Chores
from tests.operations.conftest import COLUMNS, people
from tests.workspaces import mapping_of


@pytest.fixture
def chores():
    return Chores()


def test_a_chore_is_told_while_it_runs_and_keeps_its_result(chores):
    go_on, has_told = threading.Event(), threading.Event()

    def work(progress):
        progress("reseal", 3, 4)
        has_told.set()
        go_on.wait(10)
        return {"pages": 4}

    begun = chores.start("rotate keys", work)
    assert has_told.wait(10)
    assert chores.running() is begun
    assert (begun.phase, begun.done, begun.total, begun.result) == ("reseal", 3, 4, None)
    assert chores.start("rotate keys", work) is begun  # a double click
    with pytest.raises(StateError) as caught:
        chores.start("check keys", work)
    assert caught.value.code == "chore_running"
    go_on.set()
    chores.wait(10)
    assert chores.running() is None
    assert chores.get("rotate keys") is begun
    assert begun.result == {"pages": 4}
    assert begun.ended_at is not None


def test_what_goes_wrong_is_told_without_quoting(chores, caplog):
    def refuse(_):
        raise StateError("Not now. Nothing was changed.", code="busy", hint="Later.")

    def fail(_):
        raise ValueError("asha@example.com")

    chores.start("one", refuse)
    chores.wait(10)
    assert chores.get("one").error.code == "busy"
    chores.start("two", fail)
    chores.wait(10)
    error = chores.get("two").error
    assert (error.code, error.facts) == ("internal_error", {"kind": "ValueError"})
    assert "asha" not in caplog.text + error.message


def test_the_app_rotates_keys_and_tidies_in_the_background(filled):
    operations = filled.workspace.operations
    for name, work in (("rotate keys", operations.rotate_keys), ("check keys", operations.check_keys)):
        operations.chores.start(name, work)
        operations.chores.wait(60)
        assert operations.chores.get(name).error is None
    assert operations.chores.get("check keys").result["versions"] == [2]


def test_uploads_go_on_around_a_change_of_the_key(filled):
    workspace = filled.workspace
    workspace.jobs.start_worker()
    submitted = []
    for number in range(3):
        if number == 1:
            workspace.operations.chores.start("rotate keys", workspace.operations.rotate_keys)
        data = people(f"C{10 + number}|p{number}@example.com|Pia|Bonn").encode()
        submitted.append(
            workspace.jobs.submit(
                filled.land(data), filled.source(), mapping_of(COLUMNS), Options(), idempotency_key=f"key{number}"
            )
        )
    workspace.operations.chores.wait(60)
    assert workspace.operations.chores.get("rotate keys").error is None
    ends = time.monotonic() + 60
    while time.monotonic() < ends and any(not workspace.history.get(name).finished_at for name in submitted):
        time.sleep(0.05)
    assert {workspace.history.get(name).status for name in submitted} == {"Completed"}
    assert workspace.operations.check_keys()["versions"] == [2]
    assert filled.values("crmid", "C12")["first_name"] == "Pia"
