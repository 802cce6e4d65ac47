"""The gate: everybody comes in, one alone has the database for itself, nobody waits for ever."""

from __future__ import annotations

import threading
import time

import pytest

from ingest_core.engine import gate
from ingest_core.engine.gate import Gate
from ingest_core.errors import StateError


def in_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_is_alone_lets_nobody_in_until_the_end():
    door, order = Gate(), []

    def visit():
        ticket = door.enter()
        order.append("visitor")
        door.leave(ticket)

    with door.alone(1):
        visitor = in_thread(visit)
        time.sleep(0.1)
        own = door.enter()  # for the work it is alone for
        door.leave(own)
        order.append("alone")
    visitor.join(10)
    assert order == ["alone", "visitor"]


def test_who_is_in_gets_more_sessions_while_somebody_waits_to_be_alone():
    door = Gate()
    first = door.enter()
    is_alone = threading.Event()

    def alone():
        with door.alone(10):
            is_alone.set()

    waiting = in_thread(alone)
    while door._alone is None:
        time.sleep(0.01)
    second = door.enter()
    door.leave(second)
    assert not is_alone.is_set()
    door.leave(first)
    waiting.join(10)
    assert is_alone.is_set()


def test_a_ticket_may_be_given_back_by_another_thread():
    door = Gate()
    ticket = door.enter()
    in_thread(lambda: door.leave(ticket)).join(10)
    with door.alone(1):
        pass


def test_both_give_up_in_the_end(monkeypatch):
    door = Gate()
    ticket = door.enter()
    codes = []

    def alone():
        try:
            with door.alone(0.05):
                pass
        except StateError as error:
            codes.append(error.code)

    in_thread(alone).join(10)
    door.leave(ticket)
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    def enter():
        try:
            door.enter()
        except StateError as error:
            codes.append(error.code)

    with door.alone(1):
        in_thread(enter).join(10)
    assert codes == ["in_use", "tidied"]
    door.leave(door.enter())  # open again


def test_a_database_that_stays_open_is_not_exchanged(kernel):
    engine = kernel.workspace.engine
    held = engine.session()
    codes = []

    def rewrite():
        try:
            with engine.alone(0.05):
                pytest.fail("somebody has a session")
        except StateError as error:
            codes.append(error.code)

    in_thread(rewrite).join(30)
    assert codes == ["in_use"]
    held.close()
    held.close()  # twice is once
    with engine.alone(5):
        assert engine.session().value("SELECT 1") == 1
