"""Files of Audience Manager: known by their names, one batch a look, processed once whatever happens."""

from __future__ import annotations

import pytest

from ingest_core.errors import StateError
from ingest_core.models import ColumnMapping, Mapping
from ingest_core.workspace import Workspace
from tests.arrivals.conftest import Night, arrivals_of
from tests.workspaces import Kernel

NAMES = ["ftp_dpm_21_1700000001.sync", "ftp_dpm_21_1700000002.sync"]
DATA = 'user1\t"d_sid"="1"\nuser2\t"d_sid"="1"\n'


@pytest.fixture
def night(kernel, shelf, wall) -> Night:
    opened = kernel.workspace
    source = opened.sources.add("Loyalty", kind="data_source", dpid=21, id_type="cross_device", owner="self")
    opened.audience.traits.add("Trait 1", 21, trait_id=1)
    return Night(kernel, shelf, wall, arrivals_of(opened, shelf), source)


def put(night, **names):
    for name, data in names.items():
        night.shelf.lay(name, data)


def test_files_are_processed_as_one_batch_without_a_mapping(night):
    night.schedule(pattern="*", reads="audience_manager")
    put(night, **dict.fromkeys(NAMES, DATA), **{"notes.txt": "hello\n"})
    night.pass_by(20)
    log = night.log()
    assert [(one.file, one.state) for one in log] == [(name, "loaded") for name in NAMES]
    assert len({one.request_id for one in log}) == 1
    assert log[0].request_id == night.kernel.workspace.audience.batches()[0]["request_id"]
    assert night.shelf.files("done") == NAMES
    assert night.shelf.files() == ["notes.txt"]
    kept = night.kernel.workspace.audience.originals.of(log[0].request_id)
    assert [one.file for one in kept] == NAMES
    assert len(night.kernel.workspace.landing.ids()) == 2  # the very files that were fetched, not copies


def test_a_name_that_cannot_be_taken_is_refused_with_the_reason_of_the_catalogue(night):
    night.schedule(pattern="*", reads="audience_manager")
    put(night, **{"ftp_dpm_99_1700000001.sync": DATA, NAMES[0]: DATA})
    night.pass_by(20)
    states = {one.file: (one.state, (one.reason or {}).get("code")) for one in night.log()}
    assert states == {"ftp_dpm_99_1700000001.sync": ("refused", "unknown_data_source"), NAMES[0]: ("loaded", None)}
    assert night.shelf.files("failed") == ["ftp_dpm_99_1700000001.sync", "ftp_dpm_99_1700000001.sync.why.txt"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_ends_around_a_batch_makes_one_batch(home, tmp_path, shelf, wall, monkeypatch, when):
    folder = tmp_path / "files"
    folder.mkdir()
    with Workspace.open(home) as opened:
        source = opened.sources.add("Loyalty", kind="data_source", dpid=21, id_type="cross_device", owner="self")
        opened.audience.traits.add("Trait 1", 21, trait_id=1)
        night = Night(Kernel(opened, folder), shelf, wall, arrivals_of(opened, shelf), source)
        night.schedule(pattern="*", reads="audience_manager")
        put(night, **dict.fromkeys(NAMES, DATA))
        monkeypatch.setenv("ONRAMP_FAULT", f"arrival: batch:{when}:error")
        with pytest.raises(StateError):
            night.pass_by(20)
    monkeypatch.delenv("ONRAMP_FAULT")
    with Workspace.open(home) as opened:
        night = Night(Kernel(opened, folder), shelf, wall, arrivals_of(opened, shelf), source)
        night.pass_by(20)
        assert night.states() == dict.fromkeys(NAMES, "loaded")
        assert len({row["request_id"] for row in opened.audience.batches()}) == 1
        assert shelf.files("done") == NAMES


def test_signals_of_files_that_come_by_themselves_go_into_profiles_too(night):
    opened = night.kernel.workspace
    pairs = (("id_21", "crmid"), ("city", "city"))
    columns = tuple(ColumnMapping(column=name, attribute=attribute) for name, attribute in pairs)
    opened.mappings.save(night.source, Mapping(columns=columns))
    opened.audience.source_editing.change(night.source.source_id, settings={"load_signals": True})
    night.schedule(pattern="*", reads="audience_manager")
    put(night, **{NAMES[0]: "user1\tcity=Oslo,d_sid=1\n", NAMES[1]: "user2\tcity=Goa\nuser1\tcity=Pune\n"})
    night.pass_by(20)
    batch = night.log()[0].request_id
    assert [load.status for load in opened.signal_uploads.load(batch)] == ["Completed", "Completed"]
    assert [receipt.batch for receipt in opened.history.list()] == [batch, batch]
    assert [(load.file, load.stored) for load in opened.signal_uploads.of_batch(batch)] == [
        (NAMES[0], 1),
        (NAMES[1], 2),
    ]
