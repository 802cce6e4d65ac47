"""Fixing rejected rows: what the page offers, checks, keeps and loads."""

from __future__ import annotations

import pytest

from tests.pages.shown import press_inside, texts

FIXED = {4: ("C3", "meera@example.com", "Meera", "01/02/1991", "Chennai")}
STILL_WRONG = {5: ("", "", "Nobody", "01/02/1991", "Goa")}


@pytest.fixture
def fix(open_page, receipt):
    """The page of the upload in the mode of fixing."""

    def opened(**params: str):
        return open_page("upload", upload=receipt.request_id, fix="true", **params)

    return opened


def grid(page):
    return next(frame.value for frame in page.dataframe if "c0" in frame.value)


def button(page, key):
    return page.button(key=key)


def test_rows_are_shown_cell_by_cell_only_when_asked_for(open_page, receipt, fix):
    assert "not an address" not in str(
        [frame.value.to_dict() for frame in open_page("upload", upload=receipt.request_id).dataframe]
    )
    page = fix()
    frame = grid(page)
    assert list(frame["line"]) == [4, 5]
    assert list(frame.loc[0, ["c0", "c1", "c2", "c3", "c4"]]) == [
        "C3",
        "not an address",
        "Meera",
        "01/02/1991",
        "Chennai",
    ]
    assert "personal data" in texts(page)
    assert button(page, "load_fixed").disabled


def test_the_reason_is_in_the_url(fix):
    assert list(grid(fix(reason="Not an e-mail address"))["line"]) == [4]
    assert list(grid(fix(reason="No identifier in the row"))["line"]) == [5]


def test_edits_survive_a_reload_and_are_checked(fix, workspace, receipt):
    workspace.fixes.keep(receipt.request_id, {**FIXED, **STILL_WRONG})
    page = fix()
    assert list(grid(page)["c1"]) == ["meera@example.com", ""]
    said = texts(page)
    assert "1 of 2 edited rows would be stored now" in said
    assert "1 new" in said
    wrong = next(frame.value for frame in page.dataframe if "c0" not in frame.value)
    assert wrong.to_dict("records")[0]["line"] == 5
    assert button(page, "load_fixed").label == "Load 1 fixed row"
    assert len(workspace.history.list()) == 1


def test_loading_makes_a_child_with_links_both_ways(fix, open_page, workspace, receipt):
    workspace.fixes.keep(receipt.request_id, {**FIXED, **STILL_WRONG})
    page = fix()
    button(page, "load_fixed").click().run()
    workspace.jobs.run_waiting()
    (child,) = workspace.history.children(receipt.request_id)
    assert (child.stored, child.rejected, child.parent) == (1, 0, receipt.request_id)
    parent_page = open_page("upload", upload=receipt.request_id)
    assert "1 row was fixed and loaded" in texts(parent_page)
    rejects = parent_page.dataframe[0].value
    assert [list(since) for since in rejects["since"]] == [["Fixed"], []]
    assert "Corrected rows" in texts(open_page("upload", upload=child.request_id))
    left = fix()
    assert list(grid(left)["line"]) == [5]


def test_a_second_click_loads_nothing_twice(fix, workspace, receipt):
    workspace.fixes.keep(receipt.request_id, FIXED)
    first, second = fix(), fix()
    button(first, "load_fixed").click().run()
    button(second, "load_fixed").click().run()
    workspace.jobs.run_waiting()
    assert len(workspace.history.children(receipt.request_id)) == 1


def test_when_no_row_is_left_the_page_says_so(fix, workspace, receipt):
    workspace.fixes.load_now(receipt.request_id, {**FIXED, 5: ("C9", "", "Nobody", "01/02/1991", "Delhi")})
    page = fix()
    assert "No row is left to fix" in str([found.value for found in page.success])
    assert not page.dataframe


def test_edits_are_discarded_only_when_confirmed(fix, workspace, receipt):
    workspace.fixes.keep(receipt.request_id, FIXED)
    page = fix()
    button(page, "discard_fixes").click().run()
    assert workspace.fixes.edits(receipt.request_id) == FIXED
    press_inside(page, "discard_fixes", "confirm_discard")
    assert workspace.fixes.edits(receipt.request_id) == {}


def test_a_running_upload_is_said_instead_of_waited_for(fix, workspace, receipt):
    import threading

    workspace.fixes.keep(receipt.request_id, FIXED)
    held, done = threading.Event(), threading.Event()

    def load() -> None:
        with workspace.engine.write:
            held.set()
            done.wait(30)

    thread = threading.Thread(target=load)
    thread.start()
    held.wait()
    try:
        page = fix()
        assert "An upload is running" in str([found.value for found in page.info])
        assert button(page, "load_fixed").disabled
    finally:
        done.set()
        thread.join()


def test_an_undone_upload_offers_no_fixing(fix, workspace, receipt):
    workspace.undo.undo(receipt.request_id)
    page = fix()
    assert not [toggle for toggle in page.toggle if toggle.key == "fix"]
    assert not [frame for frame in page.dataframe if "c0" in frame.value]


def test_one_change_to_many_rows_says_first_how_many(fix, workspace, receipt):
    page = fix(reason="Not an e-mail address")
    button(page, "change_many").click().run()
    assert page.button(key="many_apply").disabled
    page.button(key="change_many").click()
    page.text_input(key="many_find").set_value("not an address")
    page.text_input(key="many_replace").set_value("meera@example.com").run()
    assert page.button(key="many_apply").label == "Change 1 row"
    page.button(key="change_many").click()
    page.button(key="many_apply").click().run()
    assert workspace.fixes.edits(receipt.request_id) == FIXED
