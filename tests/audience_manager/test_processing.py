"""A batch from files to receipts: counts add up for any bytes, all or nothing, and nothing in the beta environment."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.receipts import Counts
from ingest_core.errors import InputError, OnrampError
from ingest_core.models import SourceSettings
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

AT = datetime(2026, 11, 28, 12, tzinfo=UTC).replace(tzinfo=None)
UUID = "59767559181262060060278870901087098252"


def prepared(home):
    workspace = Workspace.open(home, user="tests")
    for dpid, kind in ((21, "cross_device"), (33, "cookie")):
        workspace.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
    for trait, dpid, rule in ((1, 21, None), (2, 21, None), (3, 21, 'colour == "red"'), (4, 33, None)):
        workspace.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait, rule=rule)
    return workspace


@pytest.fixture
def workspace(tmp_path):
    with prepared(tmp_path / "home") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For many small batches."""
    with prepared(tmp_path_factory.mktemp("batches") / "home") as opened:
        yield opened


def sync(number, text, mode="sync", ids="21"):
    return MemoryFile(f"ftp_dpm_{ids}_{1_700_000_000 + number}.{mode}", text.encode())


def people(workspace, at=AT):
    found = workspace.audience.members(at)
    return {f"{dpid}:{identifier}": sorted(traits) for (dpid, identifier), traits in found.items()}


ITEMS = st.lists(st.sampled_from([b"d_sid=1", b"2:0", b"4", b"colour=red", b"d_sid=99", b"7"]), max_size=4)
LINE = st.one_of(
    st.binary(max_size=20),
    st.tuples(st.sampled_from([b"u1", b"u2", b"", b"a:b", b"x@y.com"]), st.binary(max_size=12)).map(b"\t".join),
    st.tuples(
        st.sampled_from([b"u1", b"u2", b"u3"]),
        st.lists(st.sampled_from([b"d_sid=1", b"2:0", b"4", b"colour=red", b"d_sid=99", b"7"]), max_size=4).map(
            b",".join
        ),
    ).map(b"\t".join),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(LINE, max_size=8), st.sampled_from(["sync", "overwrite"]), st.sampled_from(["21", "33", "33_21"]))
def test_receipts_add_up_for_any_bytes(shared, lines, mode, ids):
    file = MemoryFile(f"ftp_dpm_{ids}_1700000000.{mode}", b"\n".join(lines))
    report = shared.audience.ingest([file], BatchOptions(AT, user_cap=2), is_dry_run=True)
    assert len(report.receipts) + len(report.rejected) == 1
    for receipt in report.receipts:
        assert receipt.problems() == []
        assert receipt.records_received == sum(bool(body(line)) for line in b"\n".join(lines).split(b"\n"))


def body(line):
    """A line without its carriage return; a mark before the first line is none of its text."""
    return line.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\r") if line else line


def test_a_dry_run_counts_the_same_and_keeps_nothing(workspace):
    file = sync(0, "u1\td_sid=1,colour=red\nu2\tcolour=blue\n")
    tried = workspace.audience.ingest([file], BatchOptions(AT), is_dry_run=True)
    assert (tried.request_id, people(workspace)) == (None, {})
    done = workspace.audience.ingest([file], BatchOptions(AT))
    assert done.request_id
    assert [receipt.model_dump() for receipt in done.receipts] == [receipt.model_dump() for receipt in tried.receipts]
    assert people(workspace) == {"21:u1": [1, 3]}


def test_the_beta_environment_knows_no_ids_and_stores_nothing(workspace):
    file = MemoryFile("ftp_dpm_33_1700000000.sync", b"ck\td_sid=4\nbad line\n")
    report = workspace.audience.ingest([file], BatchOptions(AT, is_beta=True))
    counts = report.receipts[0]
    assert (counts.no_matching_aam_id, counts.format_errors, counts.stored_records) == (1, 1, 0)
    assert counts.problems() == []
    assert (report.request_id, people(workspace)) == (None, {})
    assert workspace.audience.ingest([file], BatchOptions(AT)).rejected == []


def test_the_beta_environment_does_not_know_what_was_processed(workspace):
    """Its data are not shared with production (spec §2), so no file has come before."""
    for text in ("u1\td_sid=1\n", "u1\td_sid=2\n"):
        workspace.audience.ingest([sync(0, text)], BatchOptions(AT))
    report = workspace.audience.ingest([sync(0, "u1\td_sid=2\n")], BatchOptions(AT, is_beta=True))
    assert (report.rejected, report.warnings) == ([], [])
    assert report.receipts[0].no_matching_aam_id == 1
    assert people(workspace) == {"21:u1": [1, 2]}


def test_a_damaged_file_is_refused_whole_and_stops_no_other(workspace):
    packed = bytearray(gzip.compress("".join(f"u{n}\td_sid=1\n" for n in range(50_000)).encode()))
    packed[-6] ^= 1
    files = [MemoryFile("ftp_dpm_21_1700000000.sync.1.gz", bytes(packed)), sync(0, "u1\td_sid=2\n", "sync.2")]
    report = workspace.audience.ingest(files, BatchOptions(AT))
    assert [(one.file, one.error) for one in report.rejected] == [(files[0].name, "corrupt_gzip")]
    assert report.receipts[0].records_received == 1
    assert report.receipts[0].files == [files[1].name]
    assert people(workspace) == {"21:u1": [2]}


def test_the_same_file_twice_in_one_batch_is_taken_once(workspace):
    """Spec §9.7, as in two batches; the receipt names the one that was taken."""
    rows = MemoryFile("adobe_id_0_33_1700000001.sync", f"{UUID}\tck\n".encode())
    first = sync(0, "u1\td_sid=1\n")
    report = workspace.audience.ingest([first, rows, sync(0, "u1\td_sid=1\n"), rows], BatchOptions(AT))
    assert [(one.file, one.error) for one in report.rejected] == [
        (first.name, "duplicate_file"), (rows.name, "duplicate_file"),
    ]  # fmt: skip
    (receipt,) = report.receipts
    assert (receipt.records_received, receipt.files) == (1, [first.name])
    assert (len(report.id_sync), report.warnings) == (1, [])
    assert not Counts.problems(receipt)


def test_other_bytes_under_a_name_of_the_same_batch_are_a_warning(workspace):
    report = workspace.audience.ingest([sync(0, "u1\td_sid=1\n"), sync(0, "u1\td_sid=2\n")], BatchOptions(AT))
    assert [one["code"] for one in report.warnings] == ["same_name_other_bytes"]
    assert (report.rejected, people(workspace)) == ([], {"21:u1": [1, 2]})


def test_an_id_that_was_synced_in_this_batch_helps_only_the_next(workspace):
    ids = MemoryFile("adobe_id_0_33_1600000000.sync", f"{UUID}\tck\n".encode())
    first = workspace.audience.ingest([sync(0, "ck\td_sid=4\n", ids="33"), ids], BatchOptions(AT))
    assert first.receipts[0].no_matching_aam_id == 1
    second = workspace.audience.ingest([sync(1, "ck\td_sid=4\n", ids="33")], BatchOptions(AT))
    assert second.receipts[0].stored_records == 1
    assert people(workspace) == {f"0:{UUID}": [4]}


def test_people_without_activity_are_gone_after_the_days_of_their_source(workspace):
    source = workspace.sources.get("Source 21")
    workspace.sources.update(source.source_id, settings=SourceSettings(profile_days=60))
    workspace.audience.traits.add("For ever", 21, trait_id=9, ttl_days=0)
    workspace.audience.ingest([sync(0, "u1\td_sid=1,d_sid=9\n")], BatchOptions(AT))
    assert people(workspace, AT + timedelta(days=59)) == {"21:u1": [1, 9]}
    assert people(workspace, AT + timedelta(days=60)) == {}
    assert people(workspace, AT - timedelta(days=1)) == {}


def test_a_batch_needs_a_file(workspace):
    with pytest.raises(InputError) as caught:
        workspace.audience.ingest([])
    assert caught.value.code == "no_file"


def test_an_error_in_the_middle_leaves_nothing(workspace, monkeypatch):
    monkeypatch.setenv("ONRAMP_FAULT", "ids:before:error")
    ids = MemoryFile("adobe_id_0_33_1600000000.sync", f"{UUID}\tck\n".encode())
    with pytest.raises(OnrampError) as caught:
        workspace.audience.ingest([sync(0, "u1\td_sid=1\n"), ids], BatchOptions(AT))
    assert caught.value.code == "fault_injected"
    monkeypatch.delenv("ONRAMP_FAULT")
    assert people(workspace) == {}
    assert workspace.audience.ingest([sync(0, "u1\td_sid=1\n")], BatchOptions(AT)).rejected == []


def test_counts_are_added_name_by_name():
    assert Counts(stored_records=1) + Counts(stored_records=2, used_signals=3) == Counts(
        stored_records=3, used_signals=3
    )


def test_the_same_file_twice_in_one_batch_counts_once(workspace):
    once = sync(1, "u1\td_sid=1\n")
    other = MemoryFile(once.name, b"u2\td_sid=1\n")
    report = workspace.audience.ingest([once, once, other], BatchOptions(AT))
    assert [(one.file, one.error) for one in report.rejected] == [(once.name, "duplicate_file")]
    assert report.receipts[0].records_received == 2
