"""An upload with a recipient: its mail, read from the server, says what the screen says and leads back to it."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from ingest_core.files import PathSource
from ingest_core.models import ColumnMapping, Mapping, Options, SourceSettings
from ingest_core.workspace import Workspace
from tests.browser.conftest import served
from tests.browser.hands import click_cell, figure, heading, onward, press, settled, until
from tests.transport.post import box, serve

__all__ = ["box", "serve"]  # fixtures

ASHA = "asha@example.com"
COLUMNS = Mapping(
    columns=tuple(ColumnMapping(column=name, attribute=to) for name, to in {"cust_id": "crmid", "town": "city"}.items())
)
HEADER = "cust_id\ttown\n"


@pytest.fixture
def app(tmp_path, repository, box, serve):
    """(address, request id of an upload whose notices were kept): the mail server was set up only afterwards."""
    home, path = tmp_path / "home", tmp_path / "january.tsv"
    path.write_text(HEADER + "C1\tPune\nC2\tAgra\n", "utf-8")
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.add("Store purchases", settings=SourceSettings(recipients=(ASHA,)))
        kept = workspace.loads.load(workspace.plan(PathSource(path), source, COLUMNS, Options(notify=(ASHA,))))
        workspace.notices.turn(lambda: False)
        workspace.configuration.set(
            {
                "mail_host": "localhost", "mail_port": serve(), "mail_security": "none",
                "mail_sender": "onramp@example.com", "base_url": "https://onramp.example.com",
            }
        )  # fmt: skip
    with served(home, repository) as address:
        yield address, str(kept.request_id)


def messages(box, number):
    """The messages as soon as so many are there."""
    end = time.monotonic() + 60
    while len(box.messages) < number:
        assert time.monotonic() < end, f"only {len(box.messages)} messages came"
        time.sleep(0.1)
    return box.messages


def test_the_mail_of_an_upload_says_what_the_screen_says(app, page, outside, box, tmp_path):
    server, _ = app
    path = tmp_path / "february.tsv"
    path.write_text(HEADER + "C2\tDelhi\nC3\tGoa\nC3\tGoa\n\tNowhere\n\n", "utf-8")
    page.goto(f"{server}/source?source=1")
    heading(page, "Store purchases")
    press(page, "Ingest")
    heading(page, "Choose a file")
    page.locator("input[type=file]").set_input_files(path)
    for step in ("match", "options", "run"):
        onward(page, step)
    expect(page.get_by_text("1 address is told when it begins, takes long and ends")).to_be_visible()
    press(page, re.compile("^Load "))
    expect(page.get_by_text("Why rows were rejected")).to_be_visible(timeout=60_000)

    start, end = messages(box, 2)
    assert (start["To"], end["To"]) == (ASHA, ASHA)
    assert start["Subject"] == "[Store purchases] february.tsv is being loaded"
    assert end["Subject"] == "[Store purchases] february.tsv was loaded: 4 rows, 1 of them rejected"
    text, html = (part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in end.get_payload())
    told = {label: int(value) for label, value in re.findall(r"^([^\d\n]+?) {2,}(\d+)$", text, re.MULTILINE)}
    settled(page)
    assert told["Rows rejected"] == int(figure(page, "Rejected")) == 1
    assert told["New profiles"] == int(figure(page, "Profiles created")) == 1
    account = ("People stored", "More rows of the same people", "Rows rejected", "Blank lines")
    assert sum(told[label] for label in account) == told["Lines in all"] == 5
    request_id = re.search(r"upload=([\w-]+)", page.url).group(1)
    link = f"https://onramp.example.com/upload?upload={request_id}"
    assert link in text
    assert f'href="{link}"' in html
    assert not any(value in text + html for value in ("Delhi", "Goa", "C3"))

    page.reload()
    page.get_by_role("link", name="Sent to 1 person").click()
    heading(page, "Notices")
    expect(page.get_by_text(f"About the upload {request_id} only.")).to_be_visible()
    page.goto(link.replace("https://onramp.example.com", server))
    heading(page, "february.tsv")
    assert outside == []


def test_what_was_kept_is_read_and_sent_when_a_person_says_so(app, page, outside, box):
    server, request_id = app
    page.goto(f"{server}/upload?upload={request_id}")
    heading(page, "january.tsv")
    page.get_by_role("link", name="Kept for 1 person: no mail server").click()
    heading(page, "Notices")
    expect(page.get_by_text("2 notices were kept")).to_be_visible()
    notice = page.get_by_role("heading", name="[Store purchases] january.tsv was loaded: 2 rows", level=1)
    grid = page.get_by_test_id("data-grid-canvas").first
    until(page, lambda timeout: notice.wait_for(timeout=timeout), lambda: click_cell(page, grid, 220))
    frame = page.frame_locator("iframe").last
    expect(frame.get_by_role("heading", name="january.tsv was loaded: 2 rows")).to_be_visible()
    page.reload()
    heading(page, "[Store purchases] january.tsv was loaded: 2 rows")
    assert box.messages == []
    press(page, "Send it now")
    [sent] = messages(box, 1)
    assert sent["To"] == ASHA
    page.goto(f"{server}/notices?notice_state=Sent")
    expect(page.get_by_text("1 sent")).to_be_visible()
    assert outside == []
