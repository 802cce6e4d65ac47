"""Work that comes again: every round has a thread, survives its own faults and ends when asked."""

import threading

from ingest_core.errors import StateError
from ingest_core.jobs.rounds import Rounds


class Counting:
    """A round that counts its turns and tells when there were enough."""

    def __init__(self, name, *, rest=60.0, enough=1, faults=()):
        self.name = name
        self.turns = 0
        self.is_enough = threading.Event()
        self._rest, self._enough, self._faults = rest, enough, list(faults)

    def turn(self, is_ending):
        self.turns += 1
        if self.turns >= self._enough:
            self.is_enough.set()
        if self._faults:
            raise self._faults.pop(0)
        return self._rest


def test_each_round_has_a_turn_at_the_start_and_one_when_woken():
    first, second = Counting("first", enough=2), Counting("second")
    rounds = Rounds([first, second])
    rounds.start()
    try:
        assert second.is_enough.wait(10)
        while not first.is_enough.is_set():
            rounds.wake("first")
            first.is_enough.wait(0.05)
    finally:
        assert rounds.stop()
    assert (first.turns >= 2, second.turns) == (True, 1)


def test_a_round_that_has_more_to_do_has_its_next_turn_at_once():
    busy = Counting("busy", rest=0.0, enough=3)
    rounds = Rounds([busy])
    rounds.start()
    assert busy.is_enough.wait(10)
    assert rounds.stop()


def test_a_round_goes_on_after_its_faults(monkeypatch, caplog):
    monkeypatch.setattr("ingest_core.jobs.rounds.AFTER_TROUBLE", 0.0)
    full = StateError("The disk is full.", code="disk_full")
    shaky = Counting("shaky", enough=4, faults=[full, full, ValueError("asha@example.com")])
    rounds = Rounds([shaky])
    rounds.start()
    assert shaky.is_enough.wait(10)
    assert rounds.stop()
    assert [record.getMessage().split(". ")[0] for record in caplog.records] == [
        "shaky cannot go on (disk_full)", "shaky cannot go on (ValueError)",
    ]  # fmt: skip


def test_a_round_that_does_not_end_is_told_of():
    let_go = threading.Event()

    class Endless:
        name = "endless"

        def turn(self, is_ending):
            let_go.wait(30)
            return 60.0

    rounds = Rounds([Endless()])
    rounds.start()
    assert not rounds.stop(seconds=0.05)
    let_go.set()
    assert rounds.stop()


def test_waking_a_round_that_is_not_there_does_nothing():
    Rounds([]).wake("nobody")


def test_what_a_round_fails_with_is_known_until_it_goes_on(monkeypatch):
    full = StateError("The disk is full.", code="disk_full")
    shaky, fine = Counting("shaky", faults=[full]), Counting("fine")
    rounds = Rounds([shaky, fine])
    assert not rounds.once()
    assert rounds.trouble() == {"shaky": "disk_full"}
    assert not rounds.once()
    assert rounds.trouble() == {}


def test_one_turn_of_each_says_whether_there_is_more_at_once():
    assert Rounds([Counting("busy", rest=0.0), Counting("idle")]).once()
    assert not Rounds([Counting("idle")]).once()


def test_rounds_of_the_same_workspace_wake_those_that_run():
    woken = Counting("notices", enough=2)
    running, shared = Rounds([woken]), Rounds([Counting("notices")])
    shared.share(running)
    running.start()
    try:
        while not woken.is_enough.is_set():
            shared.wake("notices")
            woken.is_enough.wait(0.05)
    finally:
        assert running.stop()
