"""What does not stay: lines of the log, deleted traits, ids that asked to be forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.operations import maintenance
from tests.audience_manager.memory import MemoryFile
from tests.audience_manager.reference import DataFile, SyncFile
from tests.audience_manager.test_undo import fresh, ingest, live, uuid

__all__ = ["fresh"]
DAY_0 = now() - timedelta(days=10)


def data(number, dpid, *lines, mode="sync"):
    return DataFile(dpid, dpid, mode, 1_600_000_000 + number, tuple(lines))


def add(user, *traits):
    return user, tuple((trait, True) for trait in traits)


def later(monkeypatch, days):
    monkeypatch.setattr(maintenance, "now", lambda: now() + timedelta(days=days))


def rows_of(workspace, table):
    with workspace.engine.session() as session:
        return session.value(f"SELECT count(*) FROM {table}")


def test_the_state_stays_when_lines_leave_the_log(fresh, monkeypatch):
    first = ingest(fresh, DAY_0, data(0, 21, add("a", 1, 2)), SyncFile((0, 34), 1_600_000_000, ((uuid(1), "ck"),)))
    ingest(fresh, DAY_0, data(1, 34, add("ck", 5)), data(2, 21, add("b", 1)))
    before = live(fresh, now())
    assert before == {(21, "a"): {1, 2}, (21, "b"): {1}, (0, uuid(1)): {5}}
    later(monkeypatch, 61)
    assert fresh.operations.maintain()["removed"]["audience_rows"] == 5
    assert (rows_of(fresh, "am_op"), rows_of(fresh, "am_row")) == (0, 0)
    assert live(fresh, now()) == before
    kept = fresh.audience.digest()
    assert fresh.rebuild()["audience"] == kept
    with pytest.raises(StateError) as caught:
        fresh.audience.undo(first)
    assert caught.value.code == "log_cut"
    last = ingest(fresh, now(), data(3, 21, add("a", 2), mode="overwrite"), data(4, 34, add("dk", 5)))
    assert live(fresh, now()) == {(21, "a"): {2}, (21, "b"): {1}, (0, uuid(1)): {5}}
    fresh.audience.undo(last)
    assert live(fresh, now()) == before
    assert fresh.audience.digest() == kept


def test_only_lines_that_are_old_leave(fresh, monkeypatch):
    ingest(fresh, DAY_0, data(0, 21, add("a", 1)))
    later(monkeypatch, 59)
    assert fresh.operations.maintain()["removed"]["audience_rows"] == 0
    assert rows_of(fresh, "am_op") == 1


def test_what_ended_long_ago_leaves_with_the_log(fresh, monkeypatch):
    ingest(fresh, DAY_0, data(0, 33, add("x", 4)), SyncFile((0, 33), 1_600_000_000, ((uuid(1), "ck"),)))
    later(monkeypatch, 130)
    fresh.operations.maintain()
    assert fresh.audience.digest()["mappings"] == 0


def test_a_deleted_trait_is_gone_from_everybody_for_good(fresh):
    ingest(fresh, DAY_0, data(0, 21, add("a", 1, 2), add("b", 1)))
    assert fresh.audience.traits.remove(1) == 2
    assert live(fresh, now()) == {(21, "a"): {2}}
    fresh.rebuild()
    assert live(fresh, now()) == {(21, "a"): {2}}
    with pytest.raises(StateError) as again:
        fresh.audience.traits.add("Again", 33, trait_id=1)
    assert again.value.code == "trait_exists"
    with pytest.raises(InputError) as twice:
        fresh.audience.traits.remove(1)
    assert twice.value.code == "no_such_trait"


def test_a_forgotten_customer_takes_the_devices_along_and_does_not_come_back(fresh):
    ids = SyncFile((0, 21, 33), 1_600_000_000, ((uuid(1), "a", "ck"), (uuid(2), "b", "dk")))
    ingest(fresh, DAY_0, ids)
    ingest(fresh, DAY_0, data(0, 21, add("a", 1), add("b", 1)), data(1, 33, add("ck", 4), add("dk", 4)))
    done = fresh.audience.forget(21, "a")
    assert (done.devices, done.qualifications) == (1, 2)
    expected = {(21, "b"): {1}, (0, uuid(2)): {4}}
    assert live(fresh, now()) == expected
    report = fresh.audience.ingest(
        [MemoryFile("ftp_dpm_21_1600000009.sync", b"a\td_sid=1\n"), MemoryFile(renamed(ids), ids.text.encode())]
    )
    assert (report.receipts[0].no_matching_aam_id, report.receipts[0].problems()) == (1, [])
    ingest(fresh, DAY_0, data(7, 33, add("ck", 3)))
    assert live(fresh, now()) == expected
    kept = fresh.audience.digest()
    assert fresh.rebuild()["audience"] == kept
    with fresh.engine.session() as session:
        for table in ("am_op", "am_row", "am_map", "am_link", "am_opt_out", "am_held", "am_profile"):
            assert not [row for row in session.rows(f"SELECT * FROM {table}") if "'a'" in repr(row)], table


def test_a_forgotten_customer_takes_a_device_along_that_is_known_through_another(fresh):
    ingest(fresh, DAY_0, SyncFile((21, 33), 1_600_000_000, (("a", "ck"),)))
    ingest(fresh, DAY_0, SyncFile((0, 21), 1_600_000_001, ((uuid(1), "a"), (uuid(2), "b"))))
    ingest(fresh, DAY_0, data(2, 33, add("ck", 4)))
    assert live(fresh, DAY_0) == {(0, uuid(1)): {4}}
    done = fresh.audience.forget(33, "ck")
    assert (done.devices, done.qualifications) == (1, 1)
    assert live(fresh, DAY_0) == {}
    kept = fresh.audience.digest()
    assert fresh.rebuild()["audience"] == kept


def renamed(file):
    return file.name.replace("1600000000", "1600000008")


def test_a_forgotten_device_is_known_by_no_id(fresh):
    ingest(fresh, DAY_0, SyncFile((0, 33), 1_600_000_000, ((uuid(1), "ck"),)))
    ingest(fresh, DAY_0, data(1, 33, add("ck", 4)))
    fresh.audience.forget(0, uuid(1))
    assert live(fresh, now()) == {}
    ingest(fresh, DAY_0, SyncFile((0, 33), 1_600_000_005, ((uuid(1), "ck"),)))
    ingest(fresh, DAY_0, data(6, 33, add("ck", 4)))
    assert live(fresh, now()) == {}


@pytest.mark.parametrize(("dpid", "identifier", "code"), [(99, "a", "unknown_data_source"), (21, "", "empty_id")])
def test_who_cannot_be_forgotten_is_refused(fresh, dpid, identifier, code):
    with pytest.raises(InputError) as caught:
        fresh.audience.forget(dpid, identifier)
    assert caught.value.code == code
