"""Folders of each day: today's and those of some days before are looked into, at every kind of place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ingest_core.arrivals.folders import entries_of, folders_of
from ingest_core.arrivals.schedule import Rules
from ingest_core.clock import now
from ingest_core.errors import InputError
from tests.arrivals.conftest import Night, arrivals_of

DATA = "user1\td_sid=1\n"
TODAY = date(2026, 3, 1)


@pytest.fixture
def night(kernel, shelf, wall) -> Night:
    opened = kernel.workspace
    source = opened.sources.add("Loyalty", kind="data_source", dpid=21, id_type="cross_device", owner="self")
    opened.audience.traits.add("Trait 1", 21, trait_id=1)
    return Night(kernel, shelf, wall, arrivals_of(opened, shelf), source)


def rules(folder, days=2):
    return Rules(place="shelf", every_seconds=900, folder=folder, days_back=days)


def day(back=0):
    return (now().date() - timedelta(days=back)).isoformat()


@pytest.mark.parametrize(
    ("folder", "days", "expected"),
    [
        ("partner/date=*", 2, ["partner/date=2026-02-27", "partner/date=2026-02-28", "partner/date=2026-03-01"]),
        ("date=*", 0, ["date=2026-03-01"]),
        ("in/{date}/am", 1, ["in/2026-02-28/am", "in/2026-03-01/am"]),
        ("in", 5, ["in"]),
        ("", 5, [""]),
    ],
)
def test_a_folder_stands_for_those_of_the_days(folder, days, expected):
    assert folders_of(rules(folder, days), TODAY) == expected


@pytest.mark.parametrize("folder", ["partner/date=*/x*", "in/{date}/{hour}", "date=*/[ab]"])
def test_other_placeholders_are_refused(night, folder):
    with pytest.raises(InputError) as caught:
        night.schedule(folder=folder, reads="audience_manager")
    assert caught.value.code == "bad_folder"


def test_files_of_these_days_are_taken_in_order_and_put_away_in_their_day(night):
    night.schedule(pattern="*", folder="partner/date=*", days_back=1, reads="audience_manager")
    names = {2: "ftp_dpm_21_1700000000.sync", 1: "ftp_dpm_21_1700000009.sync", 0: "ftp_dpm_21_1700000001.sync"}
    for back, name in names.items():
        night.shelf.lay(f"partner/date={day(back)}/{name}", DATA)
    night.pass_by(20)
    assert sorted((one.file, one.state) for one in night.log()) == [(names[0], "loaded"), (names[1], "loaded")]
    assert night.shelf.files(f"partner/date={day(1)}/done") == [names[1]]
    assert night.shelf.files(f"partner/date={day(0)}/done") == [names[0]]
    assert night.shelf.files(f"partner/date={day(2)}") == [names[2]]


def test_the_next_day_has_its_own_folder(night):
    night.schedule(pattern="*", folder="date={date}", days_back=0, reads="audience_manager")
    night.shelf.lay(f"date={day(-1)}/ftp_dpm_21_1700000001.sync", DATA)
    night.pass_by(20)
    assert night.log() == []
    night.wall.step(seconds=86_400)
    night.pass_by(20)
    assert [one.state for one in night.log()] == ["loaded"]


@pytest.mark.parametrize("kind", ["folder", "s3", "sftp", "ftps"])
def test_every_kind_of_place_is_looked_into_by_day(site_of, kind):
    site = site_of(kind)
    for back in range(4):
        site.write(f"partner/date={day(back)}/ftp_dpm_21_170000000{back}.sync", b"x")
    with site.connect() as place:
        found = entries_of(place, rules("partner/date=*", 2))
        none = entries_of(place, rules("other/date=*", 2))
    expected = [f"partner/date={day(back)}/ftp_dpm_21_170000000{back}.sync" for back in (2, 1, 0)]
    assert [entry.name for entry in found] == expected
    assert none == []


def test_a_schedule_of_before_is_the_same_one(night):
    """What was kept had no days; the same rules given again are that schedule."""
    made = night.schedule(pattern="*", reads="audience_manager")
    with night.kernel.workspace.engine.queue, night.kernel.workspace.engine.session() as session:
        session.run("UPDATE schedule SET rules = replace(rules, ',\"days_back\":2', '')")
        assert "days_back" not in session.value("SELECT rules FROM schedule")
    assert night.schedule(pattern="*", reads="audience_manager") == made
