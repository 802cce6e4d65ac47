"""undo and redo on the command line."""

from __future__ import annotations

import pytest

from tests.cli.onramp import Onramp, check_receipt, write_table


@pytest.fixture
def loaded(onramp, tmp_path) -> tuple[Onramp, str, dict]:
    first = write_table(tmp_path / "1.tsv", "crmid|email|city", "A1|anna@example.com|Rome", "|ben@example.com|Oslo")
    second = write_table(tmp_path / "2.tsv", "crmid|email|city", "A1|ben@example.com|Paris", "A4||Oslo")
    onramp.load(first, "--auto")
    before = onramp.json("digest")
    return onramp, onramp.load(second, "--auto", "--segment", "create:TWO")["request_id"], before


def test_undo_prints_the_receipt_and_what_changed(loaded):
    onramp, upload, before = loaded
    dry = onramp.json("undo", upload, "--dry-run")
    assert dry["undone_at"] is None
    done = onramp.json("undo", upload)
    check_receipt(done)
    assert done["request_id"] == upload
    assert done["undone_at"] is not None
    assert "Undone" in done["badges"]
    assert {**done["undo"], "steps": []} == {**dry["undo"], "steps": []}
    assert onramp.json("digest") == before
    assert onramp.json("history")[0]["undone_at"] == done["undone_at"]
    assert onramp.json("segment", "list") == []


def test_redo_takes_the_undo_back(loaded):
    onramp, upload, before = loaded
    after = onramp.json("digest")
    onramp.json("undo", upload)
    assert onramp.json("redo", upload)["undone_at"] is None
    assert onramp.json("digest") == after != before
    assert onramp.json("segment", "list")[0]["count"] == 2


def test_undo_twice_is_refused_and_an_unknown_upload_too(loaded):
    onramp, upload, _ = loaded
    onramp.json("undo", upload)
    assert onramp.refuse("undo", upload, exit_code=3)["code"] == "already_undone"
    assert onramp.refuse("undo", "NOTHING")["code"] == "no_such_upload"


def test_people_read_it_in_words(loaded):
    onramp, upload, _ = loaded
    assert onramp.run("undo", upload, "--dry-run").out.splitlines() == [
        f"2 rows of {upload} would be taken back.",
        "Profiles: 2 → 2 (1 gone, 1 come apart, 2 get other values)",
        "Memberships: 2 → 2",
        "Segment TWO: 2 → not there",
    ]
    assert onramp.run("undo", upload).out.startswith(f"2 rows of {upload} are taken back.\n")
    assert onramp.run("redo", upload).out.startswith(f"2 rows of {upload} are counted again.\n")


def test_a_file_of_corrected_rows_is_a_child_of_its_upload(onramp, tmp_path):
    broken = write_table(tmp_path / "1.tsv", "crmid|email", "A1|anna@example.com", "A2|no address")
    parent = onramp.load(broken, "--auto")["request_id"]
    fixed = write_table(tmp_path / "2.tsv", "crmid|email", "A2|ben@example.com")
    child = onramp.load(fixed, "--auto", "--fixes", parent)
    assert (child["parent"], child["created"]) == (parent, 1)
    assert onramp.json("upload", "show", parent)["children"] == [child["request_id"]]
    onramp.json("source", "add", "Other")
    refused = onramp.refuse("ingest", fixed, "--source", "Other", "--auto", "--fixes", parent)
    assert refused["code"] == "other_source"
    assert onramp.refuse("ingest", fixed, "--source", "CRM", "--auto", "--fixes", "NO")["code"] == "no_such_upload"
