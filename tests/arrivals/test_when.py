"""When a schedule looks: presets, cron as cron means it, and clocks that change."""

from __future__ import annotations

from datetime import datetime

import pytest

from ingest_core.arrivals.schedule import Rules
from ingest_core.arrivals.when import check_when, in_words, next_after, next_times, seconds_given
from ingest_core.errors import InputError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def times(cron: str, zone: str, start: str, count: int = 3) -> list[str]:
    rules = Rules(place="x", cron=cron, zone=zone)
    return [time.isoformat() for time in next_times(rules, at(start), count)]


def test_a_day_begins_where_its_zone_says():
    assert times("0 6 * * *", "Asia/Kolkata", "2026-11-22T00:30", 2) == [
        "2026-11-23T06:00:00+05:30",
        "2026-11-24T06:00:00+05:30",
    ]


def test_a_time_that_the_clock_leaves_out_is_made_up_for():
    assert times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_comes_twice_counts_once():
    assert times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_what_names_no_hour_goes_on_through_the_hour_that_comes_twice():
    assert times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00", 4) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


@pytest.mark.parametrize("weekday", ["0", "7", "sun", "SUN"])
def test_the_week_begins_on_sunday(weekday):
    assert times(f"0 6 * * {weekday}", "UTC", "2026-11-22T07:00", 1) == ["2026-11-29T06:00:00+00:00"]


@pytest.mark.parametrize(
    ("weekday", "days"),
    [("1-5", [23, 24, 25, 26, 27, 30]), ("fri-mon", [22, 23, 27, 28, 29, 30]), ("*/2", [22, 24, 26, 28, 29])],
)
def test_days_of_the_week_may_be_ranges(weekday, days):
    found = times(f"0 6 * * {weekday}", "UTC", "2026-11-22T00:00", len(days))
    assert [int(time[8:10]) for time in found] == days


def test_day_and_weekday_together_mean_either():
    found = times("0 6 13 * 5", "UTC", "2026-11-01T00:00", 3)
    assert [time[:10] for time in found] == ["2026-11-06", "2026-11-13", "2026-11-20"]


def test_an_interval_has_its_times_whenever_it_was_made():
    rules = Rules(place="x", every_seconds=900)
    assert next_after(rules, at("2026-11-22T12:03:07")) == at("2026-11-22T12:15")
    assert next_after(rules, at("2026-11-22T12:15")) == at("2026-11-22T12:30")


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"cron": "0 6 * *"}, "bad_cron"),
        ({"cron": "61 6 * * *"}, "bad_cron"),
        ({"cron": "0 6 * * 9"}, "bad_cron"),
        ({"cron": "0 6 * * someday"}, "bad_cron"),
        ({"cron": "0 6 30 2 *"}, "bad_cron"),
        ({"cron": "0 6 * * *", "zone": "Mars/Olympus"}, "bad_zone"),
        ({"cron": "0 6 * * *", "zone": "../../etc/passwd"}, "bad_zone"),
        ({"cron": "0 6 * * *", "every_seconds": 60}, "bad_interval"),
        ({}, "bad_interval"),
    ],
)
def test_what_never_comes_or_says_nothing_is_refused(rules, code):
    with pytest.raises(InputError) as caught:
        check_when(Rules(place="x", **rules), at("2026-11-22"))
    assert caught.value.code == code


@pytest.mark.parametrize(("text", "seconds"), [("15m", 900), ("1h", 3600), ("2 d", 172_800), ("90M", 5400)])
def test_intervals_are_written_short(text, seconds):
    assert seconds_given(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0m", "15", "15s", "-5m", "40d", "1.5h"])
def test_an_interval_that_is_none_is_refused(text):
    with pytest.raises(InputError) as caught:
        seconds_given(text)
    assert caught.value.code == "bad_interval"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"every_seconds": 900}, "every 15 minutes"),
        ({"every_seconds": 3600}, "every hour"),
        ({"every_seconds": 172_800}, "every 2 days"),
        ({"cron": "0 6 * * *"}, "every day at 06:00"),
        ({"cron": "5 18 * * 1-5"}, "on weekdays at 18:05"),
        ({"cron": "0 6 * * 7"}, "every Sunday at 06:00"),
        ({"cron": "*/5 * 1 * *"}, "cron */5 * 1 * *"),
    ],
)
def test_how_often_is_said_in_words(rules, words):
    assert in_words(Rules(place="x", **rules)) == words
