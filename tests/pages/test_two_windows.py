"""Two windows on the same draft: the later one says so and overwrites nothing."""

from __future__ import annotations

import pytest

from pages.ui.draft import Draft
from tests.pages.shown import texts

SAID = "This ingest was changed in another window"


@pytest.fixture
def elsewhere(workspace, draft_id):
    """elsewhere(column, attribute): another window matches a column."""

    def change(name, attribute):
        found = workspace.drafts.read(draft_id)
        state, revision = found
        columns = [{**c, "attribute": attribute} if c["column"] == name else c for c in state["columns"]]
        workspace.drafts.save_over(draft_id, {**state, "columns": columns}, revision)

    return change


def attribute(workspace, draft_id, column):
    return {c["column"]: c["attribute"] for c in workspace.drafts.load(draft_id)["columns"]}[column]


def test_what_another_window_matched_is_not_overwritten_by_an_edit(open_page, workspace, draft_id, elsewhere):
    page = open_page("ingest", draft=draft_id, step="match")
    elsewhere("city", "region")
    row = list(page.data_editor[0].value["column"]).index("city")
    key = f"mapping_{draft_id}_All_5_0"
    page.session_state[key] = {"edited_rows": {row: {"attribute": "Gender"}}, "added_rows": [], "deleted_rows": []}
    page.run()
    assert SAID in texts(page)
    assert not page.data_editor
    assert attribute(workspace, draft_id, "city") == "region"


def test_it_goes_on_from_what_is_there_now(open_page, workspace, draft_id, elsewhere):
    page = open_page("ingest", draft=draft_id, step="match")
    elsewhere("city", "region")
    page.run()
    assert SAID in texts(page)
    page.button(key="look_again").click().run()
    assert SAID not in texts(page)
    assert page.data_editor[0].value.set_index("column").loc["city", "attribute"] == "Region"


def test_an_old_answer_does_not_read_the_file_another_way(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="check")
    state, revision = workspace.drafts.read(draft_id)
    workspace.drafts.save_over(draft_id, {**state, "overrides": {"has_header": False}}, revision)
    page.run()
    page.button(key="look_again").click().run()
    assert workspace.drafts.load(draft_id)["overrides"] == {"has_header": False}
    assert list(page.dataframe[0].value["c0"])[:2] == ["cust_id", "C1"]


def test_undo_in_an_old_window_changes_nothing(open_page, workspace, draft_id, elsewhere):
    page = open_page("ingest", draft=draft_id, step="match")
    row = list(page.data_editor[0].value["column"]).index("city")
    key = f"mapping_{draft_id}_All_5_0"
    page.session_state[key] = {"edited_rows": {row: {"attribute": "Gender"}}, "added_rows": [], "deleted_rows": []}
    page.run()
    elsewhere("city", "region")
    page.button(key="undo").click().run()
    assert not page.exception
    assert SAID in texts(page)
    assert attribute(workspace, draft_id, "city") == "region"


def test_one_window_alone_never_hears_of_it(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    page.selectbox(key="rule_blank_cust_id").set_value("clear").run()
    page.button(key="undo").click().run()
    page.button(key="back").click().run()
    assert page.title[0].value == "Check the file"
    assert SAID not in texts(page)


def test_a_draft_loaded_in_another_window_says_so(open_page, workspace, draft_id):
    page = open_page("ingest", draft=draft_id, step="match")
    workspace.drafts.delete(draft_id)
    page.run()
    assert "This draft is finished" in texts(page)


def test_a_file_of_another_window_is_kept(workspace, draft_id):
    """The window that lost does not delete the bytes of the one that won."""
    mine = Draft.load(workspace, draft_id)
    state, revision = workspace.drafts.read(draft_id)
    writer = workspace.landing.create("other.tsv", 4)
    writer.write(b"a\n1\n")
    workspace.drafts.save_over(draft_id, {**state, "landing_id": writer.finish()}, revision)
    with pytest.raises(Exception, match="another window"):
        mine.drop_file()
    assert writer.landing_id in workspace.landing.ids()
    assert state["landing_id"] in workspace.landing.ids()
