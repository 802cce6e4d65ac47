"""Matching: values that do not fit are asked about, a ticked box marks the attribute, every guess has its reason."""

from __future__ import annotations

import pytest

from tests.pages.shown import texts

TABLE = {"added_rows": [], "deleted_rows": []}


@pytest.fixture
def page(open_page, draft_id):
    return open_page("ingest", draft=draft_id, step="match")


@pytest.fixture
def decided(page):
    """Every guess is confirmed."""
    while open_ := [button for button in page.button if (button.key or "").startswith("yes_")]:
        open_[0].click().run()
    return page


def edit(page, draft_id, column, **cells):
    row = list(page.data_editor[0].value["column"]).index(column)
    version = page.session_state["mapping_version"]
    page.session_state[f"mapping_{draft_id}_All_5_{version}"] = {"edited_rows": {row: cells}, **TABLE}
    return page.run()


def column(workspace, draft_id, name):
    return next(c for c in workspace.drafts.load(draft_id)["columns"] if c["column"] == name)


class TestValuesThatDoNotFit:
    def test_they_are_counted_and_need_not_be_answered(self, decided):
        said = texts(decided)
        assert "1 column holds values that do not fit" in said
        assert "1 of 4 values do not fit **E\\-mail** (E-mail address)" in said
        assert not decided.button(key="continue").disabled

    def test_an_answer_is_saved_and_the_question_goes(self, decided, workspace, draft_id):
        decided.radio(key="misfit_email_addr").set_value("empty").run()
        decided.button(key="judge_email_addr").click().run()
        assert column(workspace, draft_id, "email_addr")["bad_cell"] == "empty"
        assert "Worth a look" not in texts(decided)

    def test_to_reject_them_is_an_answer_too(self, decided, workspace, draft_id):
        decided.button(key="judge_email_addr").click().run()
        assert column(workspace, draft_id, "email_addr")["bad_cell"] == "reject"
        assert "Worth a look" not in texts(decided)
        decided.button(key="undo").click().run()
        assert "Worth a look: email" in texts(decided).replace("\\", "")

    def test_an_attribute_that_fits_nothing_is_noticed(self, decided, draft_id):
        decided.button(key="judge_email_addr").click().run()
        edit(decided, draft_id, "fname", attribute="Birth date")
        assert "All 5 values do not fit" in texts(decided)


class TestPersonalData:
    def test_a_ticked_box_asks_and_marks_the_attribute(self, page, workspace, draft_id):
        edit(page, draft_id, "city", pii=True)
        assert "cannot be taken back" in texts(page)
        assert not workspace.attributes.get("city").pii
        page.session_state["mark_pii"] = "city"  # AppTest knows no reruns of a part: the dialog is drawn along
        page.button(key="confirm_pii").click().run()
        assert workspace.attributes.get("city").pii
        page.run()
        assert page.data_editor[0].value.set_index("column").loc["city", "pii"]

    def test_an_attribute_that_holds_values_is_refused_in_words(self, open_page, workspace, receipt, draft_id):
        page = open_page("ingest", draft=draft_id, step="match")
        edit(page, draft_id, "city", pii=True)
        page.session_state["mark_pii"] = "city"
        page.button(key="confirm_pii").click().run()
        assert "Create a new attribute marked as PII" in page.error[0].value.replace("\\", "")
        assert not workspace.attributes.get("city").pii

    def test_a_marked_column_is_loaded_and_masked(self, open_page, workspace, draft_id):
        workspace.attributes.mark_pii("city")
        open_page("ingest", draft=draft_id, step="match")
        page = open_page("ingest", draft=draft_id, step="run")
        page.button(key="load").click().run()
        workspace.jobs.run_waiting()
        (receipt,) = workspace.history.list()
        assert receipt.status == "Completed"
        assert workspace.profiles.show("crmid", "C1")["attributes"]["city"]["value"] != "Thane"

    def test_a_skipped_column_has_nothing_to_mark(self, page, draft_id):
        edit(page, draft_id, "city", attribute="Skip this column")
        edit(page, draft_id, "city", pii=True)
        assert "Match the column to an attribute first" in page.toast[0].value


def test_every_guess_has_its_reason(page):
    table = page.data_editor[0].value
    assert all(table["why"])
    assert list(table.columns)[:5] == ["column", "state", "examples", "attribute", "why"]
