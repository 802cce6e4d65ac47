"""Tickets: one file, one browser, a short time."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError, StateError
from pages.ui.arrivals import ARRIVAL_SECONDS, TICKET_SECONDS, Arrivals, browser_of


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def arrivals(clock):
    return Arrivals(clock)


def test_a_ticket_is_used_once(arrivals):
    token = arrivals.issue("d", "asha", "cookie", 100)
    assert arrivals.redeem(token, "cookie", 100).draft_id == "d"
    with pytest.raises(StateError):
        arrivals.redeem(token, "cookie", 100)


@pytest.mark.parametrize(("session", "late"), [("other", 0), ("cookie", TICKET_SECONDS), ("", 0)])
def test_a_ticket_is_refused_to_another_browser_and_after_its_time(arrivals, clock, session, late):
    token = arrivals.issue("d", "asha", "cookie", 100)
    clock.now += late
    with pytest.raises(StateError):
        arrivals.redeem(token, session, 10)


@pytest.mark.parametrize(("size", "code"), [(101, "file_too_large"), (0, "empty_file")])
def test_a_wrong_size_is_refused_before_a_byte_is_sent_and_leaves_the_ticket(arrivals, size, code):
    token = arrivals.issue("d", "asha", "cookie", 100)
    with pytest.raises(InputError) as refused:
        arrivals.redeem(token, "cookie", size)
    assert refused.value.code == code
    assert arrivals.redeem(token, "cookie", 100)


def test_a_page_replaces_a_ticket_before_it_ends(arrivals, clock):
    token = arrivals.issue("d", "asha", "cookie", 100)
    assert arrivals.is_open(token)
    clock.now += TICKET_SECONDS * 0.7
    assert not arrivals.is_open(token)


def test_an_arrival_is_collected_once_by_its_own_draft_when_complete(arrivals):
    ticket = arrivals.redeem(arrivals.issue("d", "asha", "cookie", 100), "cookie", 10)
    arrival = arrivals.begin(ticket, "f.tsv", 10, "land")
    assert arrivals.collect(arrival.arrival_id, "d") is None
    arrival.is_complete = True
    assert arrivals.collect(arrival.arrival_id, "another draft") is None
    assert arrivals.collect(arrival.arrival_id, "d") is arrival
    assert arrivals.collect(arrival.arrival_id, "d") is None


def test_arrivals_nobody_finished_are_given_back_for_deletion(arrivals, clock):
    ticket = arrivals.redeem(arrivals.issue("d", "asha", "cookie", 100), "cookie", 10)
    arrival = arrivals.begin(ticket, "f.tsv", 10, "land")
    assert arrivals.expired() == []
    clock.now += ARRIVAL_SECONDS
    assert arrivals.expired() == [arrival]
    with pytest.raises(StateError):
        arrivals.get(arrival.arrival_id, "cookie")


@pytest.mark.parametrize("cookie", ["", "plain", "2|zz|00|1", "2||00|1", "2|00", "1|767b41a0|05545496|1", "2|0|0|0"])
def test_a_cookie_of_another_form_stands_for_itself(cookie):
    assert browser_of(cookie) == cookie


def test_two_masks_of_one_token_are_one_browser():
    assert browser_of("2|767b41a0|05545496|1") == browser_of("2|5c7f2e7b|2f503b4d|1") == "732f1536"
