"""The second look: who may say yes to a large run, and that what goes is what was looked at."""

from __future__ import annotations

import json

import pytest

from ingest_core.audience_manager.outbound.approvals import DECLINED, NEEDS_LOOK, WITHDRAWN
from ingest_core.audience_manager.outbound.runs import DELIVERED
from ingest_core.errors import DeliveryError, InputError, StateError
from ingest_core.ledger.audit import verify_audit, write_audit
from tests.audience_manager.outbound.test_builds import COLUMNS, HEAD, building

__all__ = ["building"]

ASHA, BINA = "Asha Menon", "Bina Rao"


class Looking:
    """A build above its limit, and the two who work with it."""

    def __init__(self, building):
        self.building = building
        self.outbound = building.workspace.outbound
        building.keep(look_above_rows=2)

    def know(self, *names):
        with self.engine.session() as session, session.transaction():
            session.run("DELETE FROM audit")
            for name in names:
                write_audit(session, name, "add source", "Shop", {})

    @property
    def engine(self):
        return self.building.workspace.engine

    def ask(self, user=ASHA, code="needs_second_look", **how):
        """Somebody runs the build, which waits; the id of the run."""
        with pytest.raises(StateError) as caught:
            self.outbound.builds.run("Gold", user=user, **how)
        assert caught.value.code == code
        return caught.value.facts["run"]

    def approve(self, run, user=BINA, **how):
        return self.outbound.builds.approve(run, user, **how)

    def refused(self, call, *given, **how):
        with pytest.raises((InputError, StateError)) as caught:
            call(*given, **how)
        assert self.sent() == []
        return caught.value.code

    def sent(self):
        return sorted(self.building.folder.iterdir())

    def audit(self):
        with self.engine.session() as session:
            assert verify_audit(session) is None
            rows = session.rows("SELECT actor, action, object, detail FROM audit WHERE action LIKE '%second look%'")
        return [(actor, action, run, json.loads(detail)) for actor, action, run, detail in rows]


@pytest.fixture
def looking(building):
    made = Looking(building)
    made.know(ASHA, BINA)
    return made


def test_a_large_run_waits_and_goes_when_somebody_else_approves(looking):
    run = looking.ask()
    (waiting,) = looking.outbound.approvals.list(answer="waiting")
    assert (waiting.run_id, waiting.status, waiting.requested_by, waiting.counts["rows"]) == (run, NEEDS_LOOK, ASHA, 3)
    assert looking.sent() == []
    assert looking.outbound.runs.zone.ids() == []
    done = looking.approve(run, note="Agreed with the shop")
    assert (done.run_id, done.status, done.requested_by) == (run, DELIVERED, ASHA)
    assert len(looking.building.lines(done)) == 3
    told = looking.outbound.approvals.get(run)
    assert (told.answer, told.answered_by, told.note) == ("approved", BINA, "Agreed with the shop")
    assert [(who, what, of) for who, what, of, _ in looking.audit()] == [
        (ASHA, "ask for a second look", run), (BINA, "second look: approved", run),
    ]  # fmt: skip
    assert all(
        (detail["rows"], detail["removals"], detail["fingerprint"]) == (3, 0, waiting.fingerprint)
        for *_, detail in looking.audit()
    )


def test_the_preview_shows_the_fingerprint_that_is_asked_for(looking):
    build = looking.outbound.builds.get("Gold")
    seen = looking.outbound.builds.preview(build)
    run = looking.ask()
    assert looking.outbound.approvals.get(run).fingerprint == seen.fingerprint
    assert looking.outbound.builds.preview(build.model_copy(update={"look_above_rows": 3})).fingerprint is None
    assert looking.refused(looking.approve, run, content="0" * 64) == "other_content"
    assert looking.approve(run, content=seen.fingerprint).status == DELIVERED


def test_whoever_asked_does_not_approve(looking):
    run = looking.ask()
    assert looking.refused(looking.approve, run, f" {ASHA.upper()} ", note="It is fine") == "same_person"
    assert looking.outbound.approvals.refusal(run, ASHA, "It is fine").code == "same_person"
    assert looking.outbound.approvals.refusal(run, BINA) is None
    assert looking.outbound.approvals.get(run).answer == "waiting"


def test_alone_in_a_workspace_one_confirms_with_a_written_reason(looking):
    looking.know(ASHA)
    run = looking.ask()
    assert looking.refused(looking.approve, run, ASHA, note="  ") == "note_needed"
    assert looking.approve(run, ASHA, note="First file, numbers compared with the CRM").status == DELIVERED
    assert looking.audit()[-1][3]["by_who_asked"] is True


def test_the_number_of_rows_approves_at_once(looking):
    run = looking.ask()
    assert looking.ask(user=BINA, confirmed=2) == run
    assert looking.refused(looking.outbound.builds.run, "Gold", user=ASHA, confirmed=3) == "same_person"
    done = looking.outbound.builds.run("Gold", user=BINA, confirmed=3)
    assert (done.run_id, done.status) == (run, DELIVERED)
    assert looking.outbound.approvals.get(run).note == "Confirmed 3 rows by their number."


def test_the_number_of_rows_is_a_reason_for_who_is_alone(looking):
    looking.know(ASHA)
    done = looking.outbound.builds.run("Gold", user=ASHA, confirmed=3)
    assert done.status == DELIVERED
    assert looking.outbound.approvals.get(done.run_id).answered_by == ASHA


def test_declined_with_a_note_nothing_is_ever_sent(looking):
    run = looking.ask()
    assert looking.refused(looking.outbound.approvals.decline, run, BINA, " ") == "note_needed"
    assert looking.refused(looking.outbound.approvals.decline, run, BINA, "x" * 501) == "bad_note"
    looking.outbound.approvals.decline(run, BINA, "Twice as many as\nlast month")
    assert looking.outbound.runs.get(run).status == DECLINED
    assert looking.outbound.approvals.get(run).note == "Twice as many as last month"
    assert looking.refused(looking.approve, run) == "not_waiting"
    assert looking.refused(looking.outbound.approvals.decline, run, BINA, "again") == "not_waiting"
    assert looking.ask() != run


def test_asking_twice_for_the_same_is_asking_once(looking):
    run = looking.ask()
    assert looking.ask(user=BINA) == run
    assert [one.requested_by for one in looking.outbound.approvals.list()] == [ASHA]


def test_other_content_asks_again(looking):
    run = looking.ask()
    looking.building.kernel.load(HEAD + "K4\t\tGoa\tgold\n", COLUMNS, "People")
    assert looking.refused(looking.approve, run) == "other_content"
    assert looking.outbound.runs.get(run).status == WITHDRAWN
    (again,) = looking.outbound.approvals.list(answer="waiting")
    assert (again.requested_by, again.counts["rows"]) == (ASHA, 4)
    assert looking.refused(looking.approve, run) == "not_waiting"
    assert len(looking.building.lines(looking.approve(again.run_id))) == 4


def test_the_same_number_of_rows_with_other_values_is_other_content(looking):
    run = looking.ask()
    looking.building.kernel.load(HEAD + "K3\t\tGoa\tgold\n", COLUMNS, "People")
    assert looking.refused(looking.approve, run) == "other_content"


def test_another_definition_withdraws_what_waits(looking):
    run = looking.ask()
    looking.building.keep(look_above_rows=2)
    assert looking.outbound.approvals.get(run).answer == "waiting"
    looking.building.keep(look_above_rows=2, partner="acme")
    assert looking.refused(looking.approve, run) == "not_waiting"
    later = looking.ask()
    looking.outbound.builds.remove("Gold")
    assert looking.outbound.approvals.get(later).answer == "withdrawn"


def test_what_became_small_needs_no_answer(looking):
    run = looking.ask()
    looking.building.workspace.undo.undo(looking.building.workspace.history.list()[0].request_id)
    assert looking.refused(looking.approve, run) == "no_look_needed"
    assert looking.outbound.approvals.list(answer="waiting") == []


def test_many_removals_want_a_look_too_and_their_run_tells_what_changed(looking):
    looking.building.keep(changed=True, source="People", look_above_removals=2)
    looking.building.ingest(looking.building.run())
    looking.building.kernel.load(HEAD + "K1\t\tPune\tsilver\n", COLUMNS, "People", replace="members")
    run = looking.ask()
    done = looking.approve(run)
    assert looking.building.lines(done) == ["K1\td_sid=6,d_unsid=5", "K2\td_unsid=6,d_unsid=7", "K3\td_unsid=7"]
    looking.building.ingest(done)
    assert looking.building.traits() == {"K1": {6, 7, 9}}
    assert looking.building.run().status == "nothing new"


def test_an_approved_run_that_does_not_arrive_is_sent_later_without_another_look(looking):
    looking.building.keep(look_above_rows=2, changed=True)
    run = looking.ask()
    looking.building.folder.rmdir()
    with pytest.raises(DeliveryError):
        looking.approve(run)
    assert looking.outbound.runs.get(run).status == "prepared"
    looking.building.folder.mkdir()
    assert looking.outbound.builds.run("Gold", user=ASHA).status == "nothing new"
    assert looking.outbound.runs.get(run).status == DELIVERED


def test_a_full_run_is_approved_as_a_full_one(looking):
    looking.building.keep(changed=True, look_above_rows=3)
    looking.building.run()
    looking.building.keep(changed=True, look_above_rows=2)
    run = looking.ask(is_full=True)
    assert len(looking.building.lines(looking.approve(run))) == 3


def test_an_id_that_never_waited_is_refused(looking):
    assert looking.refused(looking.approve, "20260101-AAAAAAAA") == "no_such_run"
