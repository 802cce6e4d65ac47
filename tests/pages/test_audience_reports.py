"""The status report and the ID match page: filters in the URL, tables that add up, sampling by a click."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import texts

UUID = "59767559181262060060278870901087098252"


@pytest.fixture
def audience(workspace):
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    workspace.sources.add("Cookies", kind="data_source", dpid=33, id_type="cookie")
    workspace.audience.traits.add("Buyer", 478, trait_id=2)
    workspace.audience.traits.add("Visitor", 33, trait_id=3)
    return workspace.audience


@pytest.fixture
def processed(audience):
    audience.reports.switch_sampling("CRM ids", is_on=True)
    yesterday = now() - timedelta(days=1)
    old = [MemoryFile("ftp_dpm_478_1790000000.sync", b"u1\td_sid=2\nbroken\n")]
    audience.ingest(old, BatchOptions(yesterday))
    sync = MemoryFile("adobe_id_0_33_1790000001.sync", f"{UUID}\tUser1\n".encode())
    audience.ingest([sync], BatchOptions(now()))
    files = [
        MemoryFile("ftp_dpm_478_1790000002.sync", b"asha@example.com\td_sid=2\nu2\tsize=S\n" + b"u3\tsize=S\n" * 100),
        MemoryFile("ftp_dpm_33_1790000002.sync", b"User1\td_sid=3\nUSER1\td_sid=3\n"),
    ]
    audience.ingest(files, BatchOptions(now()))
    return audience


def rows(page):
    return page.dataframe[0].value.set_index("file")


def test_an_empty_report_says_so(open_page, audience):
    assert "No files in these days" in texts(open_page("am_report"))


def test_files_are_rows_and_the_aggregate_row_adds_them_up(open_page, processed):
    found = rows(open_page("am_report"))
    total = found.loc["All 3 files"]
    assert (total["stored_records"], total["format_errors"], total["no_matching_aam_id"]) == (2, 2, 1)
    assert list(found["sampling"]) == ["", "Yes", "No", "Yes"]
    shares = rows(open_page("am_report", tab="Totals & percentages"))
    assert shares.loc["ftp_dpm_33_1790000002.sync", "success"] == "50 %"


def test_source_and_day_come_from_the_url(open_page, processed):
    assert list(rows(open_page("am_report", data_source="Cookies (33)")).index) == [
        "All 1 file",
        "ftp_dpm_33_1790000002.sync",
    ]
    day = (now() - timedelta(days=1)).date().isoformat()
    page = open_page("am_report", day=day)
    assert list(rows(page).index) == ["All 1 file", "ftp_dpm_478_1790000000.sync"]
    page.button(key="all_days").click().run()
    assert len(rows(page)) == 4


def test_a_day_that_is_none_is_no_fault(open_page, processed):
    assert len(rows(open_page("am_report", day="yesterday"))) == 4


def test_samples_are_masked_and_sampling_is_switched_by_a_click(open_page, processed):
    page = open_page("am_report", tab="Error samples", data_source="CRM ids (478)")
    samples = [row for table in page.dataframe for row in table.value.to_dict("records")]
    assert {row["code"] for row in samples} >= {"Tab missing", "E-mail address as user id"}
    assert not any("asha@example.com" in str(row) for row in samples)
    page.button(key="switch_sampling").click().run()
    assert "Error sampling is off" in texts(page)


def test_unused_signals_are_listed(open_page, processed):
    page = open_page("am_report", tab="Unused signals")
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["key"], row["value"], row["seen"]) == ("size", "S", 101)


def test_id_match_shows_rates_and_nearly_known_ids(open_page, processed):
    page = open_page("am_ids", data_source="Cookies (33)")
    assert [metric.value for metric in page.metric][:3] == ["50 %", "1", "1"]
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["id"], row["known_id"], row["differs"]) == ("USER1", "User1", "case")


def test_id_match_without_files_is_empty(open_page, audience):
    assert "No ids in these days" in texts(open_page("am_ids"))
