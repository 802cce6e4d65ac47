"""A destination is made and tested on the screen, a segment is sent there, and the file is what the screen says."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import served
from tests.browser.hands import heading, press, settled
from tests.browser.test_segments import load_samples, onramp


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_a_segment_leaves_for_a_tested_destination_and_the_file_is_whole(home, repository, page, outside, tmp_path):
    partner, rule = tmp_path / "partner", tmp_path / "rule.json"
    partner.mkdir()
    rule.write_text('{"all": []}')
    onramp(home, repository, "segment", "add", "EVERYBODY", "--rule", str(rule))
    with served(home, repository) as server:
        load_samples(page, server)
        page.goto(f"{server}/destinations")
        heading(page, "Destinations")
        press(page, "Add the first destination")
        page.get_by_label("Name", exact=False).last.fill("Partner agency")
        page.get_by_label("Path").fill(str(partner))
        page.keyboard.press("Tab")
        settled(page)
        page.get_by_role("dialog").get_by_role("button", name="Add destination").click()
        page.get_by_role("button", name="Test connection").click()
        expect(page.get_by_text("It was deleted again.")).to_be_visible()
        page.reload()
        expect(page.get_by_role("dialog").get_by_text(re.compile("Works"))).to_be_visible()

        page.goto(f"{server}/segment?segment=1")
        heading(page, "EVERYBODY")
        press(page, "Send")
        heading(page, "Send")
        settled(page)
        page.get_by_role("button", name="Deliver", exact=True).dblclick()  # twice is once
        heading(page, "Deliveries")
        expect(page.get_by_role("dialog").get_by_text(re.compile("Delivered")).first).to_be_visible()
        shown = page.get_by_role("dialog").get_by_text(re.compile("SHA-256 [0-9a-f]{64}")).inner_text()
    (file,) = partner.glob("*.tsv")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in shown
    (control,) = partner.glob("*.info")
    assert json.loads(control.read_text())["Totals"]["TotalNumberLines"] == 566
    assert len(file.read_text("utf-8").splitlines()) == 566
    assert "@" not in file.read_text("utf-8")
    assert outside == []
