"""deliver and delivery: files leave from the command line as from a screen."""

from __future__ import annotations

import csv
import json

import pytest


@pytest.fixture
def partner(onramp, tmp_path):
    """The folder of the destination Partner."""
    folder = tmp_path / "partner"
    folder.mkdir()
    onramp.json("destination", "add", "Partner", "--kind", "folder", "--path", folder)
    return folder


@pytest.fixture
def loaded(onramp, people, tmp_path):
    """The receipt of an upload with one rejected row; segment EVERYBODY."""
    receipt = onramp.load(people, "--auto")
    rule = tmp_path / "rule.json"
    rule.write_text('{"all": []}')
    onramp.json("segment", "add", "EVERYBODY", "--rule", rule)
    return receipt


def test_a_segment_an_upload_its_rejects_and_a_file_are_delivered(onramp, partner, loaded, people):
    request_id = loaded["request_id"]
    done = [
        onramp.json("deliver", "EVERYBODY", "--to", "partner", "--name", "a"),
        onramp.json("deliver", request_id, "--to", "Partner", "--name", "b", "--format", "csv"),
        onramp.json(
            "deliver", request_id, "--rejects", "--to", "Partner", "--name", "c", "--plain", "--reason", "Back to CRM"
        ),
        onramp.json("deliver", people, "--to", "Partner", "--name", "d", "--gzip", "--no-info"),
    ]
    assert [one["order"]["kind"] for one in done] == ["segment", "upload", "rejects", "file"]
    assert {one["status"] for one in done} == {"delivered"}
    assert sorted(path.name for path in partner.iterdir()) == [
        "a.info", "a.tsv", "b.csv", "b.info", "c.info", "c.tsv", "d.tsv.gz",
    ]  # fmt: skip
    assert len([*csv.reader((partner / "b.csv").open())]) == loaded["stored"] + 1
    assert json.loads((partner / "a.info").read_text())["Totals"]["TotalNumberLines"] == done[0]["lines"]
    listed = onramp.json("delivery", "list")
    assert [one["delivery_id"] for one in listed] == [one["delivery_id"] for one in reversed(done)]
    assert onramp.json("delivery", "show", done[0]["delivery_id"]) == done[0]
    assert [one["label"] for one in onramp.json("delivery", "list", "--search", "everybody")] == ["EVERYBODY"]


def test_columns_are_named_and_written_by_recipes(onramp, partner, loaded):
    columns = "crmid=id,email:google_email=Email"
    onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--columns", columns, "--key", "id", "--name", "x")
    header, *rows = [line.split("\t") for line in (partner / "x.tsv").read_text().splitlines()]
    assert header == ["id", "Email"]
    assert all(len(mail) in (0, 64) for _, mail in rows)
    preset = onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--preset", "meta")
    assert [one["name"] for one in preset["order"]["columns"]][:4] == ["email", "phone", "fn", "ln"]


def test_only_what_changed_is_sent_the_second_time(onramp, partner, loaded):
    first = onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--changed")
    second = onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--changed")
    assert (first["added"], second["added"], second["file"]) == (loaded["stored"], 0, None)


def test_what_did_not_arrive_exits_with_4_and_is_tried_again(onramp, partner, loaded):
    (partner / "x.tsv").write_text("other bytes")
    done = onramp.run("--json", "deliver", "EVERYBODY", "--to", "Partner", "--name", "x")
    refused = done.json["error"]
    assert (done.code, refused["code"], refused["facts"]["status"]) == (4, "file_exists", "failed")
    (partner / "x.tsv").unlink()
    assert onramp.json("delivery", "retry", refused["facts"]["delivery_id"])["status"] == "delivered"
    assert onramp.refuse("delivery", "retry", refused["facts"]["delivery_id"], exit_code=3)["code"] == "not_failed"


def test_what_is_queued_waits_and_can_be_stopped(onramp, partner, loaded):
    waiting = onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--later", "--once", "k")
    assert (waiting["status"], waiting["attempts"]) == ("waiting", 0)
    assert onramp.json("deliver", "EVERYBODY", "--to", "Partner", "--later", "--once", "k") == waiting
    assert onramp.json("delivery", "stop", waiting["delivery_id"])["status"] == "failed"
    assert [*partner.iterdir()] == []


def test_segment_export_goes_to_a_file_or_to_a_destination(onramp, partner, loaded, tmp_path):
    out = tmp_path / "members.csv"
    assert onramp.json("segment", "export", "EVERYBODY", "--to", out)["people"] == loaded["stored"]
    assert "a•••@example.com" in out.read_text()
    assert onramp.json("segment", "export", "EVERYBODY", "--to", "Partner")["status"] == "delivered"
    assert onramp.refuse("segment", "export", "EVERYBODY", "--to", "Partnr", "--changed")["code"] == "usage"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["EVERYBODY", "--to", "Nowhere"], "no_such_destination"),
        (["NOTHING", "--to", "Partner"], "no_such_file"),
        (["NOTHING", "--as", "segment", "--to", "Partner"], "no_such_segment"),
        (["EVERYBODY", "--to", "Partner", "--columns", "email:plain"], "plain_personal_data"),
        (["EVERYBODY", "--to", "Partner", "--columns", "email:plain", "--plain"], "needs_reason"),
        (["EVERYBODY", "--to", "Partner", "--columns", ":x"], "bad_column"),
        (["EVERYBODY", "--to", "Partner", "--columns", "first_name"], "plain_personal_data"),
        (["EVERYBODY", "--to", "Partner", "--name", "../x"], "bad_file_name"),
        (["EVERYBODY", "--to", "Partner", "--notify", "nobody"], "bad_address"),
    ],
)
def test_what_cannot_be_sent_exits_with_2(onramp, partner, loaded, arguments, code):
    assert onramp.refuse("deliver", *arguments)["code"] == code
    assert onramp.json("delivery", "list") == []


def test_deliver_explains_itself(onramp):
    told = onramp.run("deliver", "--help").out
    assert "ATTRIBUTE[:RECIPE][=NAME]" in told
    assert "google_email" in told
    assert "Personal data goes out hashed or not at all" in told


def test_text_for_people_says_what_arrived_and_an_undo_what_cannot_be_called_back(onramp, partner, loaded):
    done = onramp.run("deliver", "EVERYBODY", "--to", "Partner")
    assert "status: delivered" in done.out
    assert "EVERYBODY" in onramp.run("delivery", "list").out
    told = onramp.run("undo", loaded["request_id"], "--dry-run").out
    assert "Cannot be called back: EVERYBODY to Partner" in told
