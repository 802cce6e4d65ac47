"""From a rule to a count, as a person does it, and the same count on the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import served
from tests.browser.hands import heading, press, settled, until

NAME = "NOT_TRAVELLERS"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def onramp(home, repository, *arguments):
    """What a command prints as JSON; the app must not hold the workspace."""
    command = [sys.executable, "-m", "ingest_core", "--home", str(home), "--json", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def choose(page, label, option, place="last"):
    """An option of the first or last field with this label; a list that closed meanwhile is opened again."""
    field = getattr(page.get_by_role("combobox", name=label), place)
    wanted = page.get_by_role("option", name=option, exact=True)

    def open_it():
        page.keyboard.press("Escape")
        field.click()

    until(page, lambda timeout: wanted.click(timeout=timeout), open_it)
    settled(page)


def found(page):
    """The live count."""
    return page.get_by_test_id("stBottom").get_by_text(re.compile("of 565 profiles"))


def test_a_segment_is_built_by_clicking_and_counts_the_same_everywhere(home, repository, page, outside):
    with served(home, repository) as server:
        load_samples(page, server)
        page.goto(f"{server}/segments")
        press(page, "New segment")
        heading(page, "New segment")
        page.get_by_label("Name").fill(NAME)
        choose(page, "What the condition is about", "Amount")
        choose(page, "Operator", "is at least")
        page.get_by_role("textbox", name="Value").fill("250")
        page.keyboard.press("Tab")
        expect(found(page)).to_contain_text("407 of 565")

        page.get_by_role("button", name="Group").last.dblclick()  # twice is once
        expect(page.get_by_role("combobox", name="How the conditions count together")).to_have_count(2)
        choose(page, "How the conditions count together", "None of these is true")
        choose(page, "What the condition is about", "Cross-sell product")
        choose(page, "Value", "travel, by train")
        count = found(page).inner_text().split()[0]

        page.reload()  # nothing that was chosen is lost
        heading(page, "New segment")
        settled(page)
        expect(page.get_by_label("Name")).to_have_value(NAME)
        expect(found(page)).to_contain_text(f"{count} of 565")
        assert page.get_by_text("Cross-sell product is travel, by train").count() == 1

        page.get_by_role("button", name="Save segment").dblclick()
        heading(page, NAME)
        settled(page)
        figure = page.get_by_test_id("stMetric").filter(has=page.get_by_text("People", exact=True))
        expect(figure.get_by_test_id("stMetricValue")).to_have_text(count)
        press(page, "Download people")
        with page.expect_download() as download:
            page.get_by_role("button", name="For a spreadsheet (CSV)").click()
        rows = download.value.path().read_text("utf-8-sig").splitlines()
        assert len(rows) == 1 + int(count)
        assert "•••" in rows[1]
        page.goto(f"{server}/segments")
        heading(page, "Segments")
        expect(page.get_by_test_id("glide-cell-1-0")).to_have_text(count)
    assert [(one["name"], str(one["count"])) for one in onramp(home, repository, "segment", "list")] == [(NAME, count)]
    assert outside == []


def load_samples(page, server):
    page.goto(server)
    press(page, "Load sample data")
    expect(page.get_by_role("button", name="New source")).to_be_visible()
    settled(page)


def test_a_wrong_value_stops_saving_and_a_rule_can_be_pasted(home, repository, page, outside):
    with served(home, repository) as server:
        load_samples(page, server)
        page.goto(f"{server}/segment_edit?show=Rule+as+JSON")
        heading(page, "New segment")
        text = page.get_by_role("textbox", name="Rule as JSON")
        text.fill('{"attribute": "AMOUNT", "operator": ">", "value": "much"}')
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("rule.all[0].value")).to_be_visible()
        page.get_by_role("tab", name="Rule", exact=True).click()
        expect(page.get_by_text("is not a number").first).to_be_visible()
        expect(page.get_by_role("button", name="Save segment")).to_be_disabled()
        page.get_by_role("textbox", name="Value").fill("900")
        page.keyboard.press("Tab")
        expect(found(page)).to_be_visible()
        page.go_back()  # to the other tab: the rule is what it is now
        page.go_forward()
        expect(found(page)).to_be_visible()
    assert outside == []
