"""The status report adds up per file; samples are the first ten of a kind; unused signals are counted per day."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest_core.audience_manager import sampling, unused
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.receipts import Counts
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.ledger.outbox import Letter
from ingest_core.models import SourceSettings
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

AT = datetime(2026, 11, 28, 12, tzinfo=UTC).replace(tzinfo=None)
DAY = AT.date()
UUID = "59767559181262060060278870901087098252"


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        for dpid, kind in ((21, "cross_device"), (33, "cookie")):
            opened.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
        opened.audience.traits.add("Red", 21, trait_id=1, rule='colour == "red"')
        opened.audience.traits.add("Named", 21, trait_id=2)
        opened.audience.traits.add("Cookie", 33, trait_id=3)
        yield opened


def data(number, text, mode="sync", ids="21", tail=""):
    body = text.encode()
    return MemoryFile(f"ftp_dpm_{ids}_{1_700_000_000 + number}.{mode}{tail}", gzip.compress(body) if tail else body)


def ingest(workspace, *files, at=AT):
    return workspace.audience.ingest(list(files), BatchOptions(at))


def report(workspace, since=DAY, until=DAY, dpid=None):
    return workspace.audience.reports.status(since, until, dpid)


def test_each_file_has_its_own_row_and_the_rows_add_up_to_the_receipt(workspace):
    batch = ingest(
        workspace,
        data(1, "u1\td_sid=2\nu2\tcolour=red\nbroken\n", tail=".1.gz"),
        data(1, "u1\td_sid=2\n\nu3\tcolour=blue\na@b.com\td_sid=2\n", tail=".2.gz"),
    )
    (receipt,) = batch.receipts
    found = report(workspace)
    assert [(file.records_received, file.stored_records, file.format_errors) for file in found.files] == [
        (3, 2, 1),
        (3, 1, 1),
    ]
    for name in Counts.model_fields:
        if name not in ("total_devices", "total_removed_traits"):  # of a batch and of a logical file
            assert getattr(found.total, name) == getattr(receipt, name), name
    assert all(file.problems() == [] for file in found.files)
    assert [file.percent_success for file in found.files] == [67, 33]
    assert found.total.percent_success == 50
    assert found.total.codes == {"no_tab": 1, "pii_in_user_id": 1}
    assert found.files[0].request_id == batch.request_id


def test_bars_are_per_day_and_failed_is_what_was_not_stored(workspace):
    ingest(workspace, data(1, "u1\td_sid=2\nbroken\n"))
    ingest(workspace, data(2, "u1\td_sid=2\nu2\tnothing=1\n"), at=AT + timedelta(days=1))
    found = report(workspace, DAY, DAY + timedelta(days=1))
    assert [(day.day, day.successful, day.failed) for day in found.days] == [
        (DAY, 1, 1),
        (DAY + timedelta(days=1), 1, 1),
    ]
    assert len(report(workspace).files) == 1


def test_a_data_source_sees_files_of_its_ids_and_for_its_traits(workspace):
    ingest(workspace, data(1, "u1\td_sid=2\n"), data(2, "u1\td_sid=3\n", ids="21_33"))
    assert len(report(workspace, dpid=21).files) == 2
    assert [file.target for file in report(workspace, dpid=33).files] == [33]
    assert report(workspace, dpid=99).files == []


def test_a_report_of_nothing_has_no_percentage(workspace):
    found = report(workspace)
    assert (found.files, found.days, found.total.percent_success) == ([], [], None)


def test_dates_the_wrong_way_round_are_told(workspace):
    with pytest.raises(InputError) as caught:
        report(workspace, DAY, DAY - timedelta(days=1))
    assert caught.value.code == "bad_dates"


def test_refused_files_are_named(workspace):
    ingest(workspace, MemoryFile("ftp_dpm_21_1700000000.sync.gz", b"not gzip"), data(1, "u\td_sid=2"))
    assert [(one.file, one.error) for one in report(workspace).refused] == [
        ("ftp_dpm_21_1700000000.sync.gz", "corrupt_gzip")
    ]


# ── sampling ─────────────────────────────────────────────────────────────────────────────────────────────


def samples(workspace):
    return workspace.audience.reports.samples([file.file_no for file in report(workspace).files])


def test_nothing_is_sampled_until_it_is_switched_on(workspace):
    ingest(workspace, data(1, "broken\n"))
    assert samples(workspace) == []
    assert not report(workspace).files[0].error_sampling_active


def test_the_first_ten_of_each_kind_are_kept_with_code_and_line(workspace):
    workspace.audience.reports.switch_sampling("Source 33", is_on=True)
    lines = [f"broken {n}" for n in range(12)] + [f"ghost{n}\td_sid=3,colour=red" for n in range(11)]
    ingest(workspace, data(1, "\ufeff" + "\n".join(lines) + "\r\n", ids="33"))
    (file,) = samples(workspace)
    by_kind = {}
    for sample in file.samples:
        by_kind.setdefault(sample.type, []).append(sample)
    assert {kind: len(found) for kind, found in by_kind.items()} == {"format_errors": 10, "no_matching_aam_id": 10}
    first = by_kind["format_errors"][0]
    assert (first.line, first.code, first.user_id, first.payload) == (1, "no_tab", "broken 0", "")
    assert [sample.line for sample in by_kind["no_matching_aam_id"]] == list(range(13, 23))
    assert by_kind["no_matching_aam_id"][0].payload == "d_sid=3,colour=red"
    assert report(workspace).files[0].error_sampling_active


def test_a_wrong_device_id_says_what_was_expected_and_an_address_is_masked(workspace):
    workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    ingest(
        workspace,
        data(1, "not-a-guid\td_sid=2\n", ids="20914_21"),
        data(2, "asha@example.com\td_sid=2\nu1\tother=1\n"),
    )
    device, customer = samples(workspace)
    assert (device.samples[0].dpid, device.samples[0].user_id) == (20914, "not-a-guid")
    assert device.samples[0].expected == "a GUID in lower case (8-4-4-4-12)"
    assert [sample.type for sample in customer.samples] == ["format_errors", "no_trait_realized"]
    assert "asha@example.com" not in customer.model_dump_json()
    assert customer.samples[0].user_id.startswith("as")


def test_a_sample_of_an_odc_file_names_the_device_and_whose_id_it_is(workspace):
    workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    lines = "IDFA\tAEBE52E7-03EE-455A-B3C4-E57283966239\td_sid=2\nidfa\tnot-a-guid\td_sid=2\nother\tx\td_sid=2\n"
    ingest(workspace, data(1, lines, ids="odc_21"))
    (file,) = samples(workspace)
    unknown, wrong = file.samples
    assert (unknown.code, unknown.dpid, unknown.user_id) == ("odc_bad_id_type", 21, "other")
    assert (wrong.dpid, wrong.user_id, wrong.payload) == (20915, "not-a-guid", "d_sid=2")
    assert wrong.expected == "a GUID in upper case (8-4-4-4-12)"


def test_samples_lie_encrypted_and_go_with_their_pages(workspace, tmp_path):
    workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    ingest(workspace, data(1, "zanzibar-quokka\n"))
    with workspace.engine.session() as session:
        session.run("CHECKPOINT")
        assert session.value("SELECT count(*) FROM vault_page WHERE attribute_id = -1") == 1
    assert b"zanzibar-quokka" not in (tmp_path / "home" / "onramp.duckdb").read_bytes()
    with workspace.engine.write, workspace.engine.session() as session:
        assert sampling.let_go(session, AT + timedelta(days=29)) == 0
        assert sampling.let_go(session, AT + timedelta(days=31)) == 1
        assert session.value("SELECT count(*) FROM vault_page WHERE attribute_id = -1") == 0
    assert samples(workspace) == []


def test_a_clean_up_removes_samples_and_says_how_many(workspace):
    workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    ingest(workspace, data(1, "broken\n"), at=now() - timedelta(days=3))
    maintenance = workspace.operations.maintenance
    assert (maintenance.due()["audience_samples"], maintenance.due(2)["audience_samples"]) == (0, 1)
    assert maintenance.run(2)["removed"]["audience_samples"] == 1
    assert workspace.audience.reports.samples([1]) == []


def test_an_undone_batch_is_in_no_report(workspace):
    batch = ingest(workspace, data(1, "u1\td_sid=2\n"))
    workspace.audience.undo(batch.request_id)
    assert report(workspace).files == []
    assert workspace.audience.reports.ids(DAY, DAY).rates == []
    workspace.audience.redo(batch.request_id)
    assert len(report(workspace).files) == 1


def test_sampling_goes_off_after_fourteen_days(workspace):
    source = workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    until = workspace.audience.reports.sampled_until(source)
    assert timedelta(days=13, hours=23) < until - now() <= timedelta(days=14)
    source = workspace.audience.reports.switch_sampling("Source 21", is_on=False)
    assert workspace.audience.reports.sampled_until(source) is None
    settings = SourceSettings(sampling_until=AT + timedelta(days=14))
    assert sampling.is_on(settings, AT + timedelta(days=14) - timedelta(seconds=1))
    assert not sampling.is_on(settings, AT + timedelta(days=14))
    assert not sampling.is_on(SourceSettings(), AT)


def test_only_a_source_with_a_dpid_can_be_sampled(workspace):
    workspace.sources.add("CRM")
    with pytest.raises(InputError) as caught:
        workspace.audience.reports.switch_sampling("CRM", is_on=True)
    assert caught.value.code == "no_dpid"


def test_sampling_changes_no_counter(workspace):
    text = "broken\nu1\td_sid=2\nu2\tother=1\n"
    plain = workspace.audience.ingest([data(1, text)], BatchOptions(AT), is_dry_run=True)
    workspace.audience.reports.switch_sampling("Source 21", is_on=True)
    sampled = workspace.audience.ingest([data(1, text)], BatchOptions(AT), is_dry_run=True)
    assert plain.receipts == sampled.receipts


# ── unused signals ───────────────────────────────────────────────────────────────────────────────────────


def signals(workspace, days=10_000):
    found = workspace.audience.reports.unused_signals(days=days)
    return [(one["key"], one["value"], one["seen"]) for one in found]


def test_pairs_seen_a_hundred_times_a_day_are_reported_over_all_batches_of_the_day(workspace):
    once = "".join(f"u{n}\tcolour=red, size = S ,77,p_secret=1,mail=a@b.com\n" for n in range(50))
    ingest(workspace, data(1, once))
    assert signals(workspace) == []
    ingest(workspace, data(2, once.replace("u", "v", 0)))
    ingest(workspace, data(3, "u1\tsize=S\n"))
    assert signals(workspace) == [("size", "S", 101), ("ic", "77", 100)]


def test_an_undone_batch_takes_its_signals_along(workspace):
    ingest(workspace, data(1, "u1\tsize=S,shape=round\n" * 60))
    second = ingest(workspace, data(2, "u2\tsize=S\n" * 60)).request_id
    ingest(workspace, data(3, "u3\tshape=round\n" * 40))
    assert signals(workspace) == [("size", "S", 120), ("shape", "round", 100)]
    workspace.audience.undo(second)
    assert signals(workspace) == [("shape", "round", 100)]
    ingest(workspace, data(2, "u2\tsize=S\n" * 60))  # the same file again
    assert signals(workspace) == [("size", "S", 120), ("shape", "round", 100)]


def test_of_too_many_pairs_of_a_day_the_commonest_stay(workspace, monkeypatch):
    monkeypatch.setattr(unused, "MOST_PAIRS", 2)
    ingest(workspace, data(1, "u1\tsize=S\n" * 150 + "u1\tsize=M\n" * 20))
    ingest(workspace, data(2, "u1\tsize=L\n" * 120 + "u1\tsize=S\n" * 10))
    assert signals(workspace) == [("size", "S", 160), ("size", "L", 120)]
    with workspace.engine.session() as session:
        assert session.value("SELECT count(DISTINCT value) FROM am_unused_signal") == 2


def test_rare_pairs_go_when_their_day_is_over_and_all_after_45_days(workspace):
    often = "u1\tsize=S\n" * 100
    ingest(workspace, data(1, often + "u2\tsize=M\n"))
    with workspace.engine.write, workspace.engine.session() as session:
        assert unused.let_go(session, DAY) == 0
        assert unused.let_go(session, DAY + timedelta(days=1)) == 1
        assert unused.let_go(session, DAY + timedelta(days=44)) == 0
        assert unused.let_go(session, DAY + timedelta(days=45)) == 1


def test_a_refused_file_leaves_no_signals_and_no_report(workspace):
    good = gzip.compress(b"u1\tsize=S\n" * 200)
    ingest(workspace, MemoryFile("ftp_dpm_21_1700000001.sync.gz", good[:-4]))
    assert signals(workspace) == []
    assert report(workspace).files == []


# ── ids ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_match_rates_and_ids_that_are_nearly_known(workspace):
    ingest(workspace, MemoryFile("adobe_id_0_33_1700000000.sync", f"{UUID}\tUser123\n".encode()))
    text = (
        "User123\td_sid=3\nUSER123\td_sid=3\nUSER123\td_sid=3\n User123\td_sid=3\nuser123 \td_sid=3\nother\td_sid=3\n"
    )
    ingest(workspace, data(1, text + "+919812345678\td_sid=3\nasha@example.com\td_sid=3\n", ids="33"))
    found = workspace.audience.reports.ids(DAY, DAY, 33)
    assert [(rate.records, rate.matched) for rate in found.rates] == [(5, 1)]
    assert {(one.differs, one.ids, one.records) for one in found.nearly_known} == {
        ("case", 1, 2),
        ("spaces", 1, 1),
        ("spaces and case", 1, 1),
    }
    assert {one.known_id for one in found.nearly_samples} == {"User123"}
    assert [(one.looks_like, one.records) for one in found.personal] == [("e-mail", 1), ("telephone number", 1)]
    assert "9812345678" not in found.model_dump_json()


def test_a_cross_device_source_matches_what_is_mapped(workspace):
    ingest(workspace, MemoryFile("adobe_id_0_21_1700000000.sync", f"{UUID}\tu1\n".encode()))
    ingest(workspace, data(1, "u1\td_sid=2\nu2\td_sid=2\nu3\tother=1\n"))
    (rate,) = workspace.audience.reports.ids(DAY, DAY).rates
    assert (rate.records, rate.matched) == (2, 1)
    assert isinstance(rate.day, date)


# ── mail ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_recipients_of_the_data_source_get_the_receipt_once(workspace):
    source = workspace.sources.get("Source 21")
    workspace.sources.update(
        source.source_id, settings=source.settings.model_copy(update={"recipients": ("ops@example.com",)})
    )
    batch = ingest(workspace, data(1, "u1\td_sid=2\nbroken\n"))
    ingest(workspace, data(2, "c1\td_sid=3\n", ids="33"))  # nobody listens
    workspace.audience.ingest([data(3, "u1\td_sid=2\n")], BatchOptions(AT), is_dry_run=True)
    with workspace.engine.session() as session:
        ((request_id, letter),) = session.rows("SELECT request_id, letter FROM notice")
        assert session.rows("SELECT recipient FROM notice_sending") == [("ops@example.com",)]
    letter = Letter.model_validate_json(letter)
    rows = dict(letter.rows)
    assert request_id == batch.request_id
    assert "Server-To-Server Processing Result" in letter.subject
    assert (rows["File name"], rows["Records received"], rows["Format Errors"]) == (
        "ftp_dpm_21_1700000001.sync",
        "2",
        "1",
    )
    assert batch.request_id in letter.path


def told(workspace, **recipients):
    """Each data source has its own people; afterwards: recipient → titles of what they were told."""
    for name, address in recipients.items():
        source = workspace.sources.get(name.replace("_", " "))
        settings = source.settings.model_copy(update={"recipients": (address,)})
        workspace.sources.update(source.source_id, settings=settings)

    def found():
        with workspace.engine.session() as session:
            rows = session.rows("SELECT recipient, letter FROM notice_sending JOIN notice USING (notice_id)")
        return sorted((recipient, Letter.model_validate_json(letter).title) for recipient, letter in rows)

    return found


def test_a_batch_in_which_every_file_was_refused_is_told_by_the_names_that_can_be_read(workspace):
    found = told(workspace, Source_21="ops@example.com", Source_33="ids@example.com")
    ingest(
        workspace, MemoryFile("ftp_dpm_21_1700000001.sync.gz", b"no gzip"),
        MemoryFile("ftp_dpm_21_1700000002.sync", b""), MemoryFile("adobe_id_0_33_1700000003.sync", b""),
        MemoryFile("ftp_dmp_21.sync", b"x"),
    )  # fmt: skip
    assert found() == [
        ("ids@example.com", "1 file was refused as a whole"), ("ops@example.com", "2 files were refused as a whole"),
    ]  # fmt: skip


def test_a_refused_file_stands_in_the_letter_of_the_files_that_were_taken(workspace):
    found = told(workspace, Source_21="ops@example.com")
    ingest(workspace, data(1, "u1\td_sid=2\n"), MemoryFile("ftp_dpm_21_1700000002.sync.gz", b"no gzip"))
    assert found() == [("ops@example.com", "1 of 1 records stored")]
    with workspace.engine.session() as session:
        letter = Letter.model_validate_json(session.value("SELECT letter FROM notice"))
    assert "corrupt_gzip" in dict(letter.rows)["Refused: ftp_dpm_21_1700000002.sync.gz"]
    assert letter.tone == "warning"


def test_the_receipt_of_an_id_sync_goes_to_the_people_of_all_its_columns(workspace):
    found = told(workspace, Source_21="ops@example.com", Source_33="ids@example.com")
    rows = f"{UUID}\tu1\tck\nbroken\n"
    ingest(workspace, MemoryFile("adobe_id_0_21_33_1700000000.sync", rows.encode()))
    title = "1 of 2 rows of ids found their device"
    assert found() == [("ids@example.com", title), ("ops@example.com", title)]
    with workspace.engine.session() as session:
        letter = dict(Letter.model_validate_json(session.value("SELECT letter FROM notice LIMIT 1")).rows)
    assert (letter["Rows received"], letter["Format Errors"], letter["Stored Records"]) == ("2", "1", "1")


def test_ids_that_browsers_sent_are_told_to_nobody(workspace):
    found = told(workspace, Source_33="ids@example.com")
    sync = MemoryFile("adobe_id_0_33_1700000000.sync", f"{UUID}\tck\n".encode())
    workspace.audience.ingest([sync], BatchOptions(AT, keeps_files=False))
    assert found() == []
