"""Audience Manager files: checked, processed once, and their receipts found again by the URL."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.clock import now
from pages.audience import originals
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import press_inside, texts

NAME = "ftp_dpm_478_1790000000.overwrite"
TEXT = "u1\td_sid=2\nu2\td_sid=2,size=S\nbroken\nasha@example.com\td_sid=2\nu3\tsize=S\n"


@pytest.fixture
def audience(workspace):
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    workspace.sources.add("Cookies", kind="data_source", dpid=33, id_type="cookie")
    workspace.audience.traits.add("Buyer", 478, trait_id=2)
    return workspace.audience


@pytest.fixture
def held(workspace, audience):
    writer = workspace.landing.create(NAME)
    writer.write(TEXT.encode())
    file = ReceivedFile(landing_id=writer.finish(), name=NAME, size=len(TEXT))
    return workspace.received.add(workspace.received.begin().inbound_id, file)


@pytest.fixture
def batch(audience):
    return audience.ingest([MemoryFile(NAME, TEXT.encode()), MemoryFile("ftp_dmp_1.sync", b"x")], BatchOptions(now()))


def receipts(page):
    return list(page.dataframe[0].value["request_id"]) if page.dataframe else []


def test_without_files_there_is_one_sentence_and_a_button(open_page, audience):
    page = open_page("am_files")
    assert "No Audience Manager files yet" in texts(page)
    page.button(key="process_first").click().run()
    assert not page.exception
    assert "What we expect" in texts(page)


def test_a_received_file_says_what_it_is_and_what_would_happen(open_page, held):
    page = open_page("am_batch", received=held.inbound_id)
    shown = texts(page)
    assert "A data file with ids of CRM ids" in shown
    assert "Some of it will be left out" in shown
    assert "2 of 5 records would be stored" in shown
    (problems,) = (table.value for table in page.dataframe)
    assert list(problems["problem"])[:2] == ["Tab missing", "E-mail address as user id"]
    assert "asha@example.com" not in shown


def test_a_second_click_processes_nothing_again_and_leads_to_the_receipt(open_page, workspace, held):
    page = open_page("am_batch", received=held.inbound_id)
    page.button(key="process").click().run()
    workspace.received.process(held.inbound_id)  # the other click
    assert "Waiting for its turn" in texts(open_page("am_batch", received=held.inbound_id))
    workspace.receiving.turn(lambda: False)
    page = open_page("am_batch", received=held.inbound_id)
    (found,) = workspace.audience.receipts()
    assert f"Receipt {found.request_id}" in [title.value.replace("\\", "") for title in page.title]


def test_beta_shows_its_figures_and_stores_nothing(open_page, workspace, held):
    workspace.received.process(held.inbound_id, "beta")
    workspace.receiving.turn(lambda: False)
    page = open_page("am_batch", received=held.inbound_id)
    assert "nothing was stored" in page.info[0].value
    assert "0 of 5 records stored" in texts(page)
    assert workspace.audience.receipts() == []


def test_a_discarded_basket_is_gone(open_page, workspace, held):
    page = open_page("am_batch", received=held.inbound_id)
    page.button(key="discard").click().run()
    assert not page.exception
    assert workspace.received.open() == []
    assert workspace.landing.ids() == []


def test_a_basket_that_is_not_there_is_told(open_page, audience):
    page = open_page("am_batch", received="nothing")
    assert page.error


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, True),
        ({"find_file": "OVERWRITE"}, True),
        ({"find_file": "nothing"}, False),
        ({"refused": "true"}, True),
        ({"of_source": "CRM ids (478)"}, True),
        ({"of_source": "Cookies (33)"}, False),
    ],
)
def test_receipts_are_found_by_the_url(open_page, batch, params, found):
    assert receipts(open_page("am_files", **params)) == ([batch.request_id] if found else [])


def test_a_receipt_shows_every_counter_and_why_a_file_was_refused(open_page, batch):
    page = open_page("am_receipt", receipt=batch.request_id, part="All counters")
    shown = texts(page)
    assert "2 of 5 records stored; 1 file refused" in shown
    assert "5 received = 2 stored + 1 no trait realized + 2 format errors" in shown
    assert "Unknown kind of file" in shown or "bad_prefix" in shown.replace("\\", "")
    fields = dict(zip(page.dataframe[0].value["field"], page.dataframe[0].value["value"], strict=True))
    assert fields["Total unused signals"] == 2


def test_an_unknown_receipt_is_told(open_page, audience):
    assert open_page("am_receipt", receipt="20990101-AAAAAAAA").error


def test_names_of_files_are_shown_as_they_are(open_page, audience):
    audience.ingest([MemoryFile("**bold** <b>x</b>.sync", b"u\td_sid=2\n")], BatchOptions(now()))
    (found,) = audience.receipts()
    page = open_page("am_receipt", receipt=found.request_id)
    assert not any("**bold** <b>" in element.value for element in page.markdown)


def test_a_batch_is_taken_back_after_a_look_at_what_would_change(open_page, audience, batch):
    page = open_page("am_receipt", receipt=batch.request_id)
    page.button(key="undo").click().run()
    assert [metric.delta for metric in page.metric][-3:] == ["-2", "-2", "0"]
    press_inside(page, "undo", "confirm_undo")
    assert audience.receipt(batch.request_id).undone_by == "Asha Menon"
    shown = texts(open_page("am_receipt", receipt=batch.request_id))
    assert "Nothing of this batch counts now" in shown
    assert audience.reports.status(now().date(), now().date()).files == []


def test_files_are_there_as_they_came_and_taking_one_is_written_down(open_page, workspace, batch):
    page = open_page("am_receipt", receipt=batch.request_id, part="As they came")
    shown = page.dataframe[-1].value
    assert set(shown["file"]) == {NAME, "ftp_dmp_1.sync"}
    assert dict(zip(shown["file"], shown["state"], strict=True))[NAME] == "Processed"
    assert page.selectbox(key="original").options == list(shown["file"])
    assert originals._bytes(batch.request_id, NAME) == TEXT.encode()
    assert "audit log" in texts(page)


def test_a_receipt_whose_files_are_gone_does_not_offer_them(open_page, workspace, batch):
    workspace.operations.maintain(0)
    page = open_page("am_receipt", receipt=batch.request_id)
    assert "As they came" not in [tab.label for tab in page.tabs]
