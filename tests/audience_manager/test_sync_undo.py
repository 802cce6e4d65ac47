"""An ID sync that is taken back is as if it had never come: the log keeps ids as they stood in the files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.models import SourceSettings
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

DAY_0 = datetime(2026, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None)
U1, U2 = f"{1:038}", f"{2:038}"
IDFA = "AEBE52E7-03EE-455A-B3C4-000000000001"

# Batches by name, a day apart. 33 and 34 are of cookies, 21 of customers, 50 another company's that lets us feed its
# traits: ids of 33 are shared with it.
BATCHES = {
    "first device": {"adobe_id_0_33_1700000001.sync": f"{U1}\tck\n"},
    "data before": {"ftp_dpm_33_1700000002.sync": "ck\td_sid=3\nother\td_sid=3\n"},
    "second device": {"adobe_id_0_33_34_1700000003.sync": f"{U2}\tck\tdk\n"},
    "chain": {
        "adobe_id_34_21_1700000004.sync": "dk\tcustomer\n",
        "adobe_id_20915_21_1700000005.sync": f"{IDFA}\tcustomer\n",
    },
    "data after": {
        "ftp_dpm_33_1700000006.sync": "ck\td_sid=4\n",
        "ftp_dpm_33_50_1700000007.sync": "ck\td_sid=50\n",
        "ftp_dpm_34_1700000008.overwrite": "dk\td_sid=5\n",
        "ftp_dpm_21_1700000009.sync": "customer\td_sid=1\n",
    },
}  # fmt: skip
SYNCS = ["first device", "second device", "chain"]


def opened(home):
    workspace = Workspace.open(home, user="tests")
    for dpid, kind in ((21, "cross_device"), (33, "cookie"), (34, "cookie")):
        workspace.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
    shared = SourceSettings(access_mapping=True)
    workspace.sources.add("Partner", kind="data_source", dpid=50, id_type="cookie", owner="other", settings=shared)
    for trait, dpid in {1: 21, 3: 33, 4: 33, 5: 34, 50: 50}.items():
        workspace.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait, ttl_days=0)
    return workspace


def ingest(workspace, name):
    files = [MemoryFile(file, text.encode()) for file, text in BATCHES[name].items()]
    moment = DAY_0 + timedelta(days=list(BATCHES).index(name))
    report = workspace.audience.ingest(files, BatchOptions(moment, keeps_files=False))
    assert report.rejected == []
    return report.request_id


def state(workspace):
    """Everything but numbers of files and batches."""
    return workspace.audience.digest()


def live(workspace):
    found = workspace.audience.members(DAY_0 + timedelta(days=10), "profile_only")
    return {profile: set(traits) for profile, traits in found.items()}


@pytest.mark.parametrize("without", [[name] for name in SYNCS] + [["first device", "second device"], SYNCS])
def test_all_is_as_if_the_syncs_had_never_come_and_back(tmp_path, without):
    with opened(tmp_path / "never") as never:
        for name in BATCHES:
            if name not in without:
                ingest(never, name)
        expected, expected_live = state(never), live(never)
    with opened(tmp_path / "undone") as workspace:
        taken = {name: ingest(workspace, name) for name in BATCHES}
        whole = state(workspace)
        for name in without:
            workspace.audience.undo(taken[name])
        assert live(workspace) == expected_live
        assert state(workspace) == expected
        assert workspace.rebuild()["audience"] == expected
        for name in reversed(without):
            workspace.audience.redo(taken[name])
        assert state(workspace) == whole


def test_traits_follow_the_mapping_that_is_left(tmp_path):
    with opened(tmp_path / "home") as workspace:
        taken = {name: ingest(workspace, name) for name in BATCHES}
        assert live(workspace) == {(0, U1): {3}, (0, U2): {4, 5, 50}, (21, "customer"): {1}}
        workspace.audience.undo(taken["second device"])
        assert live(workspace) == {(0, U1): {3, 4, 50}, (21, "customer"): {1}}
        workspace.audience.undo(taken["first device"])
        assert live(workspace) == {(21, "customer"): {1}}
        with workspace.engine.session() as session:
            ids = session.rows("SELECT DISTINCT dpid, user_id FROM am_op ORDER BY ALL")
        assert ids == [(21, "customer"), (33, "ck"), (33, "other"), (34, "dk")]
        workspace.audience.redo(taken["second device"])
        assert live(workspace) == {(0, U2): {4, 5, 50}, (21, "customer"): {1}}
