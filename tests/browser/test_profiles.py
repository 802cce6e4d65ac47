"""From a value to the person, to the line it came from, and back; personal data only for a reason, never in a URL."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from playwright.sync_api import expect

from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import heading, settled


@pytest.fixture(scope="module")
def known(tmp_path_factory, repository):
    """(address, home, e-mail and crmid of somebody) of a server with the sample data."""
    home = tmp_path_factory.mktemp("people") / "home"
    with Workspace.open(home) as workspace:
        workspace.load_sample_data()
        shown = workspace.profiles.list(limit=1)["profiles"][0]
        plain = workspace.profiles.person(shown["profile_id"], reveal=True)["attributes"]
    with served(home, repository) as address:
        yield address, home, plain["email"]["value"], plain["crmid"]["value"]


@pytest.fixture
def addresses(page):
    """Every address the browser showed or asked for."""
    seen = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    page.on("request", lambda request: seen.append(request.url))
    return seen


def drawer(page):
    found = page.get_by_role("dialog")
    expect(found).to_be_visible()
    settled(page)
    return found


def find(page, value):
    settled(page)
    box = page.get_by_role("textbox", name="Find a customer")
    box.fill(value)
    box.press("Enter")
    return drawer(page)


def test_a_customer_is_found_by_e_mail_and_each_value_leads_to_its_upload_and_back(known, page, outside, addresses):
    address, _, email, crmid = known
    page.goto(f"{address}/profiles")
    heading(page, "Profiles")
    opened = find(page, email.upper())
    expect(page).to_have_url(re.compile(r"profile=\d+-\d+"))
    expect(opened.get_by_test_id("glide-cell-1-0")).to_have_text(crmid)

    opened.get_by_role("tab", name="Timeline").click()
    link = opened.get_by_role("link", name=re.compile("^receipt_long Upload|Upload 2")).first
    expect(link).to_be_visible()
    settled(page)
    where = page.url
    assert "about=Timeline" in where
    link.click()
    heading(page, re.compile("tsv"))
    page.go_back()
    heading(page, "Profiles")
    settled(page)
    if page.url != where:  # Streamlit 1.67 puts an address of its own between pages whose widgets are in the URL
        page.go_back()
    expect(drawer(page).get_by_text("First seen")).to_be_visible()
    expect(page).to_have_url(where)

    page.reload()
    expect(drawer(page).get_by_text("First seen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("profile="))
    assert outside == []
    assert [url for url in [*addresses, page.url] if email.split("@")[0].lower() in url.lower()] == []


def test_personal_data_is_shown_for_a_reason_and_only_once(known, page, addresses):
    address, home, email, crmid = known
    page.goto(f"{address}/profiles")
    heading(page, "Profiles")
    opened = find(page, crmid)
    show = opened.get_by_role("button", name="Show personal data")
    expect(show).to_be_disabled()
    opened.get_by_role("textbox", name="Reason to see personal data").fill("Call-back for ticket 4711")
    expect(show).to_be_enabled()
    settled(page)
    show.click()
    expect(opened.get_by_text("Personal data is shown this once")).to_be_visible()
    expect(opened.get_by_test_id("glide-cell-1-1")).to_have_text(email)
    opened.get_by_role("tab", name="Timeline").click()
    expect(opened.get_by_text("Personal data is masked.")).to_be_visible()
    assert [url for url in [*addresses, page.url] if email.split("@")[0] in url] == []
    page.close()
    assert reasons(home) == ["Call-back for ticket 4711"]


def reasons(home):
    """The reasons on the audit log, read from a copy: the server holds the workspace."""
    copy = home.with_name("copy")
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.lock", "tmp", "lock*"))
    with Workspace.open(copy) as workspace, workspace.engine.session() as session:
        rows = session.rows("SELECT detail FROM audit WHERE action = 'reveal' ORDER BY seq")
    return [found["reason"] for (text,) in rows if (found := json.loads(text)).get("reason")]
