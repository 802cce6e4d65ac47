"""From dropping an .overwrite file with mistakes to its receipt and the status report."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import click_middle, until

NAME = "ftp_dpm_478_1790000000.overwrite"
LINES = (
    "u1\td_sid=1,d_sid=2",
    "u2\tcolour=red",
    "u3\td_sid=1,d_unsid=2",
    "no tab here",
    "asha@example.com\td_sid=1",
    "u4\td_sid=one",
    "u5\tsize=S",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory, repository):
    """A server with one data source, two traits, and error sampling on."""
    home = tmp_path_factory.mktemp("audience") / "home"
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
        workspace.audience.traits.add("Buyer", 478, trait_id=1)
        workspace.audience.traits.add("Likes red", 478, trait_id=2, rule='colour == "red"')
        workspace.audience.reports.switch_sampling("CRM ids", is_on=True)
    with served(home, repository) as at:
        yield at


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    opened = context.new_page()
    opened.goto(f"{address}/am_files")
    yield opened
    context.close()


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_from_a_file_with_mistakes_to_receipt_and_report(page, address, tmp_path):
    file = tmp_path / NAME
    file.write_text("\n".join(LINES) + "\n", "utf-8")

    page.get_by_role("button", name="Process files").first.click()
    expect(page.get_by_text("What we expect")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(str(file))

    expect(page.get_by_text("Some of it will be left out")).to_be_visible()
    expect(page.get_by_text("3 of 7 records would be stored.")).to_be_visible()
    page.reload()  # nothing is lost
    expect(page.get_by_text("3 of 7 records would be stored.")).to_be_visible()

    page.get_by_role("button", name="Process 1 file").dblclick()
    expect(page.get_by_text("3 of 7 records stored.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/am_receipt\?receipt=\d{8}-[A-Z0-9]{8}"))
    receipt = page.url
    tab(page, "All counters")
    expect(page.get_by_text("7 received = 3 stored + 1 no trait realized + 3 format errors")).to_be_visible()
    tab(page, "Refused lines")
    expect(page.get_by_text(f"{NAME}: 4 samples")).to_be_visible()
    assert "asha@example.com" not in page.content()

    page.goto(f"{address}/am_files")
    expect(page.get_by_text("1 batch.")).to_be_visible()  # of two clicks

    page.goto(f"{address}/am_report")
    expect(page.get_by_text("Records per day")).to_be_visible()
    bar = page.locator(".js-plotly-plot .point").first
    bar.wait_for()
    day = re.compile(r"day=\d{4}-\d\d-\d\d")
    until(page, lambda timeout: page.wait_for_url(day, timeout=timeout), lambda: click_middle(page, bar))
    expect(page.get_by_role("button", name="show all days")).to_be_visible()
    page.goto(receipt)
    expect(page.get_by_text("3 of 7 records stored.")).to_be_visible()


def test_the_same_file_again_is_refused_and_says_why(page, address, tmp_path):
    file = tmp_path / NAME
    file.write_text("\n".join(LINES) + "\n", "utf-8")
    page.get_by_role("button", name="Process files").first.click()
    page.locator("input[type=file]").first.set_input_files(str(file))
    expect(page.get_by_text("1 file would be refused.")).to_be_visible()
    expect(page.get_by_text("File already processed")).to_be_visible()
