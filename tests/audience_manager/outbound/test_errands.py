"""Errands: exports in the background, one at a time, each asked for once, and what is said when one is cut off."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.outbound.runs import DELIVERED, NOTHING, PREPARED
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace

DATA = "ftp_dpm_21_1700000000.sync"


@pytest.fixture
def asked(out):
    """An order with something to tell."""
    out.ingest(DATA, "a\td_sid=1", "b\td_sid=1", at=now())
    out.order()
    return out


def ask(out, **wanted):
    return out.workspace.outbound.errands.ask("export", "7", wanted or {"mode": "full"}, "asha")


def turn(out):
    return out.workspace.outbound.errands.turn(lambda: False)


def runs(out):
    return [(run.mode, run.status, run.requested_by) for run in out.workspace.outbound.runs.list()]


class TestDone:
    def test_what_is_asked_for_is_made_at_its_turn_and_gone(self, asked):
        errand = ask(asked)
        assert (errand.state, runs(asked)) == ("waiting", [])
        turn(asked)
        assert runs(asked) == [("full", DELIVERED, "asha")]
        assert asked.workspace.outbound.errands.list() == []

    def test_two_clicks_are_one_errand(self, asked):
        assert ask(asked) == ask(asked, mode="iter")
        turn(asked)
        assert runs(asked) == [("full", DELIVERED, "asha")]

    def test_nothing_new_is_a_run_too(self, asked):
        asked.run(at=now())
        ask(asked, mode="iter")
        turn(asked)
        assert runs(asked)[0][:2] == ("iter", NOTHING)

    def test_while_a_command_makes_a_run_it_waits(self, asked):
        ask(asked)
        with asked.workspace.outbound.runs.alone():
            assert turn(asked) < 60
            assert asked.workspace.outbound.errands.of("export", "7").state == "waiting"
        turn(asked)
        assert runs(asked) == [("full", DELIVERED, "asha")]

    def test_whoever_works_by_commands_sees_the_same_errands(self, asked):
        other = asked.workspace.seen_by("rahul")
        other.outbound.errands.ask("export", "7", {"mode": "full"}, "rahul")
        turn(asked)
        assert runs(asked) == [("full", DELIVERED, "rahul")]

    def test_the_round_of_the_workspace_does_them(self, asked):
        ask(asked)
        asked.workspace.rounds.once()
        assert runs(asked) == [("full", DELIVERED, "asha")]


class TestNotDone:
    def test_a_place_that_is_down_leaves_a_prepared_run_that_says_why(self, asked):
        asked.folder.rmdir()
        ask(asked)
        turn(asked)
        (run,) = asked.workspace.outbound.runs.list()
        assert (run.status, run.error is not None) == (PREPARED, True)
        assert asked.workspace.outbound.errands.list() == []

    def test_a_prepared_run_is_sent_again_the_same_bytes(self, asked):
        asked.folder.rmdir()
        ask(asked)
        turn(asked)
        (prepared,) = asked.workspace.outbound.runs.list()
        asked.folder.mkdir()
        ask(asked, again=prepared.run_id)
        turn(asked)
        (sent,) = asked.workspace.outbound.runs.list()
        assert (sent.status, sent.files[0].sha256) == (DELIVERED, prepared.files[0].sha256)
        assert asked.lines(sent) == ["a 102", "b 102"]

    def test_one_that_cannot_be_made_says_why_until_it_is_asked_for_again(self, asked):
        asked.workspace.outbound.orders.change(7, asked.workspace.outbound.orders.get(7).model_copy(
            update={"file_name": "<PID>/<TIMESTAMP>SPLITNUM.sync"}))  # fmt: skip
        ask(asked)
        turn(asked)
        failed = asked.workspace.outbound.errands.of("export", "7")
        assert (failed.state, failed.error["code"]) == ("failed", "bad_template")
        asked.workspace.outbound.orders.change(7, asked.workspace.outbound.orders.get(7).model_copy(
            update={"file_name": ""}))  # fmt: skip
        ask(asked)
        turn(asked)
        assert asked.workspace.outbound.errands.list() == []
        assert runs(asked) == [("full", DELIVERED, "asha")]

    def test_one_that_waits_is_stopped(self, asked):
        errand = ask(asked)
        asked.workspace.outbound.errands.stop(errand.errand_no)
        turn(asked)
        assert runs(asked) == []

    def test_one_that_works_is_stopped_before_anything_is_sent(self, asked, monkeypatch):
        errands = asked.workspace.outbound.errands
        real = asked.exports.run

        def run(*given, progress, **rest):
            def tell(phase, done, total):
                if phase == "rows" and done:
                    errands.stop(errands.doing.errand_no)
                progress(phase, done, total)

            return real(*given, progress=tell, **rest)

        monkeypatch.setattr(asked.exports, "run", run)
        ask(asked)
        turn(asked)
        assert (runs(asked), errands.list()) == ([], [])
        assert list((asked.workspace.home / "exports").iterdir()) == []
        monkeypatch.undo()
        assert asked.lines(asked.run(at=now())) == ["a 102", "b 102"]

    def test_the_end_of_the_process_lets_it_wait_for_the_next_start(self, asked):
        ask(asked)
        states = iter([False, True])
        asked.workspace.outbound.errands.turn(lambda: next(states, True))
        assert (runs(asked), asked.workspace.outbound.errands.of("export", "7").state) == ([], "waiting")


class TestKilled:
    @pytest.fixture
    def cut_off(self, asked):
        """As a killed process leaves it: the errand stands as being worked on."""
        ask(asked)
        with asked.workspace.engine.session() as session:
            session.run("UPDATE am_errand SET state = 'working'")
        return asked

    def test_before_anything_was_made_it_is_said_that_nothing_was_sent(self, cut_off):
        cut_off.workspace.close()
        with Workspace.open(cut_off.workspace.home, user="asha") as again:
            (failed,) = again.outbound.errands.list()
            assert (failed.state, failed.error["code"]) == ("failed", "cut_off")
            assert again.outbound.runs.list() == []

    def test_after_it_was_made_the_run_is_prepared_and_nothing_is_made_twice(self, cut_off, monkeypatch):
        monkeypatch.setenv("ONRAMP_FAULT", "am deliver:before:error")
        with pytest.raises(OnrampError, match="made to fail"):
            cut_off.run("full", at=now())
        monkeypatch.delenv("ONRAMP_FAULT")
        cut_off.workspace.close()
        with Workspace.open(cut_off.workspace.home, user="asha") as again:
            assert again.outbound.errands.list() == []
            assert [run.status for run in again.outbound.runs.list()] == [PREPARED]
            again.outbound.errands.turn(lambda: False)
            assert [run.status for run in again.outbound.runs.list()] == [PREPARED]
