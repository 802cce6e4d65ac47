"""Files with mistakes are dropped, put right, named, seen to be ready, kept as a report, and sent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from ingest_core.clock import now
from ingest_core.transport.places import FolderPlace
from ingest_core.workspace import Workspace
from tests.browser.conftest import served

ODD = "u1\td_sid=1,\r\nu2\td_sid=1\r\nasha@example.com\td_sid=1\r\n"
GOOD = "u4\td_sid=1\n"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    return tmp_path_factory.mktemp("bucket")


@pytest.fixture(scope="module")
def address(tmp_path_factory, repository, bucket):
    """A server with one data source, a trait and a destination."""
    home = tmp_path_factory.mktemp("preflight") / "home"
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
        workspace.audience.traits.add("Buyer", 478, trait_id=1)
        workspace.destinations.add("Adobe inbound", FolderPlace(path=str(bucket)))
    with served(home, repository) as at:
        yield at


def test_from_files_with_mistakes_to_files_that_were_sent(page, address, bucket, tmp_path, outside):
    named = f"ftp_dpm_478_{int(now().timestamp())}.sync"
    files = [tmp_path / named, tmp_path / "crm 478 full.csv"]
    for path, text in zip(files, (ODD, GOOD), strict=True):
        path.write_bytes(text.encode())

    page.goto(f"{address}/am_preflight?place=acme")
    expect(page.get_by_text("What pre-flight is for")).to_be_visible()
    page.locator("input[type=file][multiple]").first.set_input_files([str(path) for path in files])
    expect(page.get_by_text("2 files: 2 with errors.")).to_be_visible(timeout=60_000)  # one after the other
    expect(page).to_have_url(re.compile(r"preflight=[0-9a-f]{16}"))
    expect(page.get_by_text("3 lines: Line ends: CR LF → LF")).to_be_visible()
    assert "asha@example.com" not in page.content()

    page.get_by_role("button", name="Write the fixed file").dblclick()
    expect(page.get_by_text("Put right.")).to_be_visible()
    page.get_by_role("button", name="Give it a name").click()
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_text("2 files: 2 fine.")).to_be_visible()
    expect(page.get_by_text("4 of 4 records would be stored.")).to_be_visible()
    page.reload()  # nothing is lost
    expect(page.get_by_text("2 files: 2 fine.")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the report").click()
    report = tmp_path / "report.html"
    saved.value.save_as(report)
    assert "Can be sent" in report.read_text("utf-8")
    assert "asha@example.com" not in report.read_text("utf-8")

    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send 2 files").dblclick()
    expect(page.get_by_text("Delivered to Adobe inbound")).to_have_count(2)
    folder = bucket / "acme" / f"date={now():%Y-%m-%d}"
    sent = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(sent) == 2
    assert sent[named].startswith(b"u1\td_sid=1\nu2\td_sid=1\n")
    assert b"\r" not in sent[named]
    (other,) = set(sent) - {named}
    assert re.fullmatch(r"ftp_dpm_478_\d{10}\.overwrite", other)
    assert outside == []
