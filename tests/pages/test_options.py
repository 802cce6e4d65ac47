"""The options of a load: each is saved at once and says its effect with a count."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.clock import now
from ingest_core.models import ColumnMapping
from pages.ui import cells_told
from tests.pages.shown import texts


def options_of(workspace, draft_id):
    return workspace.drafts.load(draft_id)["options"]


@pytest.fixture
def page(open_page, draft_id):
    open_page("ingest", draft=draft_id, step="match")
    return open_page("ingest", draft=draft_id, step="options")


def test_rules_say_how_many_cells_they_are_about(page):
    shown = texts(page)
    assert "2 empty cells in 2 columns keep what is stored." in shown
    assert "No profile is stored yet, so no value can meet another." in shown


def test_a_rule_for_all_columns_counts_its_cells_again(page):
    page.button_group(key="all_blank").set_value("clear").run()
    assert "clear what is stored" in texts(page)


def test_replacing_says_whom_it_concerns(open_page, workspace, receipt, draft_id):
    workspace.drafts.load(draft_id)
    open_page("ingest", draft=draft_id, step="match")
    page = open_page("ingest", draft=draft_id, step="options")
    radio = page.radio(key="replace")
    captions = " ".join(radio.proto.captions)
    assert "all 2 members stay" in captions
    assert "At most 2 members leave" in captions
    assert "1 earlier upload counts for nothing" in captions
    radio.set_value("values").run()
    assert options_of(workspace, draft_id)["replace"] == "values"


def test_a_segment_says_how_many_may_join(open_page, workspace, receipt, page):
    page.button_group(key="segment_kind").set_value("create").run()
    assert page.button(key="continue").disabled
    page.text_input(key="segment_name").set_value("LEADS").run()
    assert "at most 5 people" in texts(page)


def test_addresses_are_checked_and_kept(page, workspace, draft_id):
    page.session_state["notify"] = ["asha@Example.com", "asha@example.com"]
    page.run()
    assert options_of(workspace, draft_id)["notify"] == ["asha@example.com"]
    assert "1 person is told when the load begins, takes long and ends. No mail server is set up" in texts(page)


def test_a_wrong_address_blocks_and_is_not_kept(page, workspace, draft_id):
    page.session_state["notify"] = ["nobody"]
    page.run()
    assert page.button(key="continue").disabled
    assert options_of(workspace, draft_id)["notify"] == []
    assert "Write each of them like" in texts(page)


def test_the_recipients_of_the_source_are_offered(open_page, workspace, source, draft_id):
    settings = source.settings.model_copy(update={"recipients": ("team@example.com",)})
    workspace.sources.update(source.source_id, settings=settings)
    open_page("ingest", draft=draft_id, step="match")
    page = open_page("ingest", draft=draft_id, step="options")
    assert page.multiselect(key="notify").options == ["team@example.com"]


def test_a_time_is_one_of_the_persons_clock_and_kept_in_utc(page, workspace, draft_id):
    page.button_group(key="when").set_value("later").run()
    moment = (now() + timedelta(hours=5)).replace(second=0, microsecond=0)
    page.session_state["at"] = moment
    page.run()
    assert options_of(workspace, draft_id)["at"].startswith(f"{moment:%Y-%m-%dT%H:%M}")
    assert "in 5 hours" in texts(page)
    page.session_state["at"] = now() - timedelta(hours=5)
    page.run()
    assert page.button(key="continue").disabled


def test_the_error_threshold_is_the_sources_and_says_how_many_rows_it_allows(page, workspace, source):
    page.button_group(key="threshold_mode").set_value("percent").run()
    page.number_input(key="threshold").set_value(40.0).run()
    assert workspace.sources.get(source.source_id).settings.threshold_percent == 40.0
    assert "2 of 5 may be rejected" in texts(page)
    page.button_group(key="threshold_mode").set_value("all").run()
    assert workspace.sources.get(source.source_id).settings.threshold_percent is None


class Found:
    rows = 100

    class Column:
        def __init__(self, name, filled):
            self.name, self.filled = name, filled

    columns = (Column("a", 1.0), Column("b", 0.5), Column("c", 0.99))


def test_cells_are_counted_by_the_rule_of_their_column():
    columns = [ColumnMapping(column=name, attribute=name) for name in "abc"]
    assert cells_told.blanks(Found, columns) == "51 empty cells in 2 columns keep what is stored."
    columns[2] = columns[2].model_copy(update={"blank": "clear"})
    said = "50 empty cells in 1 column keep what is stored; 1 in 1 column clears it."
    assert cells_told.blanks(Found, columns) == said
    columns[1] = columns[1].model_copy(update={"blank": "NULL"})
    assert cells_told.blanks(Found, columns).startswith("50 empty cells in 1 column are read by a rule of their own;")
    assert cells_told.blanks(Found, columns[:1]).startswith("No cell of the matched columns is empty")
    assert cells_told.conflicts(Found, columns, 3) == (
        "249 filled cells in 3 columns replace another stored value, where the person is known."
    )
    assert cells_told.conflicts(Found, columns, 0).startswith("No profile is stored yet")
