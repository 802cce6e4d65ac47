"""What a schedule takes, when, in which order, and what becomes of the files at their place."""

from __future__ import annotations

import pytest

from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from tests.arrivals.conftest import people


class TestTaking:
    def test_files_are_loaded_in_the_order_of_their_names_and_moved(self, night):
        night.schedule()
        for name in ("c.tsv", "a.tsv", "b.tsv"):
            night.lay(name)
        night.pass_by(20)
        assert night.history() == ["a.tsv", "b.tsv", "c.tsv"]
        assert night.states() == {"a.tsv": "loaded", "b.tsv": "loaded", "c.tsv": "loaded"}
        assert night.shelf.files() == []
        assert night.shelf.files("done") == ["a.tsv", "b.tsv", "c.tsv"]
        assert night.kernel.workspace.profiles.count() == 3
        assert night.kernel.workspace.landing.ids() == []

    def test_the_log_says_when_from_where_and_which_upload(self, night):
        schedule = night.schedule(folder="in")
        night.lay("in/a.tsv")
        night.pass_by(20)
        (arrival,) = night.log()
        (receipt,) = night.kernel.workspace.history.list()
        assert (arrival.place, arrival.path, arrival.schedule_id) == ("shelf", "in/a.tsv", schedule.schedule_id)
        assert (arrival.request_id, arrival.sha256) == (receipt.request_id, receipt.sha256)
        assert arrival.size == len(people("a"))
        assert arrival.seen_at <= arrival.taken_at <= arrival.ended_at
        assert (arrival.after, arrival.after_note) == ("done", "Moved to done.")
        assert receipt.uploaded_by == f"schedule {schedule.schedule_id}"
        assert night.shelf.files("in/done") == ["a.tsv"]

    def test_nothing_is_looked_at_before_its_time(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.turn()
        night.turn(minutes=14)
        assert night.shelf.calls == []
        night.turn(minutes=1)
        assert night.states() == {"a.tsv": "waiting"}

    def test_only_what_the_pattern_names_is_taken(self, night):
        night.schedule(pattern=r"people_\d{4}\.tsv", is_regex=True)
        for name in ("people_2026.tsv", "people_x.tsv", "xpeople_2026.tsv", "people_2026.tsv2", ".people_2026.tsv"):
            night.lay(name, "K1")
        night.pass_by(20)
        assert night.history() == ["people_2026.tsv"]

    def test_runs_that_were_missed_are_one(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.wall.step(days=3)
        night.turn()
        night.turn(seconds=10)
        assert night.shelf.calls.count("connect") == 2
        assert night.states() == {"a.tsv": "submitted"}

    def test_a_paused_schedule_and_an_archived_source_are_not_looked_at(self, night):
        schedule = night.schedule()
        night.arrivals.pause(schedule.schedule_id)
        night.turn(hours=1)
        night.arrivals.resume(schedule.schedule_id)
        night.kernel.workspace.sources.archive(night.source.source_id)
        night.turn(hours=1)
        assert night.shelf.calls == []

    def test_a_clock_that_went_back_does_not_stop_a_schedule(self, night):
        night.wall.step(days=400)
        night.schedule()
        night.wall.step(days=-400)
        night.lay("a.tsv")
        night.pass_by(20)
        assert night.states() == {"a.tsv": "loaded"}

    def test_an_empty_file_is_refused_and_put_aside_with_a_note(self, night):
        night.schedule()
        night.shelf.lay("a.tsv", "")
        night.pass_by(20)
        (arrival,) = night.log()
        assert (arrival.state, arrival.reason["code"]) == ("refused", "empty_file")
        assert night.shelf.files("failed") == ["a.tsv", "a.tsv.why.txt"]
        assert "empty" in (night.shelf.folder / "failed" / "a.tsv.why.txt").read_text()

    def test_columns_without_a_mapping_are_refused_with_the_way_out(self, night):
        night.schedule()
        night.shelf.lay("a.tsv", "x\ty\n1\t2\n")
        night.pass_by(20)
        (arrival,) = night.log()
        assert (arrival.state, arrival.reason["code"]) == ("refused", "no_mapping")
        assert night.kernel.workspace.landing.ids() == []

    def test_suggestions_are_taken_when_the_schedule_says_so(self, night):
        night.schedule(mapping="auto")
        night.shelf.lay("a.tsv", "crmid\temail\nK9\tk9@example.in\n")
        night.pass_by(20)
        assert night.states() == {"a.tsv": "loaded"}

    def test_its_own_threshold_stops_an_upload(self, night):
        night.schedule(threshold_percent=0)
        night.shelf.lay("a.tsv", "crmid\temail\tcity\nK1\tnot an address\tPune\nK2\tk2@example.in\tPune\n")
        night.pass_by(20)
        (arrival,) = night.log()
        assert (arrival.state, arrival.reason["code"]) == ("failed", "too_many_rejects")
        assert "more than the schedule allows" in arrival.reason["message"]
        assert night.shelf.files("failed") == ["a.tsv", "a.tsv.why.txt"]


class TestWhole:
    def test_a_growing_file_is_not_taken_and_those_after_it_wait(self, night):
        night.schedule()
        night.lay("a.tsv", "A1")
        night.lay("b.tsv")
        night.turn(minutes=15)
        night.lay("a.tsv", "A1", "A2")
        night.turn(seconds=10)
        assert night.states() == {"a.tsv": "waiting", "b.tsv": "waiting"}
        assert [one.reason["code"] for one in night.log()] == ["still_settling", "waits_its_turn"]
        night.turn(seconds=10)
        assert night.history() == ["a.tsv", "b.tsv"]

    def test_a_file_that_never_gets_whole_does_not_hold_the_others_for_ever(self, night):
        night.schedule(complete="control")
        night.lay("a.tsv")
        night.lay("b.tsv")
        night.lay("b.done")
        night.pass_by(50)
        assert night.history() == []
        night.pass_by(30)
        assert night.history() == ["b.tsv"]
        assert night.states()["a.tsv"] == "waiting"

    def test_a_control_file_says_that_it_is_whole_and_goes_with_it(self, night):
        night.schedule(complete="control", control=".ctl")
        night.lay("a.tsv")
        night.turn(minutes=15)
        assert night.log()[0].reason["code"] == "no_control_file"
        night.lay("a.tsv.ctl")
        night.pass_by(20)
        assert night.states() == {"a.tsv": "loaded"}
        assert (night.shelf.files(), night.shelf.files("done")) == ([], ["a.tsv"])

    def test_a_control_file_of_yesterday_says_nothing_of_the_file_of_today(self, night):
        night.schedule(complete="control", after="leave")
        night.lay("a.tsv.done")
        night.wall.step(minutes=15)
        night.lay("a.tsv")
        night.turn()
        assert night.log()[0].reason["code"] == "old_control_file"

    def test_a_renamed_file_is_taken_at_first_sight(self, night):
        night.schedule(complete="renamed")
        night.lay("b.tsv.part", "B")
        night.lay("a.tsv")
        night.turn(minutes=15)
        assert night.states() == {"a.tsv": "submitted"}

    def test_a_file_that_changes_while_it_is_fetched_is_taken_as_it_is_in_the_end(self, night):
        night.schedule()
        night.lay("a.tsv", "A1")
        night.turn(minutes=15)

        def change(call, name):
            if call == "fetch":
                night.shelf.before = lambda *_: None
                night.lay("a.tsv", "A1", "A2")

        night.shelf.before = change
        night.turn(seconds=10)
        assert night.log()[0].reason["code"] == "file_changed"
        assert night.kernel.workspace.landing.ids() == []
        night.pass_by(5)
        assert night.history() == ["a.tsv"]
        assert night.kernel.workspace.profiles.count() == 2

    def test_a_file_that_goes_away_before_it_is_whole_is_told_as_gone(self, night):
        night.schedule()
        path = night.lay("a.tsv")
        night.turn(minutes=15)
        path.unlink()
        night.turn(seconds=10)
        assert night.states() == {"a.tsv": "gone"}


class TestOnce:
    def test_a_file_that_is_left_there_is_taken_once(self, night):
        night.schedule(after="leave")
        night.lay("a.tsv")
        night.pass_by(120)
        assert (night.history(), len(night.log())) == (["a.tsv"], 1)
        assert night.shelf.calls.count("fetch") == 1

    def test_the_same_bytes_under_the_same_name_are_skipped_with_a_line_in_the_log(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.pass_by(20)
        night.lay("a.tsv")
        night.pass_by(20)
        assert night.history() == ["a.tsv"]
        first, second = night.log()
        assert (second.state, second.reason["code"]) == ("skipped", "taken_before")
        assert second.request_id == first.request_id
        assert night.shelf.files("done") == ["2-a.tsv", "a.tsv"]

    def test_other_bytes_under_the_same_name_are_a_new_file(self, night):
        night.schedule(after="leave")
        night.lay("a.tsv", city="Pune")
        night.pass_by(20)
        night.lay("a.tsv", city="Goa")
        night.pass_by(20)
        assert night.history() == ["a.tsv", "a.tsv"]
        assert night.kernel.values("crmid", "a")["city"] == "Goa"

    def test_the_same_bytes_under_another_name_are_already_loaded(self, night):
        night.schedule()
        night.lay("a.tsv", "K1")
        night.pass_by(20)
        night.lay("b.tsv", "K1")
        night.pass_by(20)
        assert night.history() == ["a.tsv"]
        assert night.log()[1].reason["code"] == "already_loaded"
        assert night.states()["b.tsv"] == "skipped"
        assert night.shelf.files("done") == ["a.tsv", "b.tsv"]

    def test_twins_that_wait_together_are_loaded_once(self, night):
        night.schedule()
        night.lay("a.tsv", "K1")
        night.lay("b.tsv", "K1")
        night.pass_by(20)
        assert night.states() == {"a.tsv": "loaded", "b.tsv": "skipped"}
        assert [one.status for one in night.kernel.workspace.history.list()].count("Completed") == 1

    def test_a_file_that_failed_and_is_put_back_is_tried_again(self, night):
        night.schedule(threshold_percent=0)
        bad = "crmid\temail\tcity\nK1\tnobody\tPune\nK2\tk2@example.in\tPune\n"
        night.shelf.lay("a.tsv", bad, now())
        night.pass_by(20)
        (schedule,) = night.arrivals.schedules()
        night.arrivals.change(schedule.schedule_id, schedule.rules.model_copy(update={"threshold_percent": None}))
        night.shelf.move("failed/a.tsv", "a.tsv")
        night.pass_by(20)
        assert [one.state for one in night.log()] == ["failed", "loaded"]

    def test_two_schedules_of_a_source_over_one_place_load_a_file_once(self, night):
        night.schedule(after="leave")
        night.schedule(after="leave", pattern="a*")
        night.lay("a.tsv")
        night.pass_by(20)
        assert night.history() == ["a.tsv"]
        assert sorted(one.state for one in night.log()) == ["loaded", "skipped"]


class TestAfter:
    def test_a_file_may_be_deleted_once_it_is_loaded_and_never_when_it_failed(self, night):
        night.schedule(after="delete")
        night.lay("a.tsv")
        night.shelf.lay("b.tsv", "x\n1\n")
        night.pass_by(20)
        assert night.shelf.files() == []
        assert night.shelf.files("done") == []
        assert night.shelf.files("failed") == ["b.tsv", "b.tsv.why.txt"]

    def test_nothing_is_put_away_before_the_upload_ended(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.pass_by(20, load=False)
        assert (night.states(), night.shelf.files()) == ({"a.tsv": "submitted"}, ["a.tsv"])
        night.kernel.workspace.jobs.run_waiting()
        night.turn()
        night.turn()
        assert night.shelf.files("done") == ["a.tsv"]

    def test_another_file_that_took_the_name_meanwhile_is_not_put_away(self, night):
        night.schedule()
        night.lay("a.tsv", "K1")
        night.turn(minutes=15)
        night.turn(seconds=10)
        night.lay("a.tsv", "K1", "K2")
        night.kernel.workspace.jobs.run_waiting()
        night.turn(seconds=1)
        night.turn(seconds=1)
        assert "Another file" in night.log()[0].after_note
        assert night.shelf.files() == ["a.tsv"]
        night.pass_by(20)
        assert night.history() == ["a.tsv", "a.tsv"]

    def test_it_is_tried_until_it_succeeds(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.turn(minutes=15)
        night.turn(seconds=10)
        night.kernel.workspace.jobs.run_waiting()
        night.shelf.cut("move", times=3)
        night.pass_by(20)
        assert night.log()[0].after_attempts == 3
        assert night.shelf.files("done") == ["a.tsv"]

    def test_what_a_removed_schedule_took_goes_its_way(self, night):
        schedule = night.schedule()
        night.lay("a.tsv")
        night.turn(minutes=15)
        night.turn(seconds=10)
        night.arrivals.remove(schedule.schedule_id)
        night.pass_by(5)
        assert (night.states(), night.shelf.files("done")) == ({"a.tsv": "loaded"}, ["a.tsv"])
        assert night.arrivals.schedules() == []


class TestTrouble:
    def test_a_place_that_is_down_is_said_tried_again_and_nothing_is_lost(self, night):
        schedule = night.schedule()
        night.lay("a.tsv")
        night.shelf.is_down = True
        night.pass_by(60)
        shown = night.arrivals.get(schedule.schedule_id)
        assert (shown.error["code"], shown.looked_at) == ("place_unreachable", None)
        assert shown.attempts >= 5
        night.shelf.is_down = False
        night.pass_by(20)
        shown = night.arrivals.get(schedule.schedule_id)
        assert (shown.error, shown.attempts) == (None, 0)
        assert night.history() == ["a.tsv"]

    def test_whoever_is_concerned_is_told_once_that_a_place_is_down(self, night):
        night.schedule(notify=("ops@example.com",))
        night.shelf.is_down = True
        night.pass_by(120)
        (notice,) = night.kernel.workspace.notices.list()
        assert (notice.kind, notice.sendings[0].recipient) == ("schedule_failed", "ops@example.com")
        night.shelf.is_down = False
        night.pass_by(20)
        night.shelf.is_down = True
        night.pass_by(120)
        assert len(night.kernel.workspace.notices.list()) == 2

    def test_whoever_is_concerned_is_told_of_a_file_that_was_refused(self, night):
        night.schedule(notify=("ops@example.com",))
        night.shelf.lay("a.tsv", "")
        night.pass_by(60)
        (notice,) = night.kernel.workspace.notices.list()
        assert (notice.kind, notice.subject) == ("arrival_refused", "CRM: a file was not loaded: a.tsv")
        assert "empty" in str(night.kernel.workspace.notices.get(notice.notice_id))

    def test_tries_get_rarer_up_to_the_regular_time(self, night):
        night.schedule()
        night.shelf.is_down = True
        night.turn(minutes=15)
        waits = []
        for _ in range(7):
            schedule = night.arrivals.get(1)
            waits.append(round((schedule.next_at - now()).total_seconds()))
            night.turn(seconds=waits[-1])
        assert waits[:4] == [30, 60, 120, 240]
        assert max(waits) <= 900

    def test_a_cut_connection_leaves_nothing_half(self, night):
        night.schedule()
        night.lay("a.tsv")
        night.turn(minutes=15)
        night.shelf.cut("fetch", times=2)
        night.turn(seconds=10)
        assert (night.states(), night.history()) == ({"a.tsv": "waiting"}, [])
        assert night.kernel.workspace.landing.ids() == []
        night.pass_by(20)
        assert night.history() == ["a.tsv"]

    def test_a_copy_that_is_lost_before_it_is_submitted_is_fetched_again(self, night, monkeypatch):
        night.schedule()
        night.lay("a.tsv")
        night.turn(minutes=15)
        monkeypatch.setenv("ONRAMP_FAULT", "arrival: submit:before:error")
        with pytest.raises(StateError):
            night.turn(seconds=10)
        monkeypatch.delenv("ONRAMP_FAULT")
        for landing_id in night.kernel.workspace.landing.ids():
            night.kernel.workspace.landing.delete(landing_id)
        night.pass_by(20)
        assert night.history() == ["a.tsv"]
        assert night.shelf.calls.count("fetch") == 2


class TestSchedules:
    @pytest.mark.parametrize(
        ("rules", "code"),
        [
            ({"pattern": "[", "is_regex": True}, "bad_pattern"),
            ({"pattern": "in/*.tsv"}, "bad_pattern"),
            ({"folder": "../other"}, "bad_file_name"),
            ({"mapping": 7}, "no_such_mapping"),
            ({"segment": "create:NEW"}, "bad_segment_option"),
            ({"segment": "add:NOBODY"}, "no_such_segment"),
            ({"notify": ("nobody",)}, "bad_address"),
            ({"control": "a/b"}, "bad_control"),
        ],
    )
    def test_rules_that_cannot_work_are_refused_when_they_are_made(self, night, rules, code):
        with pytest.raises(InputError) as caught:
            night.schedule(**rules)
        assert caught.value.code == code
        assert night.arrivals.schedules() == []

    def test_the_same_schedule_made_twice_is_one(self, night):
        assert night.schedule() == night.schedule()
        assert len(night.arrivals.schedules()) == 1

    def test_a_large_file_is_refused_before_it_is_fetched(self, night, monkeypatch):
        night.schedule()
        night.lay("a.tsv")
        object.__setattr__(night.kernel.workspace.settings, "file_limit_bytes", 5)
        night.pass_by(20)
        assert night.log()[0].reason["code"] == "too_large"
        assert "fetch" not in night.shelf.calls

    def test_files_that_would_match_are_shown_before_it_is_made(self, night):
        night.lay("in/a.tsv")
        night.lay("in/b.csv")
        rules = night.schedule(folder="in").rules
        assert [entry.name for entry in night.arrivals.matching(rules)] == ["in/a.tsv"]

    def test_run_now_looks_until_files_have_settled(self, night):
        schedule = night.schedule()
        night.lay("a.tsv")
        found = night.arrivals.run_now(
            schedule.schedule_id,
            night.kernel.workspace.jobs.run_waiting,
            lambda seconds: night.wall.step(seconds=seconds),
        )
        assert [(one.file, one.state) for one in found] == [("a.tsv", "loaded")]

    def test_an_unknown_schedule_is_said(self, night):
        with pytest.raises(InputError) as caught:
            night.arrivals.get(5)
        assert caught.value.code == "no_such_schedule"
