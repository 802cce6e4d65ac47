"""Files whose identifiers are made to hurt: one for everybody, chains, everything at once.

The people that come out are right, what is made step by step is what a rebuild makes, no value joins more people than
it may, and the number of statements does not grow with the file. Times at full size: ``benchmarks/hostile.py``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ingest_core.engine import Session
from ingest_core.errors import Stopped
from ingest_core.files import spreadsheet
from tests.files.test_spreadsheet import workbook
from tests.workspaces import Kernel, counts, home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]

PAIR = {"left": "left", "right": "right"}
MAIL = {"crmid": "crmid", "email": "email"}
PHONE = {**MAIL, "phone": "phone"}


@pytest.fixture
def statements(monkeypatch) -> Callable[[], int]:
    """How many statements the engine has run since it was last asked."""
    seen = []
    own = Session._statement

    @contextmanager
    def counting(self: Session, sql: str) -> Iterator[None]:
        seen.append(sql)
        with own(self, sql):
            yield

    monkeypatch.setattr(Session, "_statement", counting)

    def since() -> int:
        count = len(seen)
        seen.clear()
        return count

    return since


@pytest.fixture
def pairs(kernel) -> Kernel:
    """A workspace with two identifiers that both are secondary."""
    for name in PAIR:
        kernel.workspace.attributes.add(name, "string", identifier="secondary")
    return kernel


def table(header: str, rows: list[str]) -> str:
    return "".join(row.replace("|", "\t") + "\n" for row in [header, *rows])


def links(numbers: list[int]) -> str:
    """Links of a chain: each shares an identifier with the one before and another with the one behind it."""
    return table("left|right", [f"left{(at + 1) // 2:06d}|right{at // 2:06d}" for at in numbers])


def people(kernel: Kernel) -> int:
    with kernel.workspace.engine.session() as session:
        return int(session.value("SELECT count(*) FROM profile"))


def is_as_rebuilt(kernel: Kernel) -> bool:
    digest = kernel.workspace.digest()
    return digest["digest"] == kernel.workspace.rebuild()["digest"]


@pytest.mark.parametrize("order", ["in order", "backwards", "at random"])
def test_a_chain_is_one_person_whatever_the_order_of_its_links(pairs, order):
    numbers = list(range(400))
    if order == "backwards":
        numbers.reverse()
    elif order == "at random":
        random.Random(1).shuffle(numbers)
    receipt = pairs.load(links(numbers), PAIR)
    assert counts(receipt) == {"lines": 400, "stored": 1, "duplicates": 399}
    assert is_as_rebuilt(pairs)


def test_an_upload_that_bridges_all_the_others_merges_them_and_undone_lets_them_go(pairs):
    first = pairs.load(links(list(range(0, 400, 2))), PAIR)
    second = pairs.load(links(list(range(1, 400, 2))), PAIR)
    assert (first.created, second.created, second.merged, people(pairs)) == (200, 0, 199, 1)
    assert is_as_rebuilt(pairs)
    undone = pairs.workspace.undo.undo(second.request_id)
    assert (undone.came_apart, people(pairs)) == (199, 200)
    assert is_as_rebuilt(pairs)
    assert pairs.workspace.undo.redo(second.request_id).merged == 199
    assert (people(pairs), is_as_rebuilt(pairs)) == (1, True)


def test_a_chain_grown_by_many_uploads_is_one_person_in_the_end(pairs):
    merged = [pairs.load(links(list(range(at, 160, 16))), PAIR).merged for at in range(16)]
    assert (people(pairs), is_as_rebuilt(pairs)) == (1, True)
    assert merged[-1] == 9


def test_the_statements_of_a_load_do_not_grow_with_its_chains(pairs, statements):
    """Neither for one upload, nor for one that bridges, nor when that is undone."""
    seen = []
    for size in (40, 400):
        at = size * 100
        pairs.load(links(list(range(at, at + size, 2))), PAIR)
        statements()
        bridging = pairs.load(links(list(range(at + 1, at + size, 2))), PAIR)
        loaded = statements()
        pairs.workspace.undo.undo(bridging.request_id)
        seen.append((bridging.merged, loaded, statements()))
    (small, *few), (large, *many) = seen
    assert (small, large) == (19, 199)
    assert few == many


def test_one_customer_on_every_row_is_one_person(kernel):
    receipt = kernel.load(table("crmid|email", [f"C1|a{at}@example.com" for at in range(2_000)]), MAIL)
    assert counts(receipt) == {"lines": 2_000, "stored": 1, "duplicates": 1_999}
    assert kernel.values("crmid", "C1")["email"] == "a1999@example.com"
    assert is_as_rebuilt(kernel)


def test_one_address_on_every_row_without_a_customer_is_one_person_each_time(kernel):
    text = table("crmid|email|city", [f"|anna@example.com|City {at}" for at in range(2_000)])
    columns = {**MAIL, "city": "city"}
    first, second = kernel.load(text, columns), kernel.load(text, columns, again=True)
    assert counts(first) == counts(second) == {"lines": 2_000, "stored": 1, "duplicates": 1_999}
    assert (first.created, second.created, second.unchanged) == (1, 0, 1)
    assert kernel.values("email", "anna@example.com")["city"] == "City 1999"
    assert is_as_rebuilt(kernel)


def test_an_address_of_two_thousand_customers_joins_nobody(kernel):
    """Shared: neither the customers nor the rows that name only the address; also by a second file."""
    customers = table("crmid|email", [f"C{at}|all@example.com" for at in range(2_000)])
    receipt = kernel.load(customers, MAIL)
    assert (receipt.created, people(kernel)) == (2_000, 2_000)
    nameless = kernel.load(table("crmid|email", ["|all@example.com"] * 50), MAIL)
    assert (nameless.created, people(kernel)) == (50, 2_050)
    assert kernel.load(customers, MAIL, again=True).unchanged == 2_000
    assert is_as_rebuilt(kernel)


def test_people_joined_by_an_address_come_apart_when_it_turns_out_to_be_shared(kernel):
    joined = kernel.load(table("crmid|email", ["|all@example.com"] * 300), MAIL)
    assert (joined.created, people(kernel)) == (1, 1)
    receipt = kernel.load(table("crmid|email", [f"C{at}|all@example.com" for at in range(21)]), MAIL)
    assert (receipt.created, receipt.came_apart, people(kernel)) == (21, 299, 321)
    assert is_as_rebuilt(kernel)


def owned_chain(size: int, name: str) -> tuple[str, str, str]:
    """Customers in a row, between two neighbours a number seen with both their addresses; then the first one moves."""
    owners = table("crmid|email|phone", [f"{name}{at}|{name}{at}@example.com|" for at in range(size)])
    rows = [f"|{name}{at + side}@example.com|+4930{name}{100000 + at}" for at in range(size - 1) for side in (0, 1)]
    return owners, table("crmid|email|phone", rows), table("crmid|email|phone", [f"X{name}|{name}0@example.com|"])


def test_customers_between_whom_numbers_are_shared_stay_apart(kernel):
    """A number that two people's rows name belongs to neither, however long the row of neighbours."""
    owners, between, moved = owned_chain(60, "2")
    assert kernel.load(owners, PHONE).created == 60
    assert counts(kernel.load(between, PHONE)) == {"lines": 118, "stored": 60, "duplicates": 58}
    receipt = kernel.load(moved, PHONE)
    assert (receipt.stored, people(kernel)) == (1, 61)
    assert is_as_rebuilt(kernel)
    kernel.workspace.undo.undo(receipt.request_id)
    assert (people(kernel), is_as_rebuilt(kernel)) == (60, True)


def test_two_thousand_different_bad_values_are_two_thousand_rejects(kernel):
    kernel.workspace.attributes.add("amount", "number")
    columns = {"crmid": "crmid", "amount": "amount"}
    bad = table("crmid|amount", [f"C{at}|no{at}" for at in range(2_000)])
    receipt = kernel.load(bad, columns)
    assert (receipt.status, receipt.error["code"], receipt.rejected) == ("Failed", "no_row_stored", 2_000)
    half = table("crmid|amount", [f"C{at}|{'no' if at % 2 else ''}{at}" for at in range(2_000)])
    receipt = kernel.load(half, columns)
    assert counts(receipt) == {"lines": 2_000, "stored": 1_000, "rejected": 1_000}
    rejects = list(kernel.workspace.history.rejects(receipt.request_id))
    assert [row.line for row in rejects] == list(range(3, 2_002, 2))
    assert rejects[0].text == "C1\tno1"


def test_an_upload_can_be_stopped_while_its_workbook_is_read_in_silence(kernel, monkeypatch):
    """Its process may think for long; a person does not wait for it."""
    plan = kernel.plan(workbook({"A1": "crmid", "A2": "C1"}), {"crmid": "crmid"}, name="people.xlsx")
    monkeypatch.setattr(spreadsheet, "_PROGRAM", "tests.files.rogues")  # says one thing, then sleeps
    told = []

    def progress(phase, done, total):
        told.append(phase)
        if told.count("read") > 2:
            raise Stopped

    with pytest.raises(Stopped):
        kernel.workspace.loads.load(plan, progress)
    (receipt,) = kernel.workspace.history.list()
    assert (receipt.status, receipt.badges, people(kernel)) == ("Failed", ("Cancelled",), 0)


def test_five_thousand_columns_can_be_loaded_when_they_are_allowed(home, tmp_path, monkeypatch):
    from ingest_core.workspace import Workspace

    monkeypatch.setenv("ONRAMP_COLUMN_LIMIT", "5000")
    (tmp_path / "files").mkdir()
    with Workspace.open(home) as opened:
        kernel = Kernel(opened, tmp_path / "files")
        header = "|".join(["crmid", *(f"c{at}" for at in range(4_999))])
        rows = ["|".join([f"C{row}", *["x"] * 4_998, f"City {row}"]) for row in range(20)]
        receipt = kernel.load(table(header, rows), {"crmid": "crmid", "c4998": "city"})
        assert counts(receipt) == {"lines": 20, "stored": 20}
        assert kernel.values("crmid", "C7") == {"crmid": "C7", "city": "City 7"}
        assert len(receipt.ignored_columns) == 4_998
