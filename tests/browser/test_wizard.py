"""The wizard under way: questions, reloads in the middle, a connection that is cut, the inbox, two windows."""

from __future__ import annotations

import os
import re
import time

import pytest
from playwright.sync_api import expect

from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import figure, heading, onward, press, settled
from tests.browser.test_journey import create_source

AMBIGUOUS = "crmid\tsigned_up\tcity\n" + "".join(f"C{i}\t0{1 + i % 9}/0{1 + i % 8}/2025\tPune\n" for i in range(30))


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def address(home, repository):
    """A server of its own, whose folder is looked at afterwards."""
    with served(home, repository) as found:
        yield found


@pytest.fixture
def at_choose(address, page):
    """The first step of a new source; returns the address of the draft."""
    page.goto(address)
    create_source(page)
    press(page, "Ingest")
    heading(page, "Choose a file")
    expect(page.get_by_text("Drop a file here")).to_be_visible()
    return page.url


def write(path, text):
    path.write_text(text, "utf-8")
    return path


def send(page, path):
    page.locator("input[type=file]").set_input_files(path)
    heading(page, "Check the file")
    settled(page)


def again(page, title):
    """A reload in the middle."""
    page.reload()
    heading(page, title)
    settled(page)


def test_ambiguous_dates_are_asked_answered_and_loaded_as_answered(home, repository, page, outside, tmp_path):
    with served(home, repository) as address:
        page.goto(address)
        create_source(page)
        press(page, "Ingest")
        heading(page, "Choose a file")
        send(page, write(tmp_path / "signed_up.tsv", AMBIGUOUS.replace("signed_up", "birth_date")))
        onward(page, "match")
        expect(page.get_by_text("Decide: birth_date")).to_be_visible()
        expect(page.get_by_text("30 of 30 values fit more than one date format.", exact=True)).to_be_visible()
        expect(page.get_by_text("30 values fit", exact=True)).to_have_count(2)
        expect(page.get_by_role("button", name="Continue to options")).to_be_disabled()
        page.get_by_text(re.compile("^Month/day/year")).click()
        press(page, "Use this")
        expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()
        onward(page, "options")
        onward(page, "run")
        press(page, "Load 30 rows")
        heading(page, "signed_up.tsv")
        expect(page.get_by_text("Completed").first).to_be_visible()
    with Workspace.open(home) as workspace:  # the server is gone
        shown = workspace.profiles.show("crmid", "C1", reveal=True)
        assert shown["attributes"]["birth_date"]["value"] == "2025-02-02"
        assert workspace.profiles.show("crmid", "C2", reveal=True)["attributes"]["birth_date"]["value"] == "2025-03-03"
        assert workspace.profiles.show("crmid", "C8", reveal=True)["attributes"]["birth_date"]["value"] == "2025-09-01"
        (source,) = workspace.sources.list()
        assert [c.format for c in workspace.mappings.current(source).columns][1] == "MM/DD/YYYY"
    assert outside == []


def test_a_reload_in_the_middle_loses_nothing_at_any_step(at_choose, page, outside, tmp_path):
    again(page, "Choose a file")
    assert page.url == at_choose
    send(page, write(tmp_path / "people.tsv", AMBIGUOUS.replace("signed_up", "dob")))

    page.goto(page.url + "&column=1")
    again(page, "Check the file")
    expect(page.get_by_role("heading", name="dob")).to_be_visible()
    assert figure(page, "Rows") == "30"

    onward(page, "match")
    page.get_by_text(re.compile("^Day/month/year")).click()
    press(page, "Use this")
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()
    settled(page)
    again(page, "Match columns to attributes")
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()

    onward(page, "options")
    settled(page)
    page.get_by_text("End their membership").click()
    page.wait_for_timeout(1_000)  # it is on its way to the server
    settled(page)
    again(page, "Options")
    expect(page.get_by_role("radio", name=re.compile("End their membership"))).to_be_checked()

    onward(page, "run")
    again(page, "Review and load")
    expect(page.get_by_role("button", name="Load 30 rows")).to_be_visible()
    page.go_back()
    heading(page, "Options")
    page.go_forward()
    heading(page, "Review and load")
    assert outside == []


def test_an_upload_that_was_cut_and_left_goes_on_after_a_reload(at_choose, page, home, tmp_path):
    path = tmp_path / "large.tsv"
    path.write_bytes(b"crmid\tcity\n" + b"".join(b"C%07d\tPune\n" % i for i in range(600_000)))
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000}
    slow.send("Network.emulateNetworkConditions", limits)
    page.locator("input[type=file]").set_input_files(path)
    figures = page.locator("#figures")
    expect(figures).to_have_text(re.compile(r"[3-6]\.\d MB of 8\.4 MB, .+/s, .+ left"))
    press_in_zone(page, "Pause")
    expect(page.get_by_text("Paused. Nothing is lost.")).to_be_visible()
    page.reload()
    heading(page, "Choose a file")
    said = page.get_by_text("of a file arrived before this page was left")
    expect(said).to_be_visible()
    assert float(re.match(r"([\d.]+) MB", said.inner_text())[1]) >= 1
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.headers.get("upload-offset"))))
    slow.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    send(page, path)
    assert figure(page, "Rows") == "600,000"
    assert not [method for method, _ in asked if method == "POST"]  # the same upload, not a new one
    assert next(int(offset) for method, offset in asked if method == "PATCH") >= 1_000_000


def press_in_zone(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_a_file_that_is_put_into_the_inbox_appears_and_is_taken(at_choose, page, home, outside):
    expect(page.get_by_text("No file waits there.")).to_be_visible()
    path = write(home / "inbox" / "export <b>*1*.tsv", AMBIGUOUS)
    moment = time.time() - 60
    os.utime(path, (moment, moment))
    expect(page.get_by_text("export <b>*1*.tsv")).to_be_visible()
    press(page, "Take this file")
    heading(page, "Check the file")
    settled(page)
    assert figure(page, "Rows") == "30"
    assert not path.exists()
    assert (home / "inbox" / "done" / path.name).exists()
    assert outside == []


def test_a_double_click_leaves_no_step_out_and_the_keyboard_walks_the_main_path(at_choose, page, tmp_path):
    send(page, write(tmp_path / "people.tsv", AMBIGUOUS.replace("signed_up", "dob")))
    page.get_by_role("button", name="Continue to match").dblclick()
    heading(page, "Match columns to attributes")
    settled(page)
    page.get_by_text(re.compile("^Day/month/year")).click()
    press(page, "Use this")
    expect(page.get_by_role("button", name="Continue to options")).to_be_enabled()
    settled(page)
    page.keyboard.press("Control+Enter")
    heading(page, "Options")
    settled(page)
    page.keyboard.press("Control+Enter")
    heading(page, "Review and load")


def test_a_second_window_says_that_the_draft_was_changed(at_choose, page, tmp_path):
    send(page, write(tmp_path / "people.tsv", AMBIGUOUS.replace("signed_up", "dob")))
    onward(page, "match")
    expect(page.get_by_text("Decide: dob")).to_be_visible()
    settled(page)
    other = page.context.new_page()
    other.set_default_timeout(20_000)
    other.goto(page.url)
    expect(other.get_by_text("Decide: dob")).to_be_visible()
    settled(other)
    other.get_by_text(re.compile("^Day/month/year")).click()
    press(other, "Use this")
    expect(other.get_by_text("Nothing is left to decide.")).to_be_visible()

    page.get_by_text(re.compile("^Month/day/year")).click()
    expect(page.get_by_text("This ingest was changed in another window")).to_be_visible()
    press(page, "Go on from there")
    expect(page.get_by_text("Nothing is left to decide.")).to_be_visible()
    expect(page.get_by_text(re.compile("^Month/day/year"))).to_have_count(0)
