"""Undo and redo on the page of an upload: what would change first, then one button; pressing twice does it once."""

from __future__ import annotations

import threading

import pytest

from ingest_core.models import Options
from tests.pages.conftest import day_first
from tests.pages.shown import press_inside, texts


@pytest.fixture
def page(open_page, receipt):
    return open_page("upload", upload=receipt.request_id)


@pytest.fixture
def undone(workspace, receipt):
    workspace.undo.undo(receipt.request_id)
    return workspace.history.get(receipt.request_id)


def labels(page):
    return [button.label for button in page.button]


def test_the_preview_comes_first_and_changes_nothing(page, workspace):
    page.button(key="undo").click().run()
    assert "**2** people disappear." in texts(page)
    assert "Profiles **2 → 0**, members of sources **2 → 0**." in texts(page)
    assert "cannot be called back" in texts(page)
    assert workspace.profiles.count() == 2


def test_take_it_back_undoes_the_upload_and_says_so(page, workspace, receipt):
    page.button(key="undo").click().run()
    press_inside(page, "undo", "confirm_undo")
    assert not page.exception
    said = texts(page)
    assert workspace.profiles.count() == 0
    assert "Undone]" in said
    assert "Undone by Asha Menon" in said
    assert "figures below are history" in said
    assert "Undo the undo" in labels(page)


def test_leaving_it_changes_nothing(page, workspace):
    page.button(key="undo").click().run()
    press_inside(page, "undo", "leave_it")
    assert workspace.profiles.count() == 2


def test_a_second_click_does_it_once(page, workspace, receipt, monkeypatch):
    once = type(workspace.undo).undo

    def twice(self, request_id):
        once(self, request_id)
        return once(self, request_id)

    monkeypatch.setattr(type(workspace.undo), "undo", twice)
    page.button(key="undo").click().run()
    press_inside(page, "undo", "confirm_undo")
    assert not page.error
    assert "Undone by Asha Menon" in texts(page)
    with workspace.engine.session() as session:
        assert session.value("SELECT count(*) FROM audit WHERE action = 'undo'") == 1


def test_what_somebody_else_took_back_meanwhile_is_shown_as_it_is(page, workspace, receipt):
    workspace.undo.undo(receipt.request_id)
    page.button(key="undo").click().run()
    assert not page.error
    assert "Undone by Asha Menon" in texts(page)


def test_a_running_upload_is_said_instead_of_waited_for(page, workspace, receipt):
    is_held, is_over = threading.Event(), threading.Event()

    def hold():
        with workspace.engine.write:
            is_held.set()
            is_over.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    is_held.wait(10)
    try:
        page.button(key="undo").click().run()
        assert "Try again when it has ended" in texts(page)
        assert "confirm_undo" not in [button.key for button in page.button]
    finally:
        is_over.set()
        holder.join()


def test_the_undo_is_undone_with_its_own_preview(open_page, workspace, undone):
    page = open_page("upload", upload=undone.request_id)
    page.button(key="redo").click().run()
    assert "**2** people come back." in texts(page)
    assert workspace.profiles.count() == 0
    press_inside(page, "redo", "confirm_undo")
    assert workspace.profiles.count() == 2
    assert workspace.history.get(undone.request_id).undone_at is None


def test_the_same_file_loaded_since_is_asked_about(open_page, workspace, undone, source, file):
    mapping = day_first(workspace.suggest(workspace.inspect(file, source), source))
    workspace.loads.load(workspace.plan(file, source, mapping, Options()))
    page = open_page("upload", upload=undone.request_id)
    page.button(key="redo").click().run()
    assert "confirm_undo" not in [button.key for button in page.button]
    page.toggle(key="both_count").set_value(True)
    page.button(key="redo").click().run()
    assert "Nobody's values change" in texts(page)
    press_inside(page, "redo", "confirm_undo")
    assert workspace.history.get(undone.request_id).undone_at is None


def test_an_upload_that_stored_nothing_has_nothing_to_take_back(open_page, workspace, source, draft_id):
    draft = workspace.drafts.load(draft_id)
    mapping = day_first(
        workspace.suggest(workspace.inspect(workspace.landing.open(draft["landing_id"]), source), source)
    )
    request_id = workspace.jobs.submit(draft["landing_id"], source, mapping, Options(), idempotency_key="k")
    workspace.jobs.stop(request_id)
    assert "Undo" not in labels(open_page("upload", upload=request_id))


def test_who_an_undone_upload_changed_is_not_told_any_more(open_page, undone):
    page = open_page("upload", upload=undone.request_id, tab="Profiles changed")
    assert "it changes nobody now" in texts(page)
    assert not page.dataframe
