"""Whoever applies the full file and then the changed ones has the current rows, whatever was lost on the way."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_core.deliveries.order import Column, Order
from ingest_core.deliveries.recipes import recipe
from tests.deliveries.conftest import deliveries_of
from tests.deliveries.shelf import Shelf, lost
from tests.workspaces import Kernel, Workspace

HASHED = (
    Column(name="em", attribute="email", recipe="google_email"),
    Column(name="town", attribute="city"),
)
BY_ID = (Column(name="id", attribute="crmid"), Column(name="town", attribute="city"))
MAPPED = {"crmid": "crmid", "email": "email", "city": "city"}


class Receiver:
    """Applies files in the order of their names: a full one replaces all, a changed one adds, changes and removes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def rows(self, key: str) -> dict[str, tuple[str, ...]]:
        held: dict[str, tuple[str, ...]] = {}
        for name in self._shelf.files():
            header, *lines = [line.split("\t") for line in self._shelf.text(name).splitlines()]
            if header[0] != "change":
                held = {cells[header.index(key)]: tuple(cells) for cells in lines}
                continue
            at = header.index(key) - 1
            for kind, *cells in lines:
                if kind == "removed":
                    assert [cell for place, cell in enumerate(cells) if place != at] == [""] * (len(cells) - 1)
                    held.pop(cells[at], None)
                else:
                    held[cells[at]] = tuple(cells)
        return held


def order(scope: str, columns: tuple[Column, ...], key: str, number: int = 0) -> Order:
    return Order(
        kind="segment", object="IN_TOWN", destination="Partner", columns=columns, key=key, scope=scope,
        file_name=f"{number:04}", control_file=False,
    )  # fmt: skip


def change(kernel: Kernel, people: list[tuple[int, int, int]]) -> None:
    """Loads (person, address, town); town 0 clears it: then the person is in no town."""
    rows = "".join(f"C{who}\tp.{mail}@gmail.com\t{'NULL' if not town else f'T{town}'}\n" for who, mail, town in people)
    mapping = {**MAPPED, "city": {"attribute": "city", "blank": "NULL"}}
    kernel.load("crmid\temail\tcity\n" + rows, mapping, again=True)


def now_of(kernel: Kernel, columns: tuple[Column, ...], key: str) -> dict[str, tuple[str, ...]]:
    """What the receiver should have, worked out from the profiles alone."""
    found: dict[str, tuple[str, ...]] = {}
    for person in kernel.workspace.segments.members("IN_TOWN", 1_000):
        values = kernel.values("crmid", person["attributes"]["crmid"])
        cells = {one.name: recipe(one.recipe)(values.get(one.attribute, "")) for one in columns}
        if cells[key]:
            found.setdefault(cells[key], tuple(cells[one.name] for one in columns))
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("load"),
            st.lists(
                st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2)),
                min_size=1, max_size=4, unique_by=lambda one: one[0],
            ),
        ),
        st.tuples(st.just("undo"), st.integers(0, 3)),
        st.tuples(
            st.just("deliver"),
            st.sampled_from(["changed", "changed", "changed", "full"]),
            st.sampled_from(["", "", "connect", "before", "after", "after and again", "crash after"]),
        ),
    ),
    max_size=9,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "key"), [(HASHED, "em"), (BY_ID, "id")], ids=["by hash", "by id"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_full_and_changes_are_the_current_rows(template: Path, columns, key, steps):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(shutil.copytree(template, Path(folder) / "home"))
        (Path(folder) / "files").mkdir()
        with Workspace.open(home, user="asha") as workspace:
            kernel = Kernel(workspace, Path(folder) / "files")
            workspace.attributes.change("city", segment="CITY")
            workspace.segments.add("IN_TOWN", {"attribute": "CITY", "operator": "is present"})
            play(kernel, Shelf(Path(folder) / "partner"), columns, key, steps)


def play(kernel: Kernel, shelf: Shelf, columns, key: str, steps) -> None:
    deliveries, numbers = deliveries_of(kernel.workspace, shelf), itertools.count(1)
    for step in [*steps, ("deliver", "changed", "")]:
        if step[0] == "load":
            change(kernel, step[1])
        elif step[0] == "undo":
            live = [one for one in kernel.workspace.history.list() if one.undone_at is None and one.stored]
            if step[1] < len(live):
                kernel.workspace.undo.undo(str(live[step[1]].request_id))
        else:
            deliveries = deliver(kernel, shelf, deliveries, order(step[1], columns, key, next(numbers)), step[2])
    assert Receiver(shelf).rows(key) == now_of(kernel, columns, key)


def deliver(kernel, shelf: Shelf, deliveries, ordered: Order, trouble: str):
    """One delivery that meets trouble; what was put off is given up, so that the next one has to know of it."""
    moment = trouble.rsplit(" ", maxsplit=1)[-1] if trouble.startswith("crash") else trouble.split(" ", maxsplit=1)[0]
    if trouble:
        shelf.fails[moment] = SystemExit() if trouble.startswith("crash") else lost()
    delivery_id = deliveries.order(ordered)
    try:
        done = deliveries.send(delivery_id)
    except SystemExit:
        deliveries = deliveries_of(kernel.workspace, shelf)
        done = deliveries.get(delivery_id)
    shelf.fails.clear()
    if done.status == "waiting":
        if trouble == "after and again":
            deliveries.retry(delivery_id)
            assert deliveries.send(delivery_id).status == "delivered"
        else:
            deliveries.cancel(delivery_id)
    return deliveries


@pytest.fixture
def towns(kernel: Kernel) -> Kernel:
    kernel.workspace.attributes.change("city", segment="CITY")
    kernel.workspace.segments.add("IN_TOWN", {"attribute": "CITY", "operator": "is present"})
    change(kernel, [(1, 1, 1), (2, 2, 1), (3, 3, 2)])
    return kernel


def test_the_first_changed_delivery_is_everything_and_the_next_only_what_changed(towns, deliveries, shelf):
    first = deliveries.deliver(order("changed", BY_ID, "id", 1))
    change(towns, [(2, 2, 2), (3, 3, 0), (4, 4, 1)])
    second = deliveries.deliver(order("changed", BY_ID, "id", 2))
    assert (first.added, first.changed, first.removed) == (3, 0, 0)
    assert (second.added, second.changed, second.removed, second.lines) == (1, 1, 1, 4)
    assert shelf.text("0002.tsv") == (
        "change\tid\ttown\nchanged\tC2\tT2\nadded\tC4\tT1\nremoved\tC3\t\n"
    )  # fmt: skip


def test_where_nothing_changed_nothing_is_sent(towns, deliveries, shelf):
    deliveries.deliver(order("full", BY_ID, "id", 1))
    done = deliveries.deliver(order("changed", BY_ID, "id", 2))
    assert (done.status, done.file, done.has_nothing_new) == ("delivered", None, True)
    assert shelf.files() == ["0001.tsv"]
    change(towns, [(9, 9, 1)])
    assert deliveries.deliver(order("changed", BY_ID, "id", 3)).added == 1


def test_a_delivery_that_may_have_arrived_is_reckoned_with_either_way(towns, deliveries, shelf):
    deliveries.deliver(order("full", BY_ID, "id", 1))
    change(towns, [(4, 4, 1)])
    shelf.fails["after"] = lost()
    deliveries.cancel(deliveries.deliver(order("changed", BY_ID, "id", 2)).delivery_id)
    change(towns, [(4, 4, 0)])
    third = deliveries.deliver(order("changed", BY_ID, "id", 3))
    assert (third.added, third.removed) == (0, 1)
    assert Receiver(shelf).rows("id") == now_of(towns, BY_ID, "id")


def test_other_columns_or_another_place_start_from_nothing(towns, deliveries, shelf):
    deliveries.deliver(order("full", BY_ID, "id", 1))
    other = (*BY_ID, Column(name="profile_id", attribute="profile_id"))
    assert deliveries.deliver(order("changed", other, "id", 2)).added == 3
    (shelf.folder / "deeper").mkdir()
    shelf.folder = shelf.folder / "deeper"
    assert deliveries.deliver(order("changed", BY_ID, "id", 3)).added == 3


def test_of_people_with_one_key_the_first_goes_and_people_without_stay_both_counted(towns, deliveries, shelf):
    change(towns, [(5, 1, 2)])
    towns.load("crmid\tcity\nC7\tT1\n", {"crmid": "crmid", "city": "city"})
    done = deliveries.deliver(order("full", HASHED, "em", 1))
    assert done.people + done.same_key + done.without_key == towns.workspace.segments.count("IN_TOWN")
    assert done.without_key >= 1
    assert len(Receiver(shelf).rows("em")) == done.people


def test_deliveries_of_one_channel_go_out_one_after_the_other(towns, deliveries, shelf):
    shelf.fails["connect"] = lost()
    first = deliveries.deliver(order("changed", BY_ID, "id", 1))
    second = deliveries.deliver(order("changed", BY_ID, "id", 2))
    assert (first.status, second.status, second.attempts) == ("waiting", "waiting", 0)
    deliveries.retry(first.delivery_id)
    assert deliveries.send_due() == 2
    assert deliveries.get(second.delivery_id).has_nothing_new


def test_an_older_file_is_never_sent_after_a_newer_one(towns, deliveries, shelf):
    shelf.fails["before"] = lost()
    old = deliveries.cancel(deliveries.deliver(order("changed", BY_ID, "id", 1)).delivery_id)
    change(towns, [(1, 1, 2)])
    deliveries.deliver(order("changed", BY_ID, "id", 2))
    again = deliveries.retry(old.delivery_id)
    assert again.again_of == old.delivery_id
    assert deliveries.send(again.delivery_id).has_nothing_new
    assert shelf.files() == ["0002.tsv"]


def test_what_is_remembered_of_a_receiver_holds_no_personal_value(towns, deliveries):
    deliveries.deliver(order("full", HASHED, "em", 1))
    with towns.workspace.engine.session() as session:
        kept = str(session.rows("SELECT * FROM delivery_state")) + str(session.rows("SELECT * FROM delivery"))
    assert "gmail.com" not in kept
