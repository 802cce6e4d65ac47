"""The schedule tab of a source and the log of arrivals: made with few clicks, paused, run, told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.arrivals.schedule import Rules
from ingest_core.clock import now
from tests.pages.conftest import FILE
from tests.pages.shown import press_inside, texts


@pytest.fixture
def schedule(workspace, source):
    rules = Rules(place="inbox", pattern="contacts*.tsv", every_seconds=900, mapping="auto", complete="renamed")
    return workspace.arrivals.add(source, rules)


@pytest.fixture
def tab(open_page, source):
    return lambda **more: open_page("source", source=str(source.source_id), tab="Schedule", **more)


def arrive(workspace, name="contacts.tsv", data=FILE):
    (workspace.inbox.folder() / name).write_text(data)
    for schedule in workspace.arrivals.schedules():
        workspace.arrivals.run_now(schedule.schedule_id, workspace.jobs.run_waiting, lambda _: None)


def plain(page):
    return texts(page).replace("\\", "")


def test_without_a_schedule_the_tab_says_what_one_does(tab):
    page = tab()
    assert "Nothing is looked for" in texts(page)
    assert page.button(key="first_schedule").label == "Create a schedule"


def test_one_click_makes_a_schedule_with_defaults_that_suit_most(tab, workspace, source, receipt):
    page = tab(schedule="new")
    page.button(key="schedule_save_new").click().run()
    (made,) = workspace.arrivals.schedules(source.source_id)
    assert (made.rules.place, made.rules.pattern, made.rules.every_seconds) == ("inbox", "*", 900)
    assert (made.rules.mapping, made.rules.after, made.rules.complete) == ("latest", "move", "stable")


def test_a_source_without_a_mapping_may_take_suggestions(tab, workspace):
    page = tab(schedule="new")
    page.button(key="schedule_save_new").click().run()
    assert workspace.arrivals.schedules()[0].rules.mapping == "auto"


def test_the_drawer_shows_which_files_fit_and_the_next_times(tab, workspace):
    for name in ("people_1.tsv", "people_2.tsv", "other.csv"):
        (workspace.inbox.folder() / name).write_text("x")
    page = tab(schedule="new")
    assert "3 files fit now" in plain(page)
    page.text_input(key="schedule_pattern_new").set_value("people_*.tsv").run()
    assert "2 files fit now" in plain(page)
    assert "other.csv" not in plain(page)
    assert "Next: " in plain(page)


def test_a_daily_time_is_kept_as_cron_in_a_zone(tab, workspace):
    page = tab(schedule="new")
    page.selectbox(key="schedule_often_new").set_value("week").run()
    page.selectbox(key="schedule_weekday_new").set_value("Friday")
    page.selectbox(key="schedule_zone_new").set_value("Asia/Kolkata").run()
    page.button(key="schedule_save_new").click().run()
    rules = workspace.arrivals.schedules()[0].rules
    assert (rules.cron, rules.zone, rules.every_seconds) == ("0 6 * * 5", "Asia/Kolkata", None)


def test_what_is_wrong_is_said_while_it_is_typed_and_not_saved(tab, workspace):
    page = tab(schedule="new")
    page.selectbox(key="schedule_often_new").set_value("cron").run()
    page.text_input(key="schedule_cron_new").set_value("every day").run()
    assert "cron expression cannot be used" in plain(page)
    page.button(key="schedule_save_new").click().run()
    assert page.error
    assert workspace.arrivals.schedules() == []


def test_editing_begins_with_what_is_and_changes_only_what_is_touched(tab, workspace, schedule):
    page = tab(schedule="1")
    assert page.text_input(key="schedule_pattern_1").value == "contacts*.tsv"
    page.segmented_control(key="schedule_after_1").set_value("leave").run()
    page.button(key="schedule_save_1").click().run()
    changed = workspace.arrivals.get(1).rules
    assert changed == schedule.rules.model_copy(update={"after": "leave"})


def test_an_interval_without_a_preset_stays(tab, workspace, source):
    made = workspace.arrivals.add(source, Rules(place="inbox", every_seconds=1800))
    page = tab(schedule=str(made.schedule_id))
    page.button(key=f"schedule_save_{made.schedule_id}").click().run()
    assert workspace.arrivals.get(made.schedule_id).rules.every_seconds == 1800


def test_a_schedule_is_paused_resumed_and_removed(tab, workspace, schedule):
    page = tab()
    assert "Every 15 minutes" in plain(page)
    page.button(key="pause_1").click().run()
    assert workspace.arrivals.get(1).is_paused
    assert "Paused" in plain(page)
    page.button(key="pause_1").click().run()
    assert not workspace.arrivals.get(1).is_paused
    press_inside(page, "run_1", "remove_1")
    assert workspace.arrivals.schedules() == []


def test_run_now_is_due_at_once(tab, workspace, schedule):
    page = tab()
    page.button(key="run_1").click().run()
    assert workspace.arrivals.get(1).next_at <= now()


def test_a_place_that_is_down_is_said_with_the_next_try(tab, workspace, source, tmp_path):
    from ingest_core.transport.places import FolderPlace

    share = tmp_path / "share"
    share.mkdir()
    workspace.destinations.add("Share", FolderPlace(path=str(share)))
    made = workspace.arrivals.add(source, Rules(place="Share", every_seconds=900))
    share.rmdir()
    workspace.arrivals.run_now(made.schedule_id, lambda: None, lambda _: None)
    page = tab()
    assert "Needs attention" in plain(page)
    assert "tried again" in plain(page)


def test_the_log_shows_each_file_with_its_state_and_filters_stand_in_the_url(tab, workspace, schedule, open_page):
    arrive(workspace)
    arrive(workspace, "contacts_2.tsv", "")
    page = tab()
    (table,) = [one.value for one in page.dataframe if "request_id" in one.value]
    assert list(table["file"]) == ["contacts_2.tsv", "contacts.tsv"]
    assert [state[0] for state in table["state"]] == ["Refused", "Loaded"]
    assert "empty" in table["why"][0]
    page = tab(arrival_state="Loaded")
    (table,) = [one.value for one in page.dataframe if "request_id" in one.value]
    assert list(table["file"]) == ["contacts.tsv"]
    page = open_page("arrivals", arrival_name="_2")
    (table,) = [one.value for one in page.dataframe if "request_id" in one.value]
    assert list(table["file"]) == ["contacts_2.tsv"]


def test_the_page_of_all_arrivals_is_empty_before_the_first_schedule(open_page):
    assert "Nothing is looked for" in texts(open_page("arrivals"))


def test_names_that_look_like_markup_are_shown_as_they_are(tab, workspace, source):
    workspace.arrivals.add(source, Rules(place="inbox", pattern="**a**_[x](y)*", every_seconds=900))
    assert "**a**_[x](y)*" in plain(tab())
    assert r"\*\*a\*\*" in texts(tab())


def test_a_paused_schedule_says_how_to_go_on(tab, workspace, schedule):
    workspace.arrivals.pause(1)
    assert "Resume it to look again" in texts(tab())
    assert workspace.arrivals.get(1).next_at - now() <= timedelta(minutes=15)


def test_a_schedule_that_somebody_removed_is_said_with_the_next_move(tab, workspace, schedule):
    workspace.arrivals.remove(1)
    page = tab(schedule="1")
    assert "look at the list" in plain(page)
    assert "schedule list" not in plain(page)
