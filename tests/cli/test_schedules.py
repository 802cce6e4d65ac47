"""schedule and arrivals: made, shown, changed, run at once, and what the log says afterwards."""

from __future__ import annotations

import pytest


@pytest.fixture
def box(onramp):
    onramp.json("inbox", "list")  # makes the folder
    return onramp.home / "inbox"


def add(onramp, *options):
    return onramp.json("schedule", "add", "CRM", "--from", "inbox", "--every", "15m", "--complete", "renamed", *options)


def test_a_schedule_is_made_with_defaults_that_suit_most(onramp):
    made = onramp.json("schedule", "add", "CRM", "--from", "inbox", "--cron", "0 6 * * *", "--zone", "Asia/Kolkata")
    assert {
        "schedule_id": 1, "source": "CRM", "place": "inbox", "folder": "", "pattern": "*", "cron": "0 6 * * *",
        "zone": "Asia/Kolkata", "mapping": "latest", "after": "move", "complete": "stable", "reads": "rows",
        "is_paused": False, "error": None, "attempts": 0,
    }.items() <= made.items()  # fmt: skip
    assert made["next_at"].endswith("T00:30:00")
    assert onramp.json("schedule", "list", "--source", "CRM") == [made]
    assert onramp.json("schedule", "list", "--source", "Shop") == []
    assert "every day at 06:00" in onramp.run("schedule", "list").out


def test_a_file_in_the_inbox_is_loaded_and_put_away(onramp, box, people):
    add(onramp, "--pattern", "people*.tsv", "--auto")
    (box / "people.tsv").write_bytes(people.read_bytes())
    (box / "other.tsv").write_bytes(people.read_bytes())
    assert onramp.json("schedule", "show", "1")["files"] == ["people.tsv"]
    (arrival,) = onramp.json("schedule", "run-now", "1")
    (receipt,) = onramp.json("history")
    assert (arrival["file"], arrival["state"], arrival["request_id"]) == ("people.tsv", "loaded", receipt["request_id"])
    assert receipt["uploaded_by"] == "schedule 1"
    assert sorted(path.name for path in box.iterdir()) == ["done", "other.tsv"]
    assert onramp.json("arrivals", "--source", "CRM", "--state", "loaded", "--schedule", "1", "--name", "PEOPLE") == [
        arrival
    ]
    assert onramp.json("arrivals", "--state", "failed") == []
    assert "people.tsv" in onramp.run("arrivals").out


def test_running_again_finds_nothing_new(onramp, box, people):
    add(onramp, "--auto", "--after", "leave")
    (box / "people.tsv").write_bytes(people.read_bytes())
    assert len(onramp.json("schedule", "run-now", "1")) == 1
    assert onramp.json("schedule", "run-now", "1") == []
    assert len(onramp.json("history")) == 1


def test_what_is_not_given_stays(onramp):
    made = add(onramp, "--pattern", "a*", "--threshold", "2.5", "--notify", "asha@example.com")
    changed = onramp.json("schedule", "set", "1", "--cron", "5 6 * * *", "--notify", "none", "--threshold", "source")
    expected = {"cron": "5 6 * * *", "every_seconds": None, "notify": [], "threshold_percent": None}
    different = {name for name in made if made[name] != changed[name]}
    assert expected.items() <= changed.items()
    assert different == {*expected, "next_at"}
    assert made["threshold_percent"] == 2.5


def test_pause_resume_remove(onramp):
    add(onramp)
    assert onramp.json("schedule", "pause", "1")["is_paused"]
    assert onramp.refuse("schedule", "run-now", "1", exit_code=3)["code"] == "schedule_paused"
    assert not onramp.json("schedule", "resume", "1")["is_paused"]
    onramp.json("schedule", "remove", "1")
    assert onramp.json("schedule", "list") == []
    assert onramp.refuse("schedule", "show", "1")["code"] == "no_such_schedule"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--from", "nowhere", "--every", "15m"], "no_such_destination"),
        (["--from", "inbox"], "bad_interval"),
        (["--from", "inbox", "--every", "15"], "bad_interval"),
        (["--from", "inbox", "--cron", "daily"], "bad_cron"),
        (["--from", "inbox", "--every", "1h", "--threshold", "many"], "bad_threshold"),
        (["--from", "inbox", "--every", "1h", "--mapping", "newest"], "bad_mapping"),
        (["--from", "inbox", "--every", "1h", "--mapping", "3"], "no_such_mapping"),
    ],
)
def test_what_cannot_be_is_refused(onramp, arguments, code):
    assert onramp.refuse("schedule", "add", "CRM", *arguments)["code"] == code


def test_a_place_that_cannot_be_reached_is_exit_code_4_and_stands_in_the_list(onramp, tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    onramp.json("destination", "add", "Share", "--kind", "folder", "--path", folder)
    onramp.json("schedule", "add", "CRM", "--from", "Share", "--every", "1h")
    folder.rmdir()
    done = onramp.run("--json", "schedule", "run-now", "1")
    assert done.code == 4
    (listed,) = onramp.json("schedule", "list")
    assert (listed["error"]["code"], listed["attempts"]) == (done.json["error"]["code"], 1)
