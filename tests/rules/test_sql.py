"""Every SQL text of the product is looked at by the engine: steps as they ran, stored queries, migrations."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from ingest_core.engine import Session
from ingest_core.engine.migrate import migrations
from ingest_core.jobs.loads import register
from ingest_core.models import Receipt, StepReport
from tests.workspaces import Kernel, home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]  # fixtures

COLUMNS = {"crmid": "crmid", "email": "email", "phone": "phone", "city": "city"}
OWN_WORK = {
    "read",
    "protect",
    "empty the folds",
    "rows without a primary",
    "profiles",
    "regrouped profiles",
    "segments",
}
"""Steps that are Python, or Python around several statements: they need no SQL of their own."""


def file(*rows: str) -> str:
    return "crmid\temail\tphone\tcity\n" + "".join(f"{row}\n" for row in rows)


FIRST = file("K1\ta@example.in\t\tPune", "\tfloat@example.in\t\tGoa", "\t\t+919876543210\tAgra", "K2\tb@example.in\t\t")
JOINING = file("\tfloat@example.in\t+919876543210\tDelhi", "K3\tfloat@example.in\t\t", "K1\t\t\tAgra", "\t\t\tnobody")


def run(kernel: Kernel, session: Session, data: str, **options: str) -> Receipt:
    """A load in a session of ours: its temporary tables are still there afterwards."""
    plan = kernel.plan(data, COLUMNS, **options)
    request_id = f"R{len(kernel.workspace.history.list())}"
    with session.transaction():
        plan = register(session, plan, request_id, landing=None, overrides={})
    session.run("UPDATE upload SET status = 'In Progress' WHERE request_id = ?", [request_id])
    return kernel.workspace.loads.run(plan, request_id, lambda *_: None, session)


def check(session: Session, step: StepReport) -> None:
    for statement in duckdb.extract_statements(step.sql):
        plain = re.sub(r"'[^']*'", "", statement.query)
        session.rows(f"EXPLAIN {statement.query}", [None] * plain.count("?"))


@pytest.mark.parametrize(
    ("second", "options", "expected"),
    [
        (JOINING, {}, {"floating rows", "region", "regroup", "merged profiles", "memberships"}),
        (JOINING, {"replace": "members"}, {"memberships: replace"}),
        (JOINING, {"replace": "values", "segment": "create:MADE"}, {"replace values", "statements", "secondaries"}),
    ],
    ids=["floating rows that regroup", "replace members", "replace values"],
)
def test_steps_say_what_they_do_and_the_engine_understands_them(kernel, second, options, expected):
    with kernel.workspace.engine.session() as session:
        receipts = [run(kernel, session, FIRST), run(kernel, session, second, **options)]
        assert {receipt.status for receipt in receipts} == {"Completed"}
        assert expected <= {step.name for step in receipts[-1].steps}
        for step in receipts[-1].steps:
            assert step.name
            assert re.fullmatch(r"[A-Z][^\n]+\.", step.purpose), step.name
            assert step.sql or step.name in OWN_WORK, f"{step.name} shows no SQL"
            check(session, step)


def test_the_steps_of_a_rebuild_too(kernel):
    kernel.load(FIRST, COLUMNS)
    made = kernel.workspace.rebuild()
    steps = [StepReport(**step) for step in made["steps"]]
    assert {"primaries", "statements", "memberships"} <= {step.name for step in steps}
    for step in steps:
        assert re.fullmatch(r"[A-Z][^\n]+\.", step.purpose), step.name
        assert duckdb.extract_statements(step.sql) or step.name in OWN_WORK


def queries(repository: Path) -> list[Path]:
    return sorted((repository / "ingest_core" / "db" / "queries").glob("*.sql"))


def test_every_stored_query_is_understood(kernel, repository):
    assert queries(repository)
    with kernel.workspace.engine.session() as session:
        for path in queries(repository):
            sql = path.read_text("utf-8")
            places = {int(number) for number in re.findall(r"\$(\d+)", sql)}
            assert places == set(range(1, len(places) + 1)), path.name
            session.rows(sql, [None if "LIMIT $" not in sql else 1] * len(places))
            assert sql.startswith("-- "), f"{path.name} does not say what it is for"


def test_every_stored_query_is_used(repository):
    source = "".join(path.read_text("utf-8") for path in (repository / "ingest_core").rglob("*.py"))
    assert [path.name for path in queries(repository) if path.stem not in source] == []


def test_migrations_are_numbered_without_gaps_and_parse():
    found = migrations()
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))
    for number, name, sql in found:
        assert re.fullmatch(rf"{number:04}_[a-z_]+\.sql", name)
        for statement in duckdb.extract_statements(sql):
            assert not re.match(r"\s*(BEGIN|COMMIT|ROLLBACK)", statement.query), (
                "each one runs in a transaction of ours"
            )


def test_sql_in_the_code_holds_no_values(repository):
    """Values are bound: no f-string puts a quoted placeholder into SQL. Names and numbers of ours are generated."""
    offenders = []
    for path in (repository / "ingest_core").rglob("*.py"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(r"'\{[^}]+\}'", line) and re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|SET)\b", line):
                offenders.append(f"{path.relative_to(repository)}:{number}")
    assert offenders == []


def test_rows_are_deleted_by_their_number_only_where_the_transaction_added_none(repository: Path) -> None:
    """The engine mistakes the numbers of rows that the transaction added itself: it deletes others, or breaks."""
    by_number = re.compile(r"DELETE FROM \w+ (?:AS \w+ )?(?:USING[^\"]*?)?WHERE[^\"]*?\browid\b")
    found = {
        path.relative_to(repository).as_posix()
        for path in (repository / "ingest_core").rglob("*.py")
        if by_number.search(path.read_text(encoding="utf-8"))
    }
    # Profiles are written once in a load, and nothing adds one before.
    assert found == {"ingest_core/ledger/profiles.py"}
