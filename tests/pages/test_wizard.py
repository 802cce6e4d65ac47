"""The wizard over a draft: every step draws, every change is saved, and the numbers of the dry run are the load's."""

from __future__ import annotations

import pytest

from tests.pages.shown import texts


def test_a_draft_without_a_file_stays_at_the_first_step(open_page, workspace, source):
    page = open_page("ingest", draft=workspace.drafts.create(source.source_id), step="run")
    assert page.title[0].value == "Choose a file"
    assert page.button(key="continue").disabled


def test_an_unknown_draft_says_so(open_page):
    assert "This draft is finished" in texts(open_page("ingest", draft="0123456789abcdef"))


def test_check_shows_rows_columns_and_evidence(open_page, draft_id):
    page = open_page("ingest", draft=draft_id, step="check")
    figures = {metric.label: metric.value for metric in page.metric}
    assert (figures["Rows"], figures["Columns"], figures["Blank lines"]) == ("5", "5", "0")
    assert list(page.dataframe[0].value["c0"])[:2] == ["C1", "C2"]
    assert not page.button(key="continue").disabled


def test_match_suggests_attributes_and_masks_the_first_profile(open_page, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    table = page.data_editor[0].value.set_index("column")
    assert table.loc["cust_id", "attribute"] == "Customer ID"
    assert table.loc["email_addr", "attribute"] == "E-mail"
    assert table.loc["email_addr", "pii"]
    assert "asha@example.com" not in str(page.table[0].value)


def test_an_edit_of_the_mapping_is_saved_and_can_be_undone(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    row = list(page.data_editor[0].value["column"]).index("city")
    key = f"mapping_{draft_id}_All_5_0"
    page.session_state[key] = {"edited_rows": {row: {"attribute": "Region"}}, "added_rows": [], "deleted_rows": []}
    page.run()
    assert saved_attribute(workspace, draft_id, "city") == "region"
    page.button(key="undo").click().run()
    assert saved_attribute(workspace, draft_id, "city") == "city"


def test_pii_of_an_attribute_cannot_be_taken_away_while_mapping(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    row = list(page.data_editor[0].value["column"]).index("email_addr")
    key = f"mapping_{draft_id}_All_5_0"
    page.session_state[key] = {"edited_rows": {row: {"pii": False}}, "added_rows": [], "deleted_rows": []}
    page.run()
    assert list(page.data_editor[0].value["pii"])[row]
    assert "PII belongs to the attribute" in page.toast[0].value


def saved_attribute(workspace, draft_id, column):
    return {c["column"]: c["attribute"] for c in workspace.drafts.load(draft_id)["columns"]}[column]


def test_options_are_saved_with_the_draft(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    page = open_page("ingest", draft=draft_id, step="options")
    page.radio(key="replace").set_value("members").run()
    assert workspace.drafts.load(draft_id)["options"]["replace"] == "members"


def test_the_dry_run_comes_first_and_leaves_nothing(open_page, workspace, draft_id):
    open_page("ingest", draft=draft_id, step="match")
    page = open_page("ingest", draft=draft_id, step="run")
    assert "**2** new, **0** updated, **0** unchanged, **2** rejected" in texts(page)
    assert page.button(key="load").label == "Load 3 rows"
    assert workspace.history.list() == []
    assert workspace.profiles.count() == 0


def test_loading_runs_once_and_gives_the_figures_of_the_dry_run(open_page, workspace, draft_id):
    open_page("ingest", draft=draft_id, step="match")
    page = open_page("ingest", draft=draft_id, step="run")
    page.button(key="load").click().run()
    assert not page.exception
    workspace.jobs.run_waiting()
    (receipt,) = workspace.history.list()
    assert (receipt.status, receipt.created, receipt.rejected, receipt.duplicates) == ("Completed", 2, 2, 1)
    assert workspace.drafts.load(draft_id) is None
    assert "This draft is finished" in texts(open_page("ingest", draft=draft_id, step="run"))


def test_a_file_loaded_before_is_recognised(open_page, receipt, draft_id):
    assert "This file was loaded before" in texts(open_page("ingest", draft=draft_id, step="check"))
    page = open_page("ingest", draft=draft_id, step="options")
    assert page.button(key="continue").disabled
    page.toggle(key="again").set_value(True).run()
    assert not page.button(key="continue").disabled


@pytest.mark.parametrize("step", ["check", "match", "options", "run"])
def test_every_step_survives_a_file_that_is_gone(open_page, workspace, draft_id, step):
    workspace.landing.delete(workspace.drafts.load(draft_id)["landing_id"])
    page = open_page("ingest", draft=draft_id, step=step)
    assert "Send the file again" in texts(page).replace("\\", "")
