"""Maintenance removes what need not be kept and nothing else, and what it removed is in no byte of the folder."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from ingest_core.clock import now
from ingest_core.engine import copying, duck
from ingest_core.errors import StateError
from ingest_core.models import Options
from ingest_core.operations import maintenance
from ingest_core.vault import token, upkeep
from ingest_core.workspace import Workspace
from tests.operations.conftest import COLUMNS, FIRST, SECOND, people
from tests.workspaces import mapping_of

NOTHING = dict.fromkeys(
    (
        "drafts", "uploads", "log_rows", "rejected_rows", "received_files", "inbox_files", "audience_rows",
        "audience_samples", "audience_files", "values",
    ), 0
)  # fmt: skip


def maintain(opened, keep_days=None):
    with opened() as kernel:
        return kernel.workspace.operations.maintain(keep_days)


def removed(opened, keep_days=None):
    """The counts that are not zero."""
    return {name: count for name, count in maintain(opened, keep_days)["removed"].items() if count}


def later(monkeypatch, days):
    monkeypatch.setattr(maintenance, "now", lambda: now() + timedelta(days=days))


def query(kernel, sql):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql)


def state(opened):
    with opened() as kernel:
        made = kernel.workspace.digest()
        assert kernel.workspace.rebuild()["digest"] == made["digest"]
        return made


def test_where_nothing_is_due_nothing_changes(opened):
    before = state(opened)
    for _ in range(2):
        told = maintain(opened)
        assert told["removed"] == NOTHING
        assert told["bytes_after"] <= told["bytes_before"]
        assert state(opened) == before
    with opened() as kernel:
        assert [row[0] for row in query(kernel, "SELECT action FROM audit ORDER BY seq")] == ["load"] + ["maintain"] * 2
        assert kernel.workspace.operations.verify_audit() == {"entries": 3}


def test_an_app_that_serves_is_put_in_order_and_goes_on(kernel):
    kernel.load(FIRST, COLUMNS)
    before = kernel.workspace.digest()
    on_its_way = kernel.land(b"not named yet")
    told = kernel.workspace.operations.maintain(0)
    assert told["removed"]["rejected_rows"] == 1
    assert kernel.workspace.digest() == before
    assert kernel.load(SECOND, COLUMNS).stored == 2
    assert kernel.workspace.landing.ids() == [on_its_way]  # left to the next opening


def test_what_is_due_is_what_maintenance_removes(kernel):
    kernel.load(FIRST, COLUMNS)
    kernel.workspace.undo.undo(kernel.load(SECOND, COLUMNS).request_id)
    kernel.workspace.drafts.create(None)
    maintenance = kernel.workspace.operations.maintenance
    assert set(maintenance.due().values()) == {0}
    assert maintenance.last() is None
    due = maintenance.due(0)
    assert due == {
        "drafts": 1,
        "uploads": 1,
        "log_rows": 2,
        "rejected_rows": 1,
        "audience_rows": 0,
        "audience_samples": 0,
        "audience_files": 0,
        "inbox_files": 0,
    }
    assert due.items() <= kernel.workspace.operations.maintain(0)["removed"].items()
    assert maintenance.due(0) == dict.fromkeys(due, 0)
    assert maintenance.last() is not None


def test_who_looks_during_maintenance_waits_and_sees_the_same(kernel):
    kernel.load(FIRST, COLUMNS)
    looked = []
    is_done = threading.Event()

    def look():
        while not is_done.is_set():
            with kernel.workspace.engine.session() as session:
                looked.append(session.value("SELECT count(*) FROM profile"))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(2):
            kernel.workspace.operations.maintain()
    finally:
        is_done.set()
        for reader in readers:
            reader.join()
    assert set(looked) == {2}


def test_a_copy_that_differs_does_not_take_the_place_of_the_file(opened, monkeypatch):
    before = state(opened)
    looked = copying.content_of
    answers = iter([{"profile": (9, "")}])
    monkeypatch.setattr(copying, "content_of", lambda session: next(answers, None) or looked(session))
    with pytest.raises(StateError) as caught:
        maintain(opened)
    assert caught.value.code == "copy_differs"
    assert state(opened) == before


def test_what_stays_in_the_log_of_the_database_is_not_lost(opened, monkeypatch):
    """A log beside the file would be replayed onto the new one: then the old one stays."""
    with opened() as kernel:
        before = kernel.workspace.digest()
        log = kernel.workspace.engine.path.with_name("onramp.duckdb.wal.recovery")
        checkpoint = kernel.workspace.engine.close

        def close():
            checkpoint()
            log.write_bytes(b"something")

        monkeypatch.setattr(kernel.workspace.engine, "close", close)
        with pytest.raises(StateError) as caught:
            kernel.workspace.operations.maintain()
        assert caught.value.code == "database_open"
        monkeypatch.undo()
        log.unlink()
    assert state(opened) == before


# ── retention ────────────────────────────────────────────────────────────────────────────────────────────


def test_unfinished_ingests_go_with_their_files_when_nobody_touched_them_for_long(opened, monkeypatch):
    with opened() as kernel:
        landing_id = kernel.land(SECOND.encode())
        draft_id = kernel.workspace.drafts.create(None)
        kernel.workspace.drafts.save(draft_id, {"landing_id": landing_id})
    later(monkeypatch, 29)
    assert removed(opened) == {}
    later(monkeypatch, 31)
    assert removed(opened) == {"drafts": 1, "received_files": 1}
    with opened() as kernel:
        assert (kernel.workspace.drafts.list(), kernel.workspace.landing.ids()) == ([], [])


def test_received_files_that_nobody_names_go_and_those_that_wait_stay(opened):
    with opened() as kernel:
        kernel.land(b"nobody's")
        (kernel.workspace.home / "landing" / ("f" * 32 + ".json")).write_bytes(b"began to arrive")
        waiting = kernel.land(SECOND.encode())
        mapping = mapping_of(COLUMNS)
        kernel.workspace.jobs.submit(waiting, kernel.source(), mapping, Options(), idempotency_key="one")
        assert kernel.workspace.operations.maintain()["removed"] == {**NOTHING, "received_files": 2}
    with opened() as kernel:
        assert kernel.workspace.landing.ids() == [waiting]
        assert kernel.workspace.jobs.run_waiting() == 1
        assert kernel.workspace.profiles.count() == 3


def test_rejected_rows_are_kept_for_as_long_as_the_setting_says(opened, home, monkeypatch):
    later(monkeypatch, 4000)
    assert removed(opened) == {}
    (home / "settings.json").write_text('{"reject_keep_days": 10}')
    later(monkeypatch, 9)
    assert removed(opened) == {}
    later(monkeypatch, 11)
    assert removed(opened) == {"rejected_rows": 1}
    with opened() as kernel:
        receipt = kernel.workspace.history.list()[0]
        assert (receipt.rejected, list(receipt.rejects_by_reason)) == (1, ["not_an_email"])
        assert kernel.workspace.history.rejects(receipt.request_id) == []
        assert query(kernel, "SELECT rejects_purged_at IS NOT NULL FROM upload") == [(True,)]
        assert query(kernel, "SELECT count(*) FROM vault_page WHERE attribute_id = 0") == [(0,)]


def test_undone_uploads_come_back_for_as_long_as_the_setting_says(opened, home, monkeypatch):
    with opened() as kernel:
        second = kernel.load(SECOND, COLUMNS, segment="create:SECOND").request_id
        after = kernel.workspace.digest()
        kernel.workspace.undo.undo(second)
        before = kernel.workspace.digest()
    later(monkeypatch, 4000)
    (home / "settings.json").write_text('{"draft_keep_days": 1}')
    assert removed(opened) == {}
    with opened() as kernel:
        kernel.workspace.undo.redo(second)
        assert kernel.workspace.digest() == after
        kernel.workspace.undo.undo(second)
    (home / "settings.json").write_text('{"undone_keep_days": 10}')
    later(monkeypatch, 9)
    assert removed(opened) == {}
    later(monkeypatch, 11)
    assert removed(opened) == {"uploads": 1, "log_rows": 2, "values": 3}
    assert state(opened) == before
    with opened() as kernel:
        receipt = kernel.workspace.history.get(second)
        assert (receipt.stored, receipt.badges) == (2, ("Undone",))
        assert [name for (name,) in query(kernel, "SELECT name FROM segment")] == ["FIRST"]
        with pytest.raises(StateError) as caught:
            kernel.workspace.undo.redo(second)
        assert caught.value.code == "purged"
        assert kernel.load(SECOND, COLUMNS).stored == 2
        assert kernel.workspace.digest() == after
    assert removed(opened) == {}


def test_one_number_of_days_stands_for_all_settings(opened, home):
    (home / "settings.json").write_text('{"draft_keep_days": 1000}')
    with opened() as kernel:
        kernel.workspace.drafts.create(None)
        kernel.workspace.undo.undo(kernel.load(SECOND, COLUMNS).request_id)
    assert removed(opened, keep_days=1) == {}
    assert removed(opened, keep_days=0) == {
        "drafts": 1, "uploads": 1, "log_rows": 2, "rejected_rows": 1, "values": 3,
    }  # fmt: skip


# ── the vault ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_that_the_log_holds_stays_although_no_profile_shows_it(opened):
    with opened() as kernel:
        second = kernel.load(SECOND, COLUMNS).request_id
        assert kernel.values("crmid", "C1")["first_name"] == "Anne"
    assert removed(opened) == {}
    with opened() as kernel:
        kernel.workspace.undo.undo(second)
        assert kernel.values("crmid", "C1") == {
            "crmid": "C1", "email": "anna@example.com", "first_name": "Anna", "city": "Bonn",
        }  # fmt: skip


@pytest.mark.parametrize("batch", [1, 32 << 20])
def test_pages_of_living_and_dead_values_keep_the_living_ones(opened, monkeypatch, batch):
    """The later upload names half of the people of the earlier one, whose pages it shares."""
    monkeypatch.setattr(upkeep, "_BATCH_BYTES", batch)
    names = [f"C{n}|person{n}@example.com|Name{n}|Bonn" for n in range(1500)]
    with opened() as kernel:
        first = kernel.load(people(*names), COLUMNS, "Shop").request_id
        kernel.load(people(*names[::2]), COLUMNS, "Shop")
        kernel.workspace.undo.undo(first)
        before = kernel.workspace.digest()
        kept = kernel.values("crmid", "C1498")
    assert removed(opened, keep_days=0)["values"] == 1500
    assert state(opened) == before
    with opened() as kernel:
        assert kernel.values("crmid", "C1498") == kept
        assert query(kernel, "SELECT count(*) FROM vault_value") == [(1504,)]
        sizes = query(kernel, "SELECT page_id, slots FROM vault_page WHERE attribute_id <> 0 ORDER BY ALL")
        assert sizes == query(kernel, "SELECT page_id, count(*) FROM vault_value GROUP BY ALL ORDER BY ALL")
        assert kernel.workspace.operations.check_keys()["pages"] == len(sizes)
        kernel.load(people(*names), COLUMNS, "Shop", again=True)
        assert kernel.values("crmid", "C1499")["first_name"] == "Name1499"


def test_what_was_removed_is_in_no_byte_and_no_column(opened, home, monkeypatch):
    """Customer ids and towns are stored as they are, personal data as tokens and sealed pages: none may be left.

    Without compression, which would hide values from a search of the bytes.
    """
    lock_down = duck._lock_down
    monkeypatch.setattr(
        duck, "_lock_down", lambda *given: [("force_compression", "'uncompressed'"), *lock_down(*given)]
    )
    rows = [f"CANARY{n:03}|wren{n:03}@example.com|Zaunkönig{n:03}|Meise{n:03}" for n in range(30)]
    with opened() as kernel:
        first = kernel.load(people(*rows, "CANARYREJECT|no address|Zaunkönig|Meise"), COLUMNS).request_id
        key = kernel.workspace._keyset.token_key(kernel.workspace.attributes.get("email").attribute_id)
        pages = query(kernel, f"SELECT data FROM vault_page WHERE page_id > {MAX_PAGE_OF_FIRST}")
    plain = [part.encode() for row in rows for part in (row.split("|")[0], row.split("|")[3])]
    tokens = [_as_stored(token(key, row.split("|")[1])) for row in rows]
    needles = [*plain, *tokens, *(bytes(data)[-64:] for (data,) in pages)]
    with opened() as kernel:
        kernel.workspace.undo.undo(first)
    assert found_in(home, needles) == set(needles)
    told = maintain(opened, keep_days=0)
    assert (told["removed"]["log_rows"], told["removed"]["values"]) == (30, 60)
    assert found_in(home, needles) == set()
    with opened() as kernel:
        assert columns_with(kernel, [*rows[0].split("|"), str(token(key, "wren000@example.com"))]) == []


MAX_PAGE_OF_FIRST = 3  # e-mails, first names, rejected text


def _as_stored(value):
    """A UUID as the engine lays it down: little-endian, its first bit turned."""
    return (value.int ^ 1 << 127).to_bytes(16, "little")


def found_in(home, needles):
    data = b"\n".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    return {needle for needle in needles if needle in data}


def columns_with(kernel, values):
    found = []
    for table, column in query(kernel, "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"):
        texts = {str(value) for (value,) in query(kernel, f'SELECT DISTINCT "{column}" FROM "{table}"')}
        found += [f"{table}.{column}" for text in texts if any(value in text for value in values)]
    return found


def test_the_file_shrinks(opened):
    with opened() as kernel:
        many = people(*(f"C{n}|person{n}@example.com|Name{n}|Town{n}" for n in range(20_000)))
        kernel.workspace.undo.undo(kernel.load(many, COLUMNS).request_id)
    told = maintain(opened, keep_days=0)
    assert told["bytes_after"] < told["bytes_before"] / 2


def test_the_file_is_private_and_the_schema_is_the_same(opened, home):
    def shape():
        with Workspace.open(home) as workspace, workspace.engine.session() as session:
            return session.rows("SELECT table_name, sql FROM duckdb_tables() ORDER BY 1")

    before = shape()
    maintain(opened)
    assert shape() == before
    assert (home / "onramp.duckdb").stat().st_mode & 0o777 == 0o600
    assert list((home / "tmp").iterdir()) == []
