"""From an empty workspace to the result of an upload, as a person does it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import served
from tests.browser.hands import PATIENCE, click_cell, figure, heading, onward, press, settled, until

HEADER = "cust_id\temail_addr\tfname\tlname\tdob\tcity\tref_2"


NAMES = ("Asha", "Rahul", "Meera", "Imran", "Lena", "Jonas", "Chloé", "Tomás")


def make_file(path, people=40, bad=4):
    """``people`` good rows, two kinds of bad ones ``bad`` times each, one more row of a person, one blank line."""
    rows = [HEADER]
    for i in range(people):
        first, last = NAMES[i % 8], NAMES[(i + 3) % 8] + "son"
        rows.append(f"C{i}\tperson{i}@example.com\t{first}\t{last}\t0{1 + i % 9}/0{1 + i % 8}/1990\tPune\tA{i}")
    rows += [f"C{i}\tnot an address\tMeera\tIyer\t01/02/1990\tPune\tB" for i in range(100, 100 + bad)]
    rows += ["\t\tNobody\tAtAll\t01/02/1990\tPune\tB" for _ in range(bad)]
    rows += ["C0\tperson0@example.com\tAsha\tImranson\t01/01/1990\tThane\tA0", ""]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def at_choose(page, server):
    """The first step of an ingest, in a workspace that has a source or not."""
    page.goto(server)
    expect(page.get_by_role("button", name=re.compile("Create a source|New source")).first).to_be_visible()
    if page.get_by_role("button", name="Create a source").count():
        create_source(page)
    else:
        page.goto(f"{server}/source?source=1")
    heading(page, "Store purchases")
    press(page, "Ingest")
    heading(page, "Choose a file")


def create_source(page):
    press(page, "Create a source")
    page.get_by_label("Name").fill("Store purchases")
    expect(page.get_by_text("This name is free.")).to_be_visible()
    press(page, "Create source")
    heading(page, "Store purchases")


@pytest.fixture
def empty(tmp_path, repository):
    """The address of an Onramp in which nobody has done anything yet."""
    with served(tmp_path / "home", repository) as address:
        yield address


def test_the_whole_way_of_a_first_upload(empty, page, outside, tmp_path):
    page.goto(empty)
    heading(page, "Sources")
    create_source(page)

    press(page, "Ingest")
    heading(page, "Choose a file")
    page.locator("input[type=file]").set_input_files(make_file(tmp_path / "purchases.tsv"))
    heading(page, "Check the file")
    expect(page.get_by_test_id("stMetric").filter(has_text="Blank lines")).to_be_visible()
    settled(page)
    assert (figure(page, "Rows"), figure(page, "Columns"), figure(page, "Blank lines")) == ("49", "7", "1")

    onward(page, "match")
    expect(page.get_by_text("Decide: dob")).to_be_visible()
    expect(page.get_by_role("button", name="Continue to options")).to_be_disabled()
    page.get_by_text(re.compile("^Day/month/year")).click()
    press(page, "Use this")
    expect(page.get_by_text("Decide: ref_2")).to_be_visible()

    page.reload()  # nothing that was chosen is lost
    heading(page, "Match columns to attributes")
    expect(page.get_by_text("Decide: ref_2")).to_be_visible()
    press(page, "Skip this column")
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()

    onward(page, "options")
    onward(page, "run")
    load = page.get_by_role("button", name="Load 41 rows")
    expect(load).to_be_visible()
    expect(page.get_by_text("40 new, 0 updated, 0 unchanged, 8 rejected, 1 more of the same people")).to_be_visible()
    expect(page.get_by_role("heading", name="Who becomes one with whom")).to_be_visible()
    expect(page.get_by_text("No known profiles become one, and every identifier joins whom it should.")).to_be_visible()
    settled(page)
    load.click()

    expect(page.get_by_text("Completed with rejects").first).to_be_visible()
    heading(page, "purchases.tsv")
    settled(page)
    assert figure(page, "Rows in file") == "49"
    assert figure(page, "Profiles created") == "40"
    assert figure(page, "Rejected") == "8"
    expect(page.get_by_text("50 lines = 1 blank + 40 stored + 8 rejected + 1 duplicates.")).to_be_visible()
    expect(page.get_by_test_id("glide-cell-0-0")).to_have_text("42")

    with page.expect_download() as download:
        press(page, "Download rejects")
        page.get_by_role("button", name="Exactly as in the file (TSV)").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) == 1 + 8
    assert lines[0].endswith(HEADER)
    assert "not an address" in lines[1]

    page.goto(empty)
    heading(page, "Sources")
    settled(page)
    assert (figure(page, "Profiles"), figure(page, "Rows rejected, 7 days")) == ("40", "8")
    assert outside == []


def test_a_file_over_the_limit_is_refused_before_it_is_sent(server, page, outside, tmp_path):
    at_choose(page, server)
    large = tmp_path / "large.tsv"
    with large.open("wb") as file:
        file.truncate(40_000_001)
    page.locator("input[type=file]").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    assert outside == []


def test_an_upload_goes_on_after_a_lost_connection(server, page, tmp_path):
    at_choose(page, server)
    cut = []

    def cut_first(route):
        if not cut:
            cut.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/upload/*", cut_first)
    page.locator("input[type=file]").set_input_files(make_file(tmp_path / "again.tsv", people=60))
    expect(page.get_by_text("The connection was lost")).to_be_visible()
    heading(page, "Check the file")
    assert len(cut) == 1


def test_an_edit_in_the_grid_is_saved_and_undone(server, page, tmp_path):
    at_choose(page, server)
    page.locator("input[type=file]").set_input_files(make_file(tmp_path / "edited.tsv", people=50))
    heading(page, "Check the file")
    onward(page, "match")
    settled(page)
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    choose_attribute(page, "city", "Region")
    expect(undo).to_be_enabled()
    page.reload()
    heading(page, "Match columns to attributes")
    settled(page)
    assert attribute_of(page, "city") == "Region"
    undo.click()
    expect(cell(page, "city")).to_have_text("City")
    settled(page)
    expect(undo).to_be_disabled()


ROWS = HEADER.split("\t")


def cell(page, column):
    return page.get_by_test_id(f"glide-cell-3-{ROWS.index(column)}")


def attribute_of(page, column):
    expect(cell(page, column)).to_be_attached()
    return cell(page, column).inner_text().strip()


def choose_attribute(page, column, attribute):
    """Selects the cell, types into its list and picks what is left."""
    option = page.get_by_role("option", name=attribute, exact=True)

    def choose():
        page.keyboard.press("Escape")
        click_cell(page, page.get_by_test_id("data-grid-canvas"), 400, ROWS.index(column), height=37)
        expect(cell(page, column)).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
        page.keyboard.press("Enter")
        page.keyboard.type(attribute)
        option.click(timeout=PATIENCE)

    until(page, lambda timeout: expect(cell(page, column)).to_have_text(attribute, timeout=timeout), choose)
    settled(page)


def test_an_unknown_upload_is_a_message_with_a_next_move(server, page):
    page.goto(f"{server}/upload?upload=nope")
    expect(page.get_by_test_id("stAlert")).to_contain_text("There is no upload with this Request ID")
    assert "Traceback" not in page.content()


def test_every_page_fits_a_phone(server, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    try:
        for path in ("", "history", "attributes", "profiles", "segments", "settings", "source?source=1"):
            page.goto(f"{server}/{path}")
            expect(page.get_by_role("heading", level=1).first).to_be_visible()
            settled(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    finally:
        context.close()
