"""Every page opens, shows the figures of the services, and never a trace."""

from __future__ import annotations

import pytest

from ingest_core.errors import StateError
from ingest_core.models import Options
from pages.ui import state
from tests.pages.shown import texts


@pytest.mark.parametrize(
    "name", ["sources", "history", "explore", "profiles", "segments", "macros", "attributes", "settings"]
)
def test_every_page_opens_in_an_empty_workspace(open_page, name):
    page = open_page(name)
    assert page.title
    assert not page.error


def test_an_empty_workspace_offers_the_first_steps(open_page):
    labels = [button.label for button in open_page().button]
    assert labels[:2] == ["Create a source", "Load sample data"]


def test_home_shows_the_figures_of_the_uploads(open_page, receipt):
    page = open_page()
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures == {
        "Profiles": "2", "Rows loaded, 7 days": "3", "Rows rejected, 7 days": "2", "Uploads running": "0",
    }  # fmt: skip
    row = page.dataframe[0].value.iloc[0]
    assert (row["name"], row["rows"], row["rejected"]) == ("CRM contacts", 5, "40 %")
    assert list(row["state"]) == ["Needs attention"]


def test_the_search_of_sources_is_in_the_url(open_page, workspace, source):
    workspace.sources.add("Store purchases")
    page = open_page("sources", search="store")
    assert list(page.dataframe[0].value["name"]) == ["Store purchases"]


def test_archived_sources_have_their_own_pill(open_page, workspace, source):
    workspace.sources.add("Store purchases")
    workspace.sources.archive(source.source_id)
    assert list(open_page().dataframe[0].value["name"]) == ["Store purchases"]
    assert list(open_page("sources", state="Archived").dataframe[0].value["name"]) == ["CRM contacts"]


def test_a_source_page_shows_its_uploads_and_starts_an_ingest(open_page, workspace, source, receipt):
    page = open_page("source", source=str(source.source_id))
    assert page.title[0].value == "CRM contacts"
    figures = {metric.label: metric.value for metric in page.metric}
    assert (figures["Members"], figures["Rejected in the last file"]) == ("2", "40 %")
    page.button(key="ingest").click().run()
    assert page.title[0].value == "Choose a file"
    assert len(workspace.drafts.list(source.source_id)) == 1


def test_a_begun_ingest_is_offered_again_or_thrown_away(open_page, workspace, source, draft_id):
    page = open_page("source", source=str(source.source_id))
    assert "not loaded yet" in texts(page)
    page.button(key=f"continue_{draft_id}").click().run()
    assert page.title[0].value == "Check the file"
    page = open_page("source", source=str(source.source_id))
    page.button(key=f"delete_{draft_id}").click().run()
    assert workspace.drafts.list() == []
    assert workspace.landing.ids() == []


def test_starting_twice_without_a_file_is_one_draft(open_page, workspace, source):
    for _ in range(2):
        open_page("source", source=str(source.source_id)).button(key="ingest").click().run()
    assert len(workspace.drafts.list()) == 1


@pytest.mark.parametrize("tab", ["Mapping", "Uploads", "Settings"])
def test_the_tab_of_a_source_is_in_the_url(open_page, source, receipt, tab):
    page = open_page("source", source=str(source.source_id), tab=tab)
    if tab == "Settings":
        assert page.selectbox(key="phone_country")
    else:
        assert len(page.dataframe[0].value) == (5 if tab == "Mapping" else 1)


def test_the_settings_of_a_source_are_saved(open_page, workspace, source):
    page = open_page("source", source=str(source.source_id), tab="Settings")
    page.selectbox(key="phone_country").select("IN")
    page.button(key="save_settings").click().run()
    assert workspace.sources.get(source.source_id).settings.phone_country == "IN"


def test_a_source_that_does_not_exist_is_an_error_with_a_hint(open_page):
    page = open_page("source", source="99")
    assert page.error
    assert "source" in texts(page)


def test_the_history_lists_uploads_and_follows_its_filters(open_page, receipt):
    page = open_page("history")
    assert list(page.dataframe[0].value["request_id"]) == [receipt.request_id]
    assert not open_page("history", status="Failed").dataframe


def test_the_result_adds_up_and_tells_how_to_fix_rejects(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id)
    said = texts(page)
    assert "5 lines = 2 stored + 2 rejected + 1 duplicates" in said
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures == {
        "Rows in file": "5", "Profiles created": "2", "Profiles updated": "0", "Unchanged": "0", "Rejected": "2",
    }  # fmt: skip
    rejects = page.dataframe[0].value
    assert list(rejects["line"]) == [4, 5]
    assert all(rejects["fix"])
    assert "text" not in rejects


def test_original_lines_of_rejects_show_only_when_asked_for(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id)
    page.toggle(key="show_lines").set_value(True).run()
    assert "not an address" in page.dataframe[0].value["text"].iloc[0]


def test_how_it_worked_shows_steps_with_their_sql(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="How it worked")
    assert len(page.expander) == len(receipt.steps)
    assert any("SELECT" in block.value for block in page.code)


def test_an_upload_that_waits_can_be_stopped(open_page, workspace, draft_id, source, receipt):
    draft = workspace.drafts.load(draft_id)
    mapping = workspace.mappings.current(source)
    request_id = workspace.jobs.submit(draft["landing_id"], source, mapping, Options(again=True), idempotency_key="k")
    page = open_page("upload", upload=request_id)
    assert "Waiting for its turn" in texts(page)
    page.button(key="stop").click().run()
    assert "Nothing of it will be kept" in texts(page)


def test_attributes_show_who_uses_them_and_how_full_they_are(open_page, receipt):
    frame = open_page("attributes").dataframe[0].value.set_index("name")
    assert frame.loc["crmid", "filled"] == 1.0
    assert frame.loc["city", "sources"] == "CRM contacts"
    assert list(frame.loc["email", "tags"]) == ["PII"]


def test_a_failure_of_the_workspace_is_shown_as_message_and_hint(open_page, workspace, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise StateError("The disk is full. Nothing was changed.", code="disk_full", hint="Free some space.")

    monkeypatch.setattr(type(workspace.sources), "list", broken)
    page = open_page()
    assert page.error[0].value == "Free some space\\."
    assert not page.exception


def test_a_fault_of_ours_shows_no_trace_and_quotes_nothing(open_page, workspace, monkeypatch, caplog):
    def broken(*_: object, **__: object) -> None:
        raise ValueError("secret cell content")

    monkeypatch.setattr(type(workspace.sources), "list", broken)
    page = open_page()
    assert "Nothing was changed" in page.error[0].value
    assert "secret" not in texts(page) + caplog.text


def test_one_workspace_is_opened_per_process(workspace):
    assert state.workspace() is workspace
