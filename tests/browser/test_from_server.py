"""From a partner's SFTP server to the mail: a trusted destination, a schedule, a file that loads, a recipient."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from ingest_core.models import SourceSettings
from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import heading, press, settled
from tests.servers.fixtures import ssh_server
from tests.transport.post import box, serve

__all__ = ["box", "serve", "ssh_server"]  # fixtures

ASHA = "asha@example.com"
PEOPLE = "crmid\temail\tcity\nA1\tmeera@example.in\tPune\nA2\tbina@example.in\tGoa\n\tnobody\tAgra\n"


@pytest.fixture
def app(tmp_path, repository, box, serve):
    """A source with a recipient, and a mail server."""
    home = tmp_path / "home"
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.sources.add("Agency", settings=SourceSettings(recipients=(ASHA,)))
        workspace.configuration.set(
            {
                "mail_host": "localhost", "mail_port": serve(), "mail_security": "none",
                "mail_sender": "onramp@example.com", "base_url": "https://onramp.example.com",
            }
        )  # fmt: skip
    with served(home, repository) as address:
        yield address


def test_a_file_on_a_partners_server_is_loaded_and_told_by_mail(app, page, outside, box, ssh_server):
    make_a_trusted_destination(page, app, ssh_server)
    make_a_schedule(page, app)
    (ssh_server.folder / "people_1.tsv").write_text(PEOPLE)
    (ssh_server.folder / "readme.txt").write_text("hello\n")
    press(page, "Run now")
    expect(page.get_by_test_id("glide-cell-1-0")).to_contain_text("Loaded", timeout=60_000)
    end = time.monotonic() + 60
    while len(box.messages) < 2:
        assert time.monotonic() < end, f"only {len(box.messages)} messages came"
        time.sleep(0.1)
    assert [message["To"] for message in box.messages] == [ASHA, ASHA]
    assert "people_1.tsv was loaded: 3 rows, 1 of them rejected" in box.messages[-1]["Subject"]
    page.goto(f"{app}/history")
    heading(page, "Upload history")
    expect(page.get_by_text("people_1.tsv").first).to_be_attached()
    found = sorted(str(path.relative_to(ssh_server.folder)) for path in ssh_server.folder.rglob("*") if path.is_file())
    assert found == ["done/people_1.tsv", "readme.txt"]
    assert len({message["Message-ID"] for message in box.messages}) == 2
    assert outside == []


def make_a_trusted_destination(page, server, ssh):
    page.goto(f"{server}/destinations")
    heading(page, "Destinations")
    press(page, "Add the first destination")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Kind").click()
    page.get_by_role("option", name=re.compile("SFTP")).click()
    settled(page)
    for label, text in (("Name", "Agency server"), ("Host", "127.0.0.1"), ("User name", ssh.user),
                        ("Folder", str(ssh.folder)), ("Port", str(ssh.port)), ("Private key", ssh.key)):  # fmt: skip
        dialog.get_by_role("textbox", name=re.compile(f"^{label}")).or_(
            dialog.get_by_role("spinbutton", name=re.compile(f"^{label}"))
        ).first.fill(text)
        page.keyboard.press("Tab")
        settled(page)
    dialog.get_by_role("button", name="Add destination").click()
    page.get_by_role("button", name="Test connection").click()
    expect(dialog.get_by_text("Is this the server's host key?")).to_be_visible()
    expect(dialog.get_by_text(ssh.host_key)).to_be_visible()
    press(page, "It is: trust this key")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("It was deleted again.")).to_be_visible()


def make_a_schedule(page, server):
    page.goto(f"{server}/source?source=1&tab=Schedule")
    heading(page, "Agency")
    press(page, "Create a schedule")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Look in").click()
    page.get_by_role("option", name="Agency server").click()
    settled(page)
    dialog.get_by_role("textbox", name="Files").fill("people_*.tsv")
    settled(page)
    expect(dialog).to_contain_text("No file fits at the moment")
    dialog.get_by_text("More", exact=True).click()
    at_once = page.get_by_role("option", name="At once: its sender renames it when it is whole")
    expect(dialog.get_by_role("combobox", name="A file is whole")).to_be_visible()
    settled(page)
    for _ in range(5):  # a run of the script that was under way closes the list
        if not at_once.is_visible():
            dialog.get_by_role("combobox", name="A file is whole").click()
        page.wait_for_timeout(700)
        if at_once.is_visible():
            break
    at_once.click()
    settled(page)
    dialog.get_by_role("button", name="Create schedule").click()
    expect(page.get_by_text("Every 15 minutes")).to_have_count(1)
    settled(page)
