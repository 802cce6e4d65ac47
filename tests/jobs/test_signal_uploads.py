"""Signals of data files in profiles, by themselves: an upload beside the batch, once, whatever happens in between."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.originals import files_of_originals
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.files.in_memory import InMemory
from ingest_core.models import ColumnMapping, Mapping, Options
from ingest_core.workspace import Workspace

NAME = "ftp_dpm_478_1366545717.sync"
LINES = b"C1\tcity=Oslo,d_sid=24\nC2\tcity=Goa\nC3\tword\n"


def mapping_of(column: str) -> Mapping:
    """Ids in this column are customers; one signal is their city."""
    pairs = ((column, "crmid"), ("city", "city"))
    return Mapping(columns=tuple(ColumnMapping(column=name, attribute=attribute) for name, attribute in pairs))


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home") as opened:
        source = opened.sources.add(
            "Visitors", kind="data_source", dpid=478, id_type="cross_device", id_attribute="crmid"
        )
        opened.mappings.save(source, mapping_of("id_478"))
        opened.audience.source_editing.change(source.source_id, settings={"load_signals": True})
        opened.audience.traits.add("Buyers", 478, trait_id=24)
        yield opened


def processed(workspace, *files, load=True):
    report = workspace.audience.ingest([InMemory(name, data) for name, data in files])
    if load:
        report.uploads = workspace.signal_uploads.load(report.request_id)
    return report


def copies(workspace):
    """Received files that are neither kept as they came nor of something that waits."""
    with workspace.engine.session() as session:
        return set(workspace.landing.ids()) - files_of_originals(session)


def city_of(workspace, crmid):
    with workspace.engine.session() as session:
        column = workspace.attributes.get("city").column
        identifier = workspace.attributes.get("crmid").column
        return session.value(f"SELECT {column} FROM profile WHERE {identifier} = ?", [crmid])


def test_a_batch_and_an_upload_come_of_one_file_and_name_each_other(workspace):
    report = processed(workspace, (NAME, LINES))
    (load,) = report.uploads
    assert (load.file, load.source, load.state, load.status, load.stored, load.rejected) == (
        NAME, "Visitors", "submitted", "Completed", 2, 1,
    )  # fmt: skip
    receipt = workspace.history.get(load.request_id)
    assert (receipt.batch, receipt.file, receipt.source) == (report.request_id, NAME, "Visitors")
    assert workspace.audience.receipt(report.request_id).uploads == [load]
    assert city_of(workspace, "C1") == "Oslo"
    assert workspace.audience.members() != {}
    assert copies(workspace) == set()


def test_without_the_switch_nothing_is_loaded(workspace):
    source = workspace.sources.get("Visitors")
    workspace.audience.source_editing.change(source.source_id, settings={"load_signals": False})
    assert processed(workspace, (NAME, LINES)).uploads == []
    assert workspace.history.list() == []


def test_neither_the_beta_environment_nor_a_dry_run_leaves_anything(workspace):
    for options in ({"options": BatchOptions(now(), is_beta=True)}, {"is_dry_run": True}):
        assert workspace.audience.ingest([InMemory(NAME, LINES)], **options).request_id is None
    assert workspace.signal_uploads.turn(lambda: False) > 0
    assert (workspace.history.list(), copies(workspace)) == ([], set())


def test_a_file_without_a_mapping_is_a_batch_all_the_same_and_says_so(workspace):
    devices = b"e4fe9bde-caa0-47b6-908d-ffba3fa184f2\tcity=Rome,d_sid=24\n"
    report = processed(workspace, ("ftp_dpm_20914_478_1366545717.sync", devices))
    (load,) = report.uploads
    assert (load.state, load.request_id, load.error["code"]) == ("refused", None, "no_mapping")
    assert report.receipts[0].stored_records == 1
    assert copies(workspace) == set()


def test_signals_are_those_of_the_data_source_that_the_file_feeds(workspace):
    crm = workspace.sources.add("CRM ids", kind="data_source", dpid=9, id_type="cross_device", id_attribute="crmid")
    workspace.mappings.save(crm, mapping_of("id_9"))
    workspace.mappings.save(workspace.sources.get("Visitors"), mapping_of("id_9"))
    report = processed(workspace, ("ftp_dpm_9_478_1366545717.sync", b"C7\tcity=Rome\n"))
    assert [(load.source, load.status) for load in report.uploads] == [("Visitors", "Completed")]
    assert city_of(workspace, "C7") == "Rome"


def test_a_file_that_was_loaded_by_hand_is_not_loaded_again(workspace):
    source = workspace.sources.get("Visitors")
    by_hand = workspace.loads.load(workspace.plan(InMemory(NAME, LINES), source, None, Options()))
    (load,) = processed(workspace, (NAME, LINES)).uploads
    assert (load.state, load.request_id, load.error["code"]) == ("refused", by_hand.request_id, "already_loaded")


def test_each_is_undone_apart_and_says_that_the_other_is_there(workspace):
    report = processed(workspace, (NAME, LINES))
    upload = report.uploads[0].request_id
    assert workspace.audience.undo(report.request_id, is_preview=True).uploads == (upload,)
    assert workspace.audience.undo(report.request_id).uploads == (upload,)
    assert (workspace.audience.members(), city_of(workspace, "C1")) == ({}, "Oslo")
    workspace.undo.undo(upload)
    assert city_of(workspace, "C1") is None
    assert workspace.audience.redo(report.request_id).uploads == (upload,)
    assert (len(workspace.audience.members()), city_of(workspace, "C1")) == (1, None)
    workspace.undo.redo(upload)
    assert city_of(workspace, "C1") == "Oslo"


def test_a_batch_that_was_undone_and_comes_again_loads_its_signals_once(workspace):
    first = processed(workspace, (NAME, LINES))
    workspace.audience.undo(first.request_id)
    (again,) = processed(workspace, (NAME, LINES)).uploads
    assert (again.state, again.request_id) == ("refused", first.uploads[0].request_id)
    assert len(workspace.history.list()) == 1


def test_parts_become_uploads_in_their_order(workspace):
    report = processed(workspace, (f"{NAME}.2", b"C1\tcity=Pune\n"), (f"{NAME}.1", b"C1\tcity=Rome\n"))
    assert [load.file for load in report.uploads] == [f"{NAME}.1", f"{NAME}.2"]
    assert city_of(workspace, "C1") == "Pune"


@pytest.mark.parametrize("point", ["commit:before", "commit:after", "signals: submit:before", "signals: submit:after"])
def test_a_process_that_dies_on_the_way_loses_and_doubles_nothing(tmp_path, workspace, monkeypatch, point):
    monkeypatch.setenv("ONRAMP_FAULT", f"{point}:error")
    with pytest.raises(StateError):
        processed(workspace, (NAME, LINES))
    monkeypatch.delenv("ONRAMP_FAULT")
    home = workspace.home
    workspace.close()
    with Workspace.open(home) as again:
        again.signal_uploads.turn(lambda: False)
        again.jobs.run_waiting()
        batches = again.audience.batches()
        assert len(batches) == (0 if point == "commit:before" else 1)
        receipts = again.history.list()
        assert [receipt.status for receipt in receipts] == ["Completed"] * len(batches)
        assert [receipt.batch for receipt in receipts] == [batch["request_id"] for batch in batches]
        assert copies(again) == set()


def test_only_data_sources_have_signals(workspace):
    source = workspace.sources.add("CRM")
    with pytest.raises(InputError) as caught:
        workspace.audience.source_editing.change(source.source_id, settings={"load_signals": True})
    assert caught.value.code == "not_a_data_source"
