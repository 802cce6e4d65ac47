"""The upload row: one end state, and receipts that can be read back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ingest_core.clock import now, to_utc
from ingest_core.ledger import uploads
from ingest_core.models import Options

ERROR = {"code": "interrupted", "message": "m", "hint": "h", "facts": {}}


@pytest.fixture
def session(workspace):
    workspace.sources.add("CRM")
    with workspace.engine.session() as opened:
        yield opened


def insert(session, request_id, status="Scheduled", **more):
    given = {
        "request_id": request_id, "upload_no": None, "source_id": 1, "file": "a.tsv", "size": 3, "sha256": "ab",
        "mapping_version": 1, "options": Options(), "overrides": None, "uploaded_by": "asha", "status": status,
    }  # fmt: skip
    uploads.insert(session, **{**given, **more})


def get(session, request_id):
    (found,) = uploads.receipts(session, "request_id = ?", [request_id])
    return found


def test_request_ids_are_a_date_and_eight_letters():
    made = {uploads.new_request_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(rf"{now():%Y%m%d}-[A-Z2-7]{{8}}", request_id) for request_id in made)


def test_a_new_upload_reads_back_with_zeros(session):
    insert(session, "R1", options=Options(idempotency_key="k", at=datetime(2030, 1, 1, 5, 30, tzinfo=UTC)))
    found = get(session, "R1")
    assert (found.status, found.badges, found.lines, found.error, found.steps) == ("Scheduled", (), 0, None, ())
    assert found.scheduled_for == datetime(2030, 1, 1, 5, 30, tzinfo=UTC)
    assert (found.started_at, found.finished_at) == (None, None)


def test_times_of_any_zone_are_kept_in_utc(session):
    india = timezone(timedelta(hours=5, minutes=30))
    insert(session, "R1", options=Options(at=datetime(2030, 1, 1, 5, 30, tzinfo=india)))
    assert get(session, "R1").scheduled_for == datetime(2030, 1, 1, tzinfo=UTC)
    assert to_utc(now()).tzinfo is None


@pytest.mark.parametrize("status", ["Scheduled", "In Progress"])
def test_an_open_upload_fails_once(session, status):
    insert(session, "R1", status)
    uploads.fail(session, "R1", ERROR)
    first = get(session, "R1")
    assert (first.status, first.error, first.badges) == ("Failed", ERROR, ())
    uploads.fail(session, "R1", {**ERROR, "code": "stopped"}, is_cancelled=True)
    assert get(session, "R1") == first


def test_a_completed_upload_does_not_fail_afterwards(kernel):
    done = kernel.load("crmid\nK1\n", {"crmid": "crmid"})
    with kernel.workspace.engine.session() as session:
        uploads.fail(session, done.request_id, ERROR, is_cancelled=True)
        found = get(session, done.request_id)
    assert (found.status, found.badges, found.error) == ("Completed", (), None)


@pytest.mark.parametrize(
    ("column", "value", "badge"),
    [("is_cancelled", True, "Cancelled"), ("undone_at", now(), "Undone"), ("replaced_by", 7, "Replaced")],
)
def test_badges_come_from_their_own_fields(session, column, value, badge):
    insert(session, "R1")
    session.run(f"UPDATE upload SET {column} = ?", [value])
    assert get(session, "R1").badges == (badge,)


def test_hostile_text_is_kept(session):
    text = "'; DROP TABLE upload; -- \" 🦆"
    insert(session, text, file=text, uploaded_by=text, overrides={"columns": [text]})
    assert (get(session, text).file, get(session, text).uploaded_by) == (text, text)
