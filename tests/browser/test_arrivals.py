"""A schedule is made on the screen; a file that is put into the folder appears loaded, by itself, in the history."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import served
from tests.browser.hands import heading, press, settled

PEOPLE = "crmid\temail\tcity\nA1\tasha@example.in\tPune\nA2\tmeera@example.in\tGoa\n"


def test_a_file_that_arrives_is_loaded_by_itself(page, outside, tmp_path, repository):
    home = tmp_path / "home"
    with served(home, repository) as server:
        make_a_source(page, server)
        make_a_schedule(page)
        put(home, "people_1.tsv", PEOPLE)
        put(home, "notes.txt", "hello\n")
        press(page, "Run now")
        expect(page.get_by_test_id("glide-cell-1-0")).to_contain_text("Loaded", timeout=60_000)
        assert "schedule" not in page.url.partition("?")[2].replace("tab=Schedule", "")
        page.reload()
        expect(page.get_by_test_id("glide-cell-0-0")).to_contain_text("people_1.tsv")
        page.goto(f"{server}/history")
        heading(page, "Upload history")
        expect(page.get_by_text("people_1.tsv").first).to_be_attached()
        assert sorted(path.name for path in (home / "inbox").iterdir()) == ["done", "notes.txt"]
        assert [path.name for path in (home / "inbox" / "done").iterdir()] == ["people_1.tsv"]
        page.goto(f"{server}/arrivals?arrival_state=Loaded")
        heading(page, "Arrivals")
        expect(page.get_by_test_id("glide-cell-0-0")).to_contain_text("people_1.tsv")
        pause(page, server)
    assert outside == []


def make_a_source(page, server):
    page.goto(server)
    press(page, "Create a source")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("CRM")
    dialog.get_by_role("button", name="Create source").click()
    heading(page, "CRM")
    settled(page)


def make_a_schedule(page):
    page.get_by_role("tab", name="Schedule").click()
    press(page, "Create a schedule")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("No file fits at the moment")
    dialog.get_by_role("textbox", name="Files").fill("people_*.tsv")
    settled(page)
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
    expect(dialog).to_contain_text("Next: ")
    dialog.get_by_role("button", name="Create schedule").dblclick()
    expect(page.get_by_text("Every 15 minutes")).to_have_count(1)
    settled(page)


def put(home, name, text):
    folder = home / "inbox"
    folder.mkdir(exist_ok=True)
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def pause(page, server):
    page.goto(f"{server}/source?source=1&tab=Schedule")
    heading(page, "CRM")
    press(page, "Pause")
    expect(page.get_by_text("Resume it to look again")).to_be_visible()
    page.go_back()
    heading(page, "Arrivals")
    page.go_forward()
    expect(page.get_by_text("Resume it to look again")).to_be_visible()
