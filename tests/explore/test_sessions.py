"""Sessions beside each other: what they hold, when they give it up, how they come back."""

from __future__ import annotations

import json
import threading
import time

import pytest

from ingest_core.errors import InputError, StateError, Stopped
from ingest_core.files import PathSource
from ingest_core.settings import Settings
from ingest_core.workspace import Workspace
from tests.explore.conftest import FILE
from tests.explore.test_limits import ENDLESS, stopped_in_the_middle, until_at_work


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.tsv"
    path.write_text(FILE, encoding="utf-8")
    return PathSource(path)


def rebuilt(home, **settings) -> Workspace:
    """The workspace with other settings."""
    (home / "settings.json").write_text(json.dumps({"explore_memory_bytes": 256 << 20, **settings}))
    return Workspace.open(home)


def test_two_sessions_have_their_own_tables_and_do_not_disturb_each_other(opened):
    first, second = opened("a\nx\n"), opened("a\ny\nz\n")
    found: dict[str, list[object]] = {"first": [], "second": []}

    def ask(name, session) -> None:
        for _ in range(20):
            found[name].append(session.run("SELECT list(a ORDER BY a) FROM file").as_json()["rows"][0][0])

    threads = [threading.Thread(target=ask, args=pair) for pair in (("first", first), ("second", second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"first": [["x"]] * 20, "second": [["y", "z"]] * 20}


def test_stopping_one_session_lets_another_go_on(opened):
    first, second = opened(), opened()
    second.tables()
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(second.run("SELECT count(*) FROM range(200000000)").row_count))
    thread.start()
    stopped_in_the_middle(first, ENDLESS)
    thread.join()
    assert done == [1]


def test_queries_of_several_threads_wait_for_each_other(opened):
    session = opened()
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(session.run(f"SELECT {n}").as_json()["rows"][0][0]))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))


def test_a_session_that_was_idle_is_made_anew_by_its_next_query(opened):
    session = opened(idle_seconds=1.0)
    session.tables()
    until = time.monotonic() + 60
    while session.is_loaded and time.monotonic() < until:
        time.sleep(0.02)
    assert not session.is_loaded
    assert session.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]


def test_a_closed_session_holds_nothing_and_can_be_used_again(opened):
    session = opened()
    session.tables()
    session.close()
    assert not session.is_loaded
    session.close()
    assert session.run("SELECT count(*) FROM file").row_count == 1


def test_closing_ends_a_query_that_runs(opened):
    session = opened()
    session.tables()
    met: list[BaseException] = []

    def work() -> None:
        try:
            session.run(ENDLESS)
        except Stopped as error:
            met.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until_at_work(session)
    session.close()
    thread.join()
    assert len(met) == 1
    assert not session.is_loaded


def test_an_answer_that_was_not_read_to_its_end_disturbs_no_later_one(opened):
    session = opened("a\n" + "x\n" * 100_000, file_rows=1_000_000)
    pieces = session.whole("file")
    assert next(pieces).num_rows == 0
    pieces.close()
    assert session.run("SELECT count(*) FROM file").row_count == 1


def test_few_sessions_hold_data_and_the_one_unused_for_longest_gives_way(home, people):
    with rebuilt(home, explore_sessions=2) as workspace:
        sessions = [workspace.explore.open_file(people, limits=workspace.planner.limits()) for _ in range(3)]
        for session in sessions:
            session.tables()
        assert [session.is_loaded for session in sessions] == [False, True, True]
        sessions[1].run("SELECT 1")
        assert sessions[0].run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]
        assert [session.is_loaded for session in sessions] == [True, True, False]
    assert not any(session.is_loaded for session in sessions)


def test_when_all_are_at_work_the_next_one_is_told(home, people):
    with rebuilt(home, explore_sessions=1) as workspace:
        busy, late = (workspace.explore.open_file(people, limits=workspace.planner.limits()) for _ in range(2))
        busy.tables()
        with busy._turn, pytest.raises(StateError) as caught:
            late.tables()
        assert caught.value.code == "explore_busy"
        assert len(late.tables()) == 3


def test_limits_come_from_the_settings(home, people):
    with rebuilt(home, explore_rows=2, explore_file_rows=3, explore_seconds=1) as workspace:
        session = workspace.explore.open_file(people, limits=workspace.planner.limits())
        assert {table.name: table.rows for table in session.tables()} == {"file": 3, "typed": 3, "rejects": 0}
        assert session.run("FROM file").row_count == 2
        with pytest.raises(InputError) as caught:
            session.run(ENDLESS)
        assert caught.value.code == "sql_too_slow"


def test_defaults_are_those_of_the_documents(repository):
    text = (repository / "docs" / "explore.md").read_text("utf-8")
    settings = Settings()
    for name in ("explore_file_rows", "explore_profiles", "explore_seconds", "explore_rows"):
        assert f"`{name}` ({getattr(settings, name):,})" in text
    assert settings.explore_memory_bytes == 1 << 30
    assert settings.explore_result_bytes == 32 << 20
    assert settings.explore_idle_seconds == 15 * 60


def test_nothing_is_written_while_a_file_is_asked(workspace, people):
    before = {path: path.stat().st_size for path in workspace.home.rglob("*")}
    session = workspace.explore.open_file(people, limits=workspace.planner.limits())
    session.run("SELECT * FROM file a, file b, file c ORDER BY ALL")
    assert {path: path.stat().st_size for path in workspace.home.rglob("*")} == before
