"""An upload that is stopped while it runs: asked once, rolled back, Cancelled in the history."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ingest_core.models import ColumnMapping, Mapping, Options
from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import figure, heading, settled

ROWS = 3_000_000  # more than a machine loads before somebody has pressed two buttons


@pytest.fixture
def loading(tmp_path, repository):
    """(address, request id) of an app that begins to load a large file as it starts."""
    home = tmp_path / "home"
    header = b"cust_id\temail_addr\tcity\n"
    data = header + b"".join(b"C%d\tperson%d@example.com\tPune\n" % (i, i) for i in range(ROWS))
    columns = {"cust_id": "crmid", "email_addr": "email", "city": "city"}
    mapping = Mapping(columns=tuple(ColumnMapping(column=name, attribute=to) for name, to in columns.items()))
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.add("CRM contacts")
        writer = workspace.landing.create("large.tsv", len(data))
        writer.write(data)
        request_id = workspace.jobs.submit(writer.finish(), source, mapping, Options(), idempotency_key="large")
    with served(home, repository) as address:
        yield address, request_id


def test_a_running_upload_is_stopped_and_leaves_nothing(loading, page, outside):
    server, request_id = loading
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "large.tsv")
    expect(page.get_by_text("You can close this page.")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).last.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing of it will be kept")
    dialog.get_by_role("button", name="Stop the upload").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("You can close this page.")).to_have_count(0)

    page.goto(f"{server}/history?badge=Cancelled")
    heading(page, "Upload history")
    expect(page.get_by_text("1 upload.")).to_be_visible()
    page.goto(server)
    heading(page, "Sources")
    settled(page)
    assert figure(page, "Profiles") == "0"
    assert outside == []
