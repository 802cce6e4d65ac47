"""A night on fast-forward: 200 arrivals over four transports with faults and restarts, on a clock that is moved."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack

import pytest

from ingest_core.arrivals.arrivals import Filters
from tests.arrivals.night import SETTLING, TAKING, Sender, Service, digest, prepare, proxied

FILES_EACH = 50
MOST_STEPS = 80


def all_is_done(service: Service, senders: list[Sender]) -> bool:
    if any(len(sender.sent) < sender.count for sender in senders):
        return False
    arrivals = service.start().arrivals
    is_open = arrivals.count(Filters(states=("waiting", "taken", "submitted")))
    return not is_open and all(not any(name in sender.site.files() for name in sender.sent) for sender in senders)


@pytest.mark.slow
def test_every_file_of_the_night_is_in_the_history_once_and_in_order(home, wall, site_of, monkeypatch):
    chance = random.Random(20261128)
    with ExitStack() as stack:
        sites = [site_of(kind) for kind in ("folder", "s3", "sftp", "ftps")]
        senders = [
            Sender(site, proxy, random.Random(chance.random()), FILES_EACH) for site, proxy in proxied(sites, stack)
        ]
        service = Service(home, wall, monkeypatch)
        stack.callback(service.stop)
        prepare(service, senders)
        for step in range(MOST_STEPS):
            for sender in senders:
                sender.leave_some()
                sender.trouble()
            service.turn(300)
            for sender in senders:
                sender.write_rest()
            early, late = (chance.choice(points) if step % 3 == 1 else "" for points in (TAKING, SETTLING))
            service.turn(10, early)
            if step % 9 == 8:
                service.stop()
            for sender in senders:
                sender.calm()
            service.turn(30, late)
            service.turn(30)
            if all_is_done(service, senders):
                break
        check(service, senders)


def check(service: Service, senders: list[Sender]) -> None:
    """Every file exactly once, in order, whole, put away; every notice once; nothing left over."""
    opened = service.start()
    assert service.faults >= 3
    assert service.restarts >= 5
    completed = 0
    for sender in senders:
        receipts = [one for one in opened.history.list(source=sender.source) if one.status == "Completed"][::-1]
        completed += len(receipts)
        assert [one.file for one in receipts] == sorted(sender.sent), sender.source
        assert {one.file: one.sha256 for one in receipts} == {
            name: digest(data) for name, data in sender.sent.items()
        }, sender.source
        there = sender.site.files()
        assert {name for name in sender.sent if f"done/{name}" not in there} == set(), sender.source
        states = Counter(one.state for one in opened.arrivals.log(Filters(place=sender.source), limit=1_000))
        assert states["loaded"] == len(sender.sent)
        assert states["skipped"] == sender.copies
        assert set(states) <= {"loaded", "skipped", "gone"}
    assert completed == FILES_EACH * len(senders) == 200
    assert opened.landing.ids() == []
    notices = [notice for notice in opened.notices.list(limit=10_000) if notice.request_id]
    told = Counter((notice.request_id, notice.kind) for notice in notices)
    assert told
    assert set(told.values()) == {1}
    assert len({request_id for request_id, _ in told}) == completed
