"""What ends by itself: profiles without activity with all they had, and mappings of cookie ids nobody saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

DAY_0 = datetime(2026, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None)
UUID = f"{7:038}"


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        for dpid, kind in ((21, "cross_device"), (33, "cookie")):
            opened.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
        opened.audience.traits.add("For ever", 33, trait_id=1, ttl_days=0)
        opened.audience.traits.add("Usual", 33, trait_id=2)
        yield opened


def take(workspace, day, name, text):
    file = MemoryFile(f"{name}_{1_700_000_000 + day}.sync", f"{text}\n".encode())
    return workspace.audience.ingest([file], BatchOptions(DAY_0 + timedelta(days=day)))


def traits(workspace, day):
    return sorted(workspace.audience.members(DAY_0 + timedelta(days=day)).get((0, UUID), {}))


def matched(workspace, day):
    return take(workspace, day, "ftp_dpm_33", "ck\td_sid=2").receipts[0].stored_records == 1


@pytest.mark.parametrize(("days", "held"), [(119, [1, 2]), (120, [2]), (200, [2])])
def test_who_comes_back_after_a_profile_is_gone_begins_anew(workspace, days, held):
    take(workspace, 0, "ftp_dpm_0_33", f"{UUID}\td_sid=1")
    take(workspace, days, "ftp_dpm_0_33", f"{UUID}\td_sid=2")
    assert traits(workspace, days) == held


@pytest.mark.parametrize(("days", "is_known"), [(119, True), (120, False)])
def test_a_cookie_id_is_forgotten_when_nobody_saw_its_device(workspace, days, is_known):
    take(workspace, 0, "adobe_id_0_33", f"{UUID}\tck")
    assert matched(workspace, days) is is_known


@pytest.mark.parametrize("name", ["ftp_dpm_0_33", "adobe_id_0_21"])
def test_a_device_that_is_seen_keeps_its_cookie_ids(workspace, name):
    take(workspace, 0, "adobe_id_0_33", f"{UUID}\tck")
    take(workspace, 100, name, f"{UUID}\t{'d_sid=1' if name.startswith('ftp') else 'customer'}")
    assert matched(workspace, 219)


def test_a_mapping_that_has_ended_does_not_come_back(workspace):
    take(workspace, 0, "adobe_id_0_33", f"{UUID}\tck")
    take(workspace, 120, "ftp_dpm_0_33", f"{UUID}\td_sid=1")
    assert not matched(workspace, 121)


def test_a_match_through_a_cookie_id_is_seeing_its_device(workspace):
    take(workspace, 0, "adobe_id_0_33", f"{UUID}\tck")
    assert matched(workspace, 100)
    assert matched(workspace, 200)
