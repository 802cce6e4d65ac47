"""ID syncs by HTTP: off by default, limited, kept at once, taken as an ID sync file with a receipt."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.http_syncs import BY, Limits
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import OnrampError
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, template, workspace

__all__ = ["home", "template", "workspace"]

UUID = "07955261652886032950143702505894272138"


@pytest.fixture
def syncs(workspace):
    workspace.configuration.set({"id_sync_route": True})
    workspace.sources.add("Site", kind="data_source", dpid=478, id_type="cookie")
    workspace.audience.traits.add("Gold", 478, trait_id=5)
    return workspace.http_syncs


def code_of(call, *arguments):
    with pytest.raises(OnrampError) as caught:
        call(*arguments)
    assert caught.value.hint
    return caught.value.code


def waiting(workspace):
    with workspace.engine.session() as session:
        return session.value("SELECT count(*) FROM am_http_sync")


def test_it_is_off_unless_switched_on(workspace):
    assert code_of(workspace.http_syncs.take, "https://h/ibs:dpid=478&dpuuid=a", None, "c") == "route_off"


def test_a_sync_is_taken_as_a_file_with_a_receipt_and_data_finds_its_device(syncs, workspace):
    synced = syncs.take("https://h/ibs:dpid=478&dpuuid=C%2D1", UUID, "c")
    assert (synced.uuid, synced.redirect, waiting(workspace)) == (UUID, None, 1)
    syncs.turn(lambda: False)
    assert waiting(workspace) == 0
    (batch,) = workspace.audience.receipts()
    assert workspace.audience.receipt(batch.request_id).id_sync[0].counts["stored_records"] == 1
    workspace.audience.ingest([MemoryFile("ftp_dpm_478_1700000000.sync", b"C-1\td_sid=5\n")], BatchOptions(now()))
    assert {profile: {*traits} for profile, traits in workspace.audience.members().items()} == {(0, UUID): {5}}
    with workspace.engine.session() as session:
        assert session.value("SELECT uploaded_by FROM am_batch ORDER BY batch_no LIMIT 1") == BY


def test_a_new_browser_gets_an_id_and_is_sent_on_with_it(syncs):
    synced = syncs.take(
        "https://h/ibs:dpid=478&dpuuid=a&redir=https%3A%2F%2Fx.example%2F%3Fu%3D%24%7BDD_UUID%7D", "no", "c"
    )
    assert len(synced.uuid) == 38
    assert synced.redirect == f"https://x.example/?u={synced.uuid}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dpid=99&dpuuid=a", "unknown_data_source"),
        ("d_cid_ic=code%01a", "unknown_data_source"),
        ("dpid=x&dpuuid=a", "bad_dpid"),
        ("dpid=478&dpuuid=", "blank_id"),
        ("dpid=478&dpuuid=%zz", "bad_encoding"),
        ("dpid=478&dpuuid=a%09b", "column_count"),
        ("dpid=478&dpuuid=a%0Ab", "control_char"),
        ("dpid=478&dpuuid=asha%40example.in", "pii_in_id"),
        ("dpid=478&dpuuid=a&gdpr=1", "gdpr_pair"),
        ("dpid=478&dpuuid=a&redir=javascript%3Aalert(1)", "bad_redirect"),
    ],
)
def test_what_no_file_could_hold_is_refused_and_nothing_is_kept(syncs, workspace, query, code):
    assert code_of(syncs.take, f"https://h/ibs:{query}", UUID, "c") == code
    assert waiting(workspace) == 0


def test_a_failed_turn_keeps_what_came(syncs, workspace, monkeypatch):
    syncs.take("https://h/ibs:dpid=478&dpuuid=a", UUID, "c")
    monkeypatch.setenv("ONRAMP_FAULT", "commit:before:error")
    with pytest.raises(OnrampError):
        syncs.turn(lambda: False)
    monkeypatch.delenv("ONRAMP_FAULT")
    assert waiting(workspace) == 1
    syncs.turn(lambda: False)
    assert (waiting(workspace), len(workspace.audience.receipts())) == (0, 1)


def test_each_client_has_a_limit_that_comes_back_with_time():
    moment = [0.0]
    limits = Limits(lambda: moment[0])
    assert [limits.allow("a", 2) for _ in range(3)] == [True, True, False]
    assert limits.allow("b", 2)
    moment[0] = 30
    assert [limits.allow("a", 2) for _ in range(2)] == [True, False]


def test_too_many_are_told(syncs, workspace):
    workspace.configuration.set({"id_sync_per_minute": 1})
    syncs.take("https://h/ibs:dpid=478&dpuuid=a", UUID, "c")
    assert code_of(syncs.take, "https://h/ibs:dpid=478&dpuuid=b", UUID, "c") == "too_many_requests"
