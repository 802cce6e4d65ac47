"""Files that are unlike the former one, by command: exit code 3, --accept-drift, limits per source, approve."""

from __future__ import annotations

import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import counts, state_of, write_table


@pytest.fixture
def gated(onramp, tmp_path):
    """CRM brought 40 people and asks at 20 %."""
    onramp.load(table(tmp_path / "first.tsv", 40), "--auto")
    onramp.json("source", "set", "CRM", "--drift", "20")
    return onramp


@pytest.fixture
def far_off(tmp_path):
    return table(tmp_path / "second.tsv", 30, start=100)


def table(path, count, start=0):
    return write_table(path, "crmid|city", *(f"C{n}|Bonn" for n in range(start, start + count)))


def held_upload(onramp, file) -> str:
    """Queued for a time that has come, looked at by a worker that then went away."""
    waiting = onramp.json("ingest", file, "--source", "CRM", "--auto", "--at", "2020-01-31")
    assert onramp.run("upload", "show", waiting["request_id"]).out.endswith("Scheduled for 2020-01-31 00:00:00\n")
    run_waiting(onramp)
    return waiting["request_id"]


def run_waiting(onramp) -> int:
    with Workspace.open(onramp.home) as workspace:
        return workspace.jobs.run_waiting()


class TestIngest:
    def test_a_file_far_off_is_refused_with_figures_and_nothing_changed(self, gated, far_off):
        before, digest = gated.counts(), gated.json("digest")
        done = gated.run("--json", "ingest", far_off, "--source", "CRM")
        error = done.json["error"]
        assert (done.code, error["code"]) == (3, "unusual_file")
        assert "30 rows instead of 40" in error["message"]
        assert "--accept-drift" in error["hint"]
        assert error["facts"]["drift_percent"] == 20
        assert error["facts"]["findings"][0] == {
            "what": "rows", "column": None, "before": 40, "now": 30, "change": -25, "is_over": True
        }  # fmt: skip
        assert (gated.counts(), gated.json("digest")) == (before, digest)
        failed = gated.json("history")[0]
        assert (failed["status"], failed["error"]) == ("Failed", error)
        shown = gated.run("upload", "show", failed["request_id"])
        assert error["message"] in shown.out

    def test_accepted_it_loads_without_again(self, gated, far_off):
        assert gated.run("ingest", far_off, "--source", "CRM").code == 3
        receipt = gated.load(far_off, "--accept-drift")
        assert (receipt["status"], receipt["created"], receipt["held"]) == ("Completed", 30, None)
        assert receipt["drift"][0]["change"] == -25
        out = gated.run("upload", "show", receipt["request_id"]).out
        assert "Against the former file: rows -25 %\n" in out
        assert "Unlike the former file: 30 rows instead of 40." in out

    def test_a_dry_run_tells_and_does_not_refuse(self, gated, far_off):
        before = gated.state()
        preview = gated.load(far_off, "--dry-run")
        assert (preview["created"], preview["held"]["code"]) == (30, "unusual_file")
        assert gated.load(far_off, "--dry-run", "--accept-drift")["held"] is None
        done = gated.run("ingest", far_off, "--source", "CRM", "--dry-run")
        assert done.code == 0
        assert "further from the former file than the source allows. To load it: --accept-drift" in done.out
        assert gated.state() == before

    def test_without_a_limit_nothing_is_refused(self, gated, tmp_path):
        assert gated.json("source", "set", "CRM", "--drift", "off")["settings"]["drift_percent"] is None
        receipt = gated.load(table(tmp_path / "one.tsv", 1, start=500))
        assert receipt["notices"] == ["Unlike the former file: 1 row instead of 40."]

    def test_a_file_like_the_former_one_is_said_to_be(self, gated, tmp_path):
        out = gated.run("ingest", table(tmp_path / "like.tsv", 40, start=1), "--source", "CRM").out
        assert "Against the former file: much the same\n" in out


class TestApprove:
    def test_a_held_upload_says_what_it_waits_for_and_loads_at_the_next_start(self, gated, far_off):
        request_id = held_upload(gated, far_off)
        out = gated.run("upload", "show", request_id).out
        assert out.startswith(f"Upload {request_id}: Scheduled, waits for approval\nThe file is unlike the former one")
        assert f"let it load: approve {request_id}" in out
        assert "Scheduled, waits for approval" in gated.run("history").out
        assert run_waiting(gated) == 0
        approved = gated.json("approve", request_id)
        assert (approved["status"], approved["badges"], approved["held"]) == ("Scheduled", [], None)
        assert run_waiting(gated) == 1
        assert gated.json("upload", "show", request_id)["stored"] == 30

    def test_what_does_not_wait_is_not_approved(self, gated, far_off):
        request_id = held_upload(gated, far_off)
        gated.json("approve", request_id)
        assert gated.refuse("approve", request_id, exit_code=3)["code"] == "not_held"
        assert gated.refuse("approve", "20270131-ABCDEFGH")["code"] == "no_such_upload"

    def test_accepted_beforehand_it_does_not_wait(self, gated, far_off):
        receipt = gated.json("ingest", far_off, "--source", "CRM", "--at", "2020-01-31", "--auto", "--accept-drift")
        run_waiting(gated)
        assert gated.json("upload", "show", receipt["request_id"])["status"] == "Completed"

    def test_waiting_it_has_left_nothing_but_its_file(self, gated, far_off):
        before = gated.counts()
        held_upload(gated, far_off)
        with Workspace.open(gated.home) as workspace:
            assert counts(state_of(workspace)) == before
            assert len(workspace.landing.ids()) == 1


class TestSource:
    def test_settings_are_changed_one_by_one(self, onramp):
        made = onramp.json("source", "add", "Orders", "--drift", "30", "--threshold", "5", "--description", "Daily")
        assert (made["settings"]["drift_percent"], made["settings"]["threshold_percent"]) == (30, 5)
        changed = onramp.json("source", "set", "Orders", "--drift", "12.5")
        assert changed == {**made, "settings": {**made["settings"], "drift_percent": 12.5}}
        changed = onramp.json("source", "set", "Orders", "--threshold", "off", "--phone-country", "DE")
        assert changed["settings"] == {
            **made["settings"], "drift_percent": 12.5, "threshold_percent": None, "phone_country": "DE"
        }  # fmt: skip
        assert onramp.json("source", "set", "Orders", "--description", "Weekly")["settings"] == changed["settings"]
        changed = onramp.json("source", "set", "Orders", "--phone-country", "off", "--drift", "off")
        assert changed["description"] == "Weekly"
        assert changed["settings"] == {**made["settings"], "drift_percent": None, "threshold_percent": None}

    @pytest.mark.parametrize("given", ["-1", "101", "nan", "inf", "much", ""])
    @pytest.mark.parametrize("option", ["threshold", "drift"])
    def test_a_limit_is_a_percentage(self, onramp, option, given):
        for command in (["source", "set", "CRM"], ["source", "add", "New"]):
            assert onramp.refuse(*command, f"--{option}={given}")["code"] == f"bad_{option}"

    def test_what_cannot_be_set_changes_nothing(self, onramp):
        assert onramp.refuse("source", "set", "CRM")["code"] == "usage"
        assert onramp.refuse("source", "set", "Nobody", "--drift", "5")["code"] == "no_such_source"
        assert onramp.refuse("source", "set", "CRM", "--drift", "5", "--phone-country", "XX")["code"] == "bad_country"
