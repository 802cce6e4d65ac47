"""Files of batches as they came: kept for a time, given back byte for byte, gone with an id that is forgotten."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.audience_manager.searching import holds
from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.files import PathSource
from ingest_core.operations import maintenance
from ingest_core.operations.restore import restore
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.audience_manager.test_messages import new_key, seal

__all__ = ["seal"]

DATA = "ftp_dpm_21_1700000001.sync"
PACKED = "ftp_dpm_21_1700000002.sync.gz"
SYNC = "adobe_id_0_21_1700000003.sync"
WRONG = "ftp_dmp_21.sync"
BROKEN = "ftp_dpm_21_1700000004.sync.gz"
UUID = f"{7:038}"
FILES = {
    DATA: b"asha\td_sid=1\nbroken\n",
    PACKED: gzip.compress(b"ravi\td_sid=1\n" * 3, mtime=0),
    SYNC: f"{UUID}\tmeera\n".encode(),
    WRONG: b"anything at all\n",
    BROKEN: gzip.compress(bytes(range(256)), mtime=0)[:60],
}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def workspace(home):
    with Workspace.open(home, user="Asha Menon") as opened:
        opened.sources.add("CRM ids", kind="data_source", dpid=21, id_type="cross_device")
        opened.sources.add("Cookies", kind="data_source", dpid=33, id_type="cookie")
        opened.audience.traits.add("Buyer", 21, trait_id=1)
        yield opened


def ingest(workspace, files=FILES, **options):
    given = [MemoryFile(name, data) for name, data in files.items()]
    return workspace.audience.ingest(given, BatchOptions(now(), **options))


def kept(workspace, request_id):
    return {one.file: one for one in workspace.audience.originals.of(request_id)}


def bytes_of(workspace, request_id, name):
    with workspace.audience.originals.open(request_id, name).open() as stream:
        return stream.read()


def later(monkeypatch, days):
    monkeypatch.setattr(maintenance, "now", lambda: now() + timedelta(days=days))


def test_every_file_of_a_batch_is_given_back_byte_for_byte_refused_ones_with_their_reason(workspace):
    request_id = ingest(workspace).request_id
    found = kept(workspace, request_id)
    assert {name: one.code for name, one in found.items()} == {
        DATA: None, PACKED: None, SYNC: None, WRONG: "bad_prefix", BROKEN: "corrupt_gzip",
    }  # fmt: skip
    assert {name: bytes_of(workspace, request_id, name) for name in found} == FILES
    assert {one.size == len(FILES[name]) for name, one in found.items()} == {True}
    assert all(timedelta(days=29) < one.until - now() <= timedelta(days=30) for one in found.values())


def test_nothing_of_them_is_readable_on_the_disk(workspace, home):
    ingest(workspace)
    workspace.close()
    every = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"anything at all" not in every
    assert len(list(home.glob("landing/*.land"))) == len(FILES)


def test_a_file_of_a_page_is_not_copied(workspace):
    writer = workspace.landing.create(DATA)
    writer.write(FILES[DATA])
    file = ReceivedFile(landing_id=writer.finish(), name=DATA, size=writer.offset)
    held = workspace.received.add(workspace.received.begin().inbound_id, file)
    workspace.received.process(held.inbound_id)
    workspace.receiving.turn(lambda: False)
    assert workspace.landing.ids() == [file.landing_id]
    assert bytes_of(workspace, workspace.received.get(held.inbound_id).request_id, DATA) == FILES[DATA]


def test_a_file_of_the_disk_is_kept_when_its_sender_deletes_it(workspace, tmp_path):
    path = tmp_path / DATA
    path.write_bytes(FILES[DATA])
    request_id = workspace.audience.ingest([PathSource(path)]).request_id
    path.unlink()
    assert bytes_of(workspace, request_id, DATA) == FILES[DATA]


def test_what_stores_nothing_keeps_nothing(workspace):
    ingest(workspace, is_beta=True)
    ingest(workspace, keeps_files=False)
    workspace.audience.ingest([MemoryFile("ftp_dpm_21_1700000009.sync", b"x\td_sid=1\n")], is_dry_run=True)
    request_id = ingest(workspace).request_id
    assert kept(workspace, request_id).keys() == {WRONG, BROKEN}  # the others are duplicates
    assert len(workspace.landing.ids()) == 2


def test_a_batch_that_failed_leaves_no_copy(workspace, monkeypatch):
    monkeypatch.setenv("ONRAMP_FAULT", "commit:before:error")
    with pytest.raises(Exception, match=r".+"):
        ingest(workspace)
    assert workspace.landing.ids() == []


def test_a_death_after_the_commit_keeps_them_over_the_next_opening(workspace, home, monkeypatch):
    monkeypatch.setenv("ONRAMP_FAULT", "commit:after:error")
    with pytest.raises(Exception, match=r".+"):
        ingest(workspace)
    monkeypatch.delenv("ONRAMP_FAULT")
    workspace.close()
    with Workspace.open(home, user="tests") as opened:
        (batch,) = opened.audience.receipts()
        assert {name: bytes_of(opened, batch.request_id, name) for name in FILES} == FILES


def test_maintenance_lets_them_go_after_their_days_with_their_samples(workspace, monkeypatch):
    workspace.audience.reports.switch_sampling("CRM ids", is_on=True)
    request_id = ingest(workspace).request_id
    workspace.configuration.set({"audience_files_keep_days": 7})
    files = [one.file_no for one in workspace.audience.receipt(request_id).per_file]
    assert workspace.audience.reports.samples(files)
    later(monkeypatch, 6)
    assert workspace.operations.maintain()["removed"]["audience_files"] == 0
    later(monkeypatch, 8)
    assert workspace.operations.maintenance.due()["audience_files"] == len(FILES)
    assert workspace.operations.maintain()["removed"]["audience_files"] == len(FILES)
    assert workspace.landing.ids() == []
    assert kept(workspace, request_id) == {}
    assert workspace.audience.reports.samples(files) == []
    with pytest.raises(InputError) as caught:
        workspace.audience.originals.open(request_id, DATA)
    assert caught.value.code == "no_such_file"


def test_nothing_is_kept_where_the_setting_says_no_day_and_all_where_it_says_none(workspace, monkeypatch):
    workspace.configuration.set({"audience_files_keep_days": 0})
    assert kept(workspace, ingest(workspace, {DATA: FILES[DATA]}).request_id) == {}
    workspace.configuration.set({"audience_files_keep_days": None})
    request_id = ingest(workspace, {SYNC: FILES[SYNC]}).request_id
    later(monkeypatch, 9_999)
    assert workspace.operations.maintain()["removed"]["audience_files"] == 0
    assert kept(workspace, request_id)[SYNC].until is None


@pytest.mark.parametrize(
    ("dpid", "identifier", "gone"),
    [
        (21, "asha", {DATA, WRONG, BROKEN}),  # BROKEN cannot be read, WRONG may be anything
        (21, "ravi", {PACKED, BROKEN}),
        (21, "meera", {SYNC, BROKEN}),
        (21, "nobody", {BROKEN}),
        (33, "asha", {WRONG}),
        (33, "nobody", set()),
        (0, UUID, {SYNC}),
    ],
)
def test_a_forgotten_id_takes_along_the_files_that_hold_it_or_may(workspace, dpid, identifier, gone):
    request_id = ingest(workspace, FILES | {WRONG: b"to asha, with love\n"}).request_id
    done = workspace.audience.forget(dpid, identifier)
    assert set(FILES) - kept(workspace, request_id).keys() == gone
    assert (done.files, len(workspace.landing.ids())) == (len(gone), len(FILES) - len(gone))


def test_the_devices_of_a_forgotten_customer_are_looked_for_too(workspace):
    first = ingest(workspace).request_id
    second = ingest(workspace, {"ftp_dpm_0_21_1700000008.sync": f"{UUID}\td_sid=1\n".encode()}).request_id
    workspace.audience.forget(21, "meera")
    assert kept(workspace, second) == {}
    assert SYNC not in kept(workspace, first)


def test_messages_are_opened_to_look_into_them(workspace, seal):
    key = new_key()
    workspace.pgp_keys.add("inbound", str(key))
    names = [f"ftp_dpm_21_170000000{n}.sync.pgp" for n in (6, 7)]
    texts = (b"asha\td_sid=1\n", b"ravi\td_sid=1\n")
    files = {name: seal(key, name, text) for name, text in zip(names, texts, strict=True)}
    report = workspace.audience.ingest(list(files.values()))
    assert report.rejected == []
    workspace.audience.forget(21, "asha")
    assert kept(workspace, report.request_id).keys() == {names[1]}
    with files[names[1]].open() as stream:
        assert bytes_of(workspace, report.request_id, names[1]) == stream.read()


@pytest.mark.parametrize("cut", range(1, 40))
def test_an_id_is_found_wherever_chunks_end(cut):
    text = b"x\td_sid=1\nasha-menon\td_sid=1\ny\td_sid=1\n"
    chunks = [text[at : at + cut] for at in range(0, len(text), cut)]
    assert holds(chunks, ["nobody", "asha-menon"])
    assert not holds([text], ["sha-menon"])
    assert not holds([text], ["nobody"])


def test_a_backup_leaves_them_out_and_the_restored_workspace_says_so(workspace, tmp_path):
    request_id = ingest(workspace).request_id
    made = workspace.operations.backup(tmp_path / "a.onramp")
    assert made["received_files"] == 0
    restore(tmp_path / "a.onramp", tmp_path / "again", user="tests")
    with Workspace.open(tmp_path / "again", user="tests") as opened:
        assert {one.is_here for one in kept(opened, request_id).values()} == {False}
        with pytest.raises(StateError) as caught:
            opened.audience.originals.open(request_id, DATA)
        assert caught.value.code == "file_not_kept"
        assert opened.operations.check_keys()["received_files"] == 0
        assert opened.operations.maintain(0)["removed"]["audience_files"] == len(FILES)


def test_who_takes_a_file_is_on_the_audit_log(workspace):
    request_id = ingest(workspace).request_id
    bytes_of(workspace, request_id, DATA)
    with workspace.engine.session() as session:
        row = session.row("SELECT actor, object FROM audit WHERE action = 'am file'")
    assert row == ("Asha Menon", request_id)


def test_what_is_not_there_is_refused(workspace):
    request_id = ingest(workspace).request_id
    for asked in ((request_id, "other.sync"), ("R-0", DATA)):
        with pytest.raises(InputError) as caught:
            workspace.audience.originals.open(*asked)
        assert caught.value.code == "no_such_file"
