"""The audit log is a chain: a changed, removed or inserted entry shows."""

from __future__ import annotations

import pytest

from ingest_core.ledger.audit import verify_audit, write_audit


@pytest.fixture
def session(workspace):
    with workspace.engine.session() as opened:
        for number in range(1, 5):
            write_audit(opened, "asha", "reveal", f"1-{number}", {"by": "email", "ü": "\"'"})
        yield opened


def test_an_untouched_chain_holds(session):
    assert verify_audit(session) is None
    assert session.rows("SELECT seq FROM audit ORDER BY seq") == [(1,), (2,), (3,), (4,)]
    assert session.value("SELECT count(DISTINCT hash) FROM audit") == 4


def test_an_empty_chain_holds(workspace):
    with workspace.engine.session() as session:
        assert verify_audit(session) is None


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("UPDATE audit SET actor = 'bina' WHERE seq = 2", 2),
        ("UPDATE audit SET object = '1-9' WHERE seq = 1", 1),
        ("UPDATE audit SET detail = '{}' WHERE seq = 4", 4),
        ("UPDATE audit SET happened_at = happened_at + INTERVAL 1 MICROSECOND WHERE seq = 3", 3),
        ("UPDATE audit SET hash = repeat('0', 64) WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 3),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("UPDATE audit SET seq = 9 WHERE seq = 1", 2),
        ("INSERT INTO audit SELECT * REPLACE (5 AS seq) FROM audit WHERE seq = 4", 5),
    ],
)  # fmt: skip
def test_the_first_changed_entry_is_named(session, sql, first):
    session.run(sql)
    assert verify_audit(session) == first


def test_the_chain_goes_on_after_opening_again(home):
    from ingest_core.workspace import Workspace

    for _ in range(3):
        with Workspace.open(home) as workspace, workspace.engine.session() as session:
            write_audit(session, "asha", "reveal", "1-2", {})
            assert verify_audit(session) is None
