"""Picking a file from the inbox: listed beside the drop zone, taken into the draft, put away."""

from __future__ import annotations

import os
import time

import pytest

from tests.pages.conftest import FILE
from tests.pages.shown import texts


def put(workspace, name, data=FILE, age=60):
    path = workspace.inbox.folder() / name
    path.write_text(data, "utf-8")
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


@pytest.fixture
def empty_draft(workspace, source):
    return workspace.drafts.create(source.source_id)


def take_button(page, workspace, name):
    return page.button(key=f"take_{workspace.inbox.find(name).file_id}")


def test_an_empty_inbox_says_where_the_folder_is(open_page, workspace, empty_draft):
    page = open_page("ingest", draft=empty_draft)
    assert page.code[0].value == str(workspace.home / "inbox")
    assert "No file waits there" in texts(page)


def test_a_file_is_taken_and_checked(open_page, workspace, empty_draft):
    path = put(workspace, "contacts.tsv")
    page = open_page("ingest", draft=empty_draft)
    take_button(page, workspace, "contacts.tsv").click().run()
    assert page.title[0].value == "Check the file"
    draft = workspace.drafts.load(empty_draft)
    assert workspace.landing.open(draft["landing_id"]).open().read() == FILE.encode()
    assert (draft["file"], draft["size"]) == ("contacts.tsv", len(FILE.encode()))
    assert not path.exists()
    assert (path.parent / "done" / "contacts.tsv").exists()


def test_a_file_loaded_before_stops_at_the_first_step(open_page, workspace, empty_draft, receipt):
    put(workspace, "the same again.tsv")
    page = open_page("ingest", draft=empty_draft)
    take_button(page, workspace, "the same again.tsv").click().run()
    assert page.title[0].value == "Choose a file"
    assert "This file was loaded before" in texts(page)
    assert not page.button(key="continue").disabled
    page.button(key="another_file").click().run()
    assert "Pick from the inbox" in texts(page)
    assert workspace.landing.ids() == []
    assert workspace.drafts.load(empty_draft)["landing_id"] is None


def test_a_file_that_is_still_written_cannot_be_taken(open_page, workspace, empty_draft):
    put(workspace, "growing.tsv", age=0)
    page = open_page("ingest", draft=empty_draft)
    assert take_button(page, workspace, "growing.tsv").disabled
    assert "still being written" in texts(page)


def test_a_file_that_cannot_be_taken_is_a_message_and_stays(open_page, workspace, empty_draft):
    path = put(workspace, "contacts.tsv")
    page = open_page("ingest", draft=empty_draft)
    button = take_button(page, workspace, "contacts.tsv")
    path.write_bytes(b"")
    moment = time.time() - 60
    os.utime(path, (moment, moment))
    button.click().run()
    assert "Export it again" in page.error[0].value
    assert workspace.drafts.load(empty_draft).get("landing_id") is None
    assert workspace.landing.ids() == []


def test_names_from_the_disk_are_shown_as_they_are(open_page, workspace, empty_draft):
    put(workspace, "![x](y) :material_home: **b** $x$ <b>.tsv")
    page = open_page("ingest", draft=empty_draft)
    (row,) = [text.value for text in page.markdown if ":material/draft:" in text.value]
    assert r"\!\[x\]\(y\)" in row
    assert r"\*\*b\*\* \$x\$ \<b\>" in row


def test_many_files_have_pages(open_page, workspace, empty_draft):
    for i in range(9):
        put(workspace, f"file{i}.tsv", age=60 + i)
    page = open_page("ingest", draft=empty_draft)
    assert len([button for button in page.button if button.label == "Take this file"]) == 6
    assert "9 files wait" in texts(page)
