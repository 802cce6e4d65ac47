"""Figures of screens, over uploads written straight into the table."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.engine.migrate import migrate
from ingest_core.overview import Day, Overview, SourceActivity, Week


@pytest.fixture
def engine(tmp_path):
    engine = Engine(tmp_path / "db", tmp_path / "tmp", memory_limit="256MB", threads=1, temp_limit="1GB")
    migrate(engine)
    with engine.session() as session:
        for number, name in enumerate(("CRM", "Store"), start=1):
            session.run(
                "INSERT INTO source (source_id, name, kind, description, settings, created_at, created_by) "
                "VALUES (?, ?, 'customer', '', '{}', now()::TIMESTAMP, 'asha')",
                [number, name],
            )
    yield engine
    engine.close()


def add_upload(engine, number, *, days_ago=0, source=1, status="Completed", stored=10, rejected=0, profiles=0, **extra):
    at: datetime = now() - timedelta(days=days_ago) + timedelta(milliseconds=number)
    values = {
        "upload_no": number, "request_id": f"R{number}", "source_id": source, "file": "f.tsv", "size": 1,
        "sha256": f"hash{number}", "mapping_version": 1, "options": "{}", "dialect": "{}", "uploaded_by": "asha",
        "status": status, "is_cancelled": False, "is_live": status == "Completed", "created_at": at,
        "finished_at": at if status in ("Completed", "Failed") else None, "lines": stored + rejected, "blank": 0,
        "stored": stored, "duplicates": 0, "rejected": rejected, "profiles_after": profiles, **extra,
    }  # fmt: skip
    with engine.session() as session:
        session.run(
            f"INSERT INTO upload ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
        )


def test_days_carry_the_number_of_profiles_over_days_without_uploads(engine):
    add_upload(engine, 1, days_ago=20, profiles=5)
    add_upload(engine, 2, days_ago=2, profiles=9, rejected=3)
    days = Overview(engine).days()
    assert len(days) == 14
    assert [day.profiles for day in days] == [5] * 11 + [9] * 2 + [0]
    assert (days[-3].loaded, days[-3].rejected) == (10, 3)


def test_a_week_is_compared_with_the_week_before():
    start = now().date()
    days = [Day(start, loaded=90, rejected=10, profiles=50 + i) for i in range(7)]
    days += [Day(start, loaded=190, rejected=10, profiles=100 + i) for i in range(7)]
    week = Week.of(days)
    assert (week.profiles, week.profiles_gained, week.loaded, week.rejected) == (106, 50, 1330, 70)
    assert week.loaded_change == pytest.approx(1330 / 630 - 1)
    assert week.reject_change == pytest.approx(0.05 - 0.1)


def test_a_week_after_nothing_has_no_change():
    week = Week.of([Day(now().date(), 0, 0, 0)] * 14)
    assert (week.loaded_change, week.reject_share, week.reject_change) == (None, None, None)


def test_days_of_an_empty_workspace_are_zero(engine):
    assert {(day.loaded, day.rejected, day.profiles) for day in Overview(engine).days()} == {(0, 0, 0)}


def test_source_activity_shows_the_last_ended_upload_and_eight_bars(engine):
    for number in range(1, 11):
        add_upload(engine, number, stored=number)
    add_upload(engine, 11, status="In Progress", stored=0)
    activity = Overview(engine).sources()[1]
    assert activity.recent == (3, 4, 5, 6, 7, 8, 9, 10)
    assert (activity.last_rows, activity.running, activity.health) == (10, 1, "Running")
    assert activity.rows_loaded == 55


@pytest.mark.parametrize(
    ("status", "rejected", "health"),
    [("Completed", 0, "Healthy"), ("Completed", 5, "Needs attention"), ("Failed", 0, "Needs attention")],
)
def test_health_names_the_state_of_the_last_upload(engine, status, rejected, health):
    add_upload(engine, 1, status=status, rejected=rejected)
    assert Overview(engine).sources()[1].health == health


def test_a_source_without_uploads_says_so():
    assert SourceActivity(7).health == "No uploads yet"


def test_a_file_far_from_the_median_is_unusual(engine):
    for number in range(1, 6):
        add_upload(engine, number, stored=100)
    overview = Overview(engine)
    assert overview.usual_rows(1) == 100
    assert [overview.is_unusual(1, rows) for rows in (30, 60, 190, 300)] == [True, False, False, True]


def test_two_uploads_are_too_few_to_call_anything_unusual(engine):
    add_upload(engine, 1, stored=100)
    add_upload(engine, 2, stored=100)
    assert not Overview(engine).is_unusual(1, 1)


def test_history_days_names_outcomes_and_follows_filters(engine):
    add_upload(engine, 1)
    add_upload(engine, 2, rejected=1)
    add_upload(engine, 3, status="Failed", source=2)
    add_upload(engine, 4, undone_at=now())
    add_upload(engine, 5, status="Failed", is_cancelled=True)
    overview = Overview(engine)
    outcomes = {row.outcome: row.uploads for row in overview.history_days()}
    assert outcomes == {"Cancelled": 1, "Completed": 1, "Completed with rejects": 1, "Failed": 1, "Undone": 1}
    assert [row.outcome for row in overview.history_days(source_id=2)] == ["Failed"]
    assert overview.history_days(until=now() - timedelta(days=1)) == []
    assert overview.people() == ["asha"]


def test_the_same_bytes_are_recognised_only_while_live_and_for_the_same_source(engine):
    add_upload(engine, 1)
    overview = Overview(engine)
    assert overview.loaded_before(1, "hash1")[0] == "R1"
    assert overview.loaded_before(2, "hash1") is None
    assert overview.loaded_before(1, "other") is None


def test_running_uploads_name_their_source(engine):
    add_upload(engine, 1, status="Scheduled", source=2)
    assert [(run.request_id, run.source) for run in Overview(engine).running()] == [("R1", "Store")]
