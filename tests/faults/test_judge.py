"""The judge of the fault tests finds what it is there to find: a workspace in which something is wrong."""

from __future__ import annotations

import pytest

from ingest_core.workspace import Workspace
from tests.faults.stage import Stage

WRONG = {
    "a row lost": ("DELETE FROM record WHERE rid = (SELECT max(rid) FROM record)", (1, 0)),
    "a row doubled": ("INSERT INTO record SELECT * FROM record LIMIT 1", (0, 1)),
    "half a fold": ("DELETE FROM profile WHERE pid = (SELECT max(pid) FROM profile)", (0, 0)),
    "a value changed": ("UPDATE profile SET a8 = 'Elsewhere' WHERE a8 = 'Kiel'", (0, 0)),
    "a member who is nobody": ("INSERT INTO membership VALUES (1, 1, 1)", (0, 0)),
    "a segment too many": ("INSERT INTO segment SELECT * REPLACE ('X' AS name) FROM segment", (0, 0)),
    "a receipt that does not add up": ("UPDATE upload SET stored = stored + 1, created = created + 1", (0, 0)),
    "an upload forgotten": ("DELETE FROM upload", (0, 0)),
    "an audit log rewritten": ("UPDATE audit SET actor = 'nobody'", (0, 0)),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory, processes) -> Stage:
    return Stage("load of known people", tmp_path_factory.mktemp("judged"), processes)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_seen(stage, what):
    sql, (lost, doubled) = WRONG[what]
    folder = stage.fresh()
    with Workspace.open(folder / "home") as workspace, workspace.engine.session() as session:
        assert session.run(sql)
    verdict = stage.judge(folder)
    assert verdict.wrong
    assert (verdict.lost, verdict.doubled) == (lost, doubled)


def test_a_workspace_that_is_gone_or_cannot_be_opened_is_seen(stage):
    folder = stage.fresh()
    database = folder / "home" / "onramp.duckdb"
    database.write_bytes(database.read_bytes()[:-1000].replace(b"DUCK", b"DECK"))
    assert not stage.judge(folder).is_sound
    database.unlink()
    assert not stage.judge(folder).is_sound


def test_nothing_wrong_is_seen_where_nothing_is(stage):
    folder = stage.fresh()
    before = stage.judge(folder)
    assert stage.run(folder).code == 0
    after = stage.judge(folder)
    assert (before.is_sound, before.is_done) == (True, False)
    assert (after.is_sound, after.is_done) == (True, True)
