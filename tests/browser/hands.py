"""What a person does on every page, with a person's patience: what was not heard is done again."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import TimeoutError, expect

TITLES = {"match": "Match columns to attributes", "options": "Options", "run": "Review and load"}
TRIES, PATIENCE = 5, 4_000  # milliseconds after which a person would try again
ON_ITS_WAY = 80


def heading(page, name):
    found = page.get_by_role("heading", name=name, level=1)
    expect(found).to_be_visible()
    return found


def settled(page):
    """The script is not running any more, nor about to: what was done last had its time to get to the server."""
    app = page.get_by_test_id("stApp")
    for _ in range(2):
        page.wait_for_timeout(ON_ITS_WAY)
        expect(app).to_have_attribute("data-test-script-state", "notRunning")


def figure(page, label):
    metric = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    return metric.get_by_test_id("stMetricValue").inner_text().strip()


def press(page, name):
    settled(page)
    page.get_by_role("button", name=name).first.click()


def until(page, happened: Callable[[float], object], act: Callable[[], object]):
    """Acts until ``happened(timeout in milliseconds)`` holds; a page that is being drawn anew may not listen."""
    for _ in range(TRIES):
        settled(page)
        with suppress(AssertionError, TimeoutError):
            act()
            happened(PATIENCE)
            return
    happened(5 * PATIENCE)


def onward(page, step):
    """To the next step of the wizard; again, since a click right after the last one counts as its double click."""
    there = re.compile(f"step={step}")
    go_on = page.get_by_role("button", name=f"Continue to {step}")
    until(
        page,
        lambda timeout: page.wait_for_url(there, timeout=timeout),
        lambda: there.search(page.url) or go_on.click(timeout=PATIENCE),
    )
    heading(page, TITLES[step])


def click_middle(page, place):
    """Clicks the middle of a bar or a mark of a chart."""
    box = place.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def click_cell(page, grid, x, row=0, height=38):
    """Clicks a row of a grid, so far from its left edge; from its right one if negative."""
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + (x if x > 0 else box["width"] + x), box["y"] + 36 + height * row + height / 2)
