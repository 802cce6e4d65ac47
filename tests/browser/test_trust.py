"""An upload is taken back and let in again, its people are looked at, and one that is far off is let in by a person."""

from __future__ import annotations

from playwright.sync_api import expect

from ingest_core.models import Options, SourceSettings
from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import click_cell, figure, heading, press, settled, until


def test_trust(page, outside, tmp_path, repository):
    home = tmp_path / "home"
    with served(home, repository) as server:
        page.goto(server)
        press(page, "Load sample data")
        expect(page.get_by_role("button", name="New source")).to_be_visible()
        settled(page)
        before = profiles(page)
        first = oldest_upload(page, server)
        take_back(page, server, first)
        page.goto(server)
        heading(page, "Sources")
        settled(page)
        assert profiles(page) < before
        let_count_again(page, server, first)
        page.goto(server)
        heading(page, "Sources")
        settled(page)
        assert profiles(page) == before
        look_at_somebody(page, server, first)
    hold_an_upload(home)
    with served(home, repository) as server:
        approve(page, server)
    assert outside == []


def profiles(page):
    return int(figure(page, "Profiles").replace(",", ""))


def oldest_upload(page, server):
    page.goto(f"{server}/history")
    heading(page, "Upload history")
    cell = page.get_by_test_id("glide-cell-0-2")
    expect(cell).to_be_attached()
    return cell.inner_text().strip()


def take_back(page, server, request_id):
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "customers.tsv")
    press(page, "Undo")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("people disappear")
    expect(dialog).to_contain_text("cannot be called back")
    settled(page)
    dialog.get_by_role("button", name="Take it back").dblclick()
    expect(page.get_by_text("Undone by Asha Menon")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def let_count_again(page, server, request_id):
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "customers.tsv")
    press(page, "Undo the undo")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("people come back")
    settled(page)
    dialog.get_by_role("button", name="Let it count again").click()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    expect(page.get_by_text("Undone by Asha Menon")).to_have_count(0)


def look_at_somebody(page, server, request_id):
    """From the people of the upload to one of them, to the history of a value and back to the upload."""
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "customers.tsv")
    settled(page)
    page.get_by_role("tab", name="Profiles changed").click()
    expect(page.get_by_text("Personal data is masked.")).to_be_visible()
    dialog = page.get_by_role("dialog")
    look(page, page, 20, dialog)
    expect(dialog.get_by_text("Customer ID").first).to_be_attached()
    settled(page)
    look(page, dialog, -50, dialog.get_by_role("button", name="All values"))
    expect(dialog).to_contain_text("Today's value")
    settled(page)
    dialog.get_by_role("link", name="Upload").first.click()
    expect(page.get_by_text("Where the rows went")).to_be_visible()


def look(page, place, x, wanted):
    """Clicks a button in the first row of the first table there."""
    grid = place.get_by_test_id("data-grid-canvas").first
    until(page, lambda timeout: wanted.wait_for(timeout=timeout), lambda: click_cell(page, grid, x))


def hold_an_upload(home):
    """As if a file had come by itself while nobody looked."""
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.get("Store visits")
        source = workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=30))
        mapping = workspace.mappings.current(source)
        names = [column.column for column in mapping.columns]
        key = next(column.column for column in mapping.columns if column.attribute == "crmid")
        rows = ["\t".join(f"K{i}" if name == key else "" for name in names) for i in range(30)]
        data = "\n".join(["\t".join(names), *rows, ""]).encode()
        writer = workspace.landing.create("visits.tsv", len(data))
        writer.write(data)
        request_id = workspace.jobs.submit(writer.finish(), source, mapping, Options(), idempotency_key="k")
        workspace.jobs.run_waiting()
        assert workspace.history.get(request_id).held


def approve(page, server):
    page.goto(server)
    heading(page, "Sources")
    expect(page.get_by_text("Waits for approval").first).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Look at it").click()
    heading(page, "visits.tsv")
    expect(page.get_by_text("30 rows instead of")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Load it anyway").click()
    expect(page.get_by_text("Where the rows went")).to_be_visible()
    settled(page)
    assert figure(page, "Profiles created") == "30"
