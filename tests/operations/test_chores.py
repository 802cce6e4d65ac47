"""Long work in the background: one at a time, begun once, told while it runs and when it ends."""

from __future__ import annotations

import threading

import pytest

from ingest_core.errors import StateError
from ingest_core.operations.chores import Chores


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
