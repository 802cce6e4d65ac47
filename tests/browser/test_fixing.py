"""From a bad file to fixed rows: cells are corrected after a click on a reason, survive a reload, and are loaded."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError, expect

from ingest_core.files import PathSource
from ingest_core.models import ColumnMapping, Mapping, Options
from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import PATIENCE, click_cell, click_middle, figure, heading, press, settled, until

ROWS = "cust_id\temail_addr\tcity\n" + "".join(f"C{i}\tperson{i}@example.com\tPune\n" for i in range(10))
BAD = "C90\tmeera(at)example.com\tChennai\nC91\tlena(at)example.com\tDelhi\n\t\tMumbai\n"


@pytest.fixture
def bad_file(tmp_path, repository):
    """(address, request id) of an upload that rejected three rows."""
    home, path = tmp_path / "home", tmp_path / "contacts.tsv"
    path.write_text(ROWS + BAD, "utf-8")
    columns = {"cust_id": "crmid", "email_addr": "email", "city": "city"}
    mapping = Mapping(columns=tuple(ColumnMapping(column=name, attribute=to) for name, to in columns.items()))
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.add("CRM contacts")
        receipt = workspace.loads.load(workspace.plan(PathSource(path), source, mapping, Options()))
        assert receipt.rejected == 3
    with served(home, repository) as address:
        yield address, receipt.request_id


def click_reason(page, title):
    plot = page.locator(".js-plotly-plot").filter(has_text="No identifier in the row")
    expect(plot).to_have_count(1, timeout=60_000)

    def click():
        names = [label.strip() for label in plot.locator(".ytick text").all_text_contents()]
        click_middle(page, plot.locator(".point path").nth(names.index(title)))

    until(page, lambda timeout: page.wait_for_url(re.compile("reason="), timeout=timeout), click)


def edit(page, row, text):
    """Types into the first column to correct."""
    cell = page.get_by_test_id(f"glide-cell-3-{row}").first
    editor = page.get_by_test_id("portal").locator("textarea")

    def write():
        page.keyboard.press("Escape")  # out of what an earlier try left open
        click_cell(page, page.get_by_test_id("data-grid-canvas").first, 420, row)
        with suppress(TimeoutError):
            editor.wait_for(timeout=1_000)  # a click opens the cell that is chosen already
        if not editor.is_visible():
            page.keyboard.press("Enter")
        editor.fill(text, timeout=PATIENCE)
        editor.press("Enter", timeout=PATIENCE)

    until(page, lambda timeout: expect(cell).to_have_text(text, timeout=timeout), write)
    settled(page)


def test_from_a_bad_file_to_fixed_rows(bad_file, page, outside):
    server, request_id = bad_file
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "contacts.tsv")
    click_reason(page, "Not an e-mail address")
    expect(page.get_by_text("2 rejected rows.")).to_be_visible()

    page.get_by_text("Fix rows").click()
    expect(page.get_by_text("No row is edited yet.")).to_be_visible()
    edit(page, 0, "meera@example.com")
    expect(page.get_by_text("1 of 1 edited row would be stored now: 1 new")).to_be_visible()

    page.reload()  # nothing that was typed is lost
    heading(page, "contacts.tsv")
    expect(page.get_by_text("1 of 1 edited row would be stored now: 1 new")).to_be_visible()
    expect(page.get_by_test_id("glide-cell-3-0").first).to_have_text("meera@example.com")
    edit(page, 1, "still no address")
    expect(page.get_by_text("1 of 2 edited rows would be stored now")).to_be_visible()
    expect(page.get_by_text("Still wrong after your edits")).to_be_visible()
    edit(page, 1, "lena@example.com")
    expect(page.get_by_text("2 of 2 edited rows would be stored now: 2 new")).to_be_visible()

    settled(page)
    page.get_by_role("button", name="Load 2 fixed rows").dblclick()
    heading(page, "contacts-fixed.csv")
    expect(page.get_by_text("Corrected rows that were rejected from contacts.tsv")).to_be_visible()
    expect(page.get_by_text("Where the rows went")).to_be_visible()
    settled(page)
    assert (figure(page, "Profiles created"), figure(page, "Rejected")) == ("2", "0")

    page.get_by_role("link", name=f"Upload {request_id}").click()
    heading(page, "contacts.tsv")
    expect(page.get_by_text("2 rows were fixed and loaded")).to_have_count(1)
    expect(page.get_by_text("No row of this reason is left to fix.")).to_be_visible()
    assert outside == []


def test_one_change_to_many_rows(bad_file, page):
    server, request_id = bad_file
    page.goto(f"{server}/upload?upload={request_id}&fix=true&reason=Not+an+e-mail+address")
    heading(page, "contacts.tsv")
    press(page, "Change many rows")
    page.get_by_role("textbox", name="Find").fill("(at)")
    page.get_by_role("textbox", name="Replace with").fill("@")
    page.get_by_role("button", name="Change 2 rows").click()
    expect(page.get_by_text("2 of 2 edited rows would be stored now: 2 new")).to_be_visible()
