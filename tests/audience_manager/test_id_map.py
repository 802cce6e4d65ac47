"""Mappings of ids in the database against the graph in memory, which goes by the letter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.id_graph import IdGraph
from ingest_core.audience_manager.known import Known
from ingest_core.audience_manager.names import parse_id_sync
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.resolving import resolve
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

TYPES = {21: "cross_device", 33: "cookie", 34: "cookie"}
AT = datetime(2026, 11, 28, tzinfo=UTC).replace(tzinfo=None)


def uuid(number):
    return f"{number:038}"


def idfa(number):
    return f"AEBE52E7-03EE-455A-B3C4-{number:012X}"


IDS = {
    0: st.integers(0, 3).map(uuid),
    20915: st.integers(0, 3).map(idfa),
    **{dpid: st.sampled_from(["a", "b", "c", "A"]) for dpid in TYPES},
}


@st.composite
def sync_files(draw):
    """Names and rows of several ID sync files with different columns."""
    files = []
    for number in range(draw(st.integers(1, 5))):
        columns = draw(st.lists(st.sampled_from(list(IDS)), min_size=2, max_size=4, unique=True))
        rows = draw(st.lists(st.tuples(*(IDS[dpid] for dpid in columns)).map("\t".join), min_size=1, max_size=6))
        name = f"adobe_id_{'_'.join(map(str, columns))}_{1_700_000_000 + number}.sync"
        files.append((name, rows))
    return files


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.open(tmp_path_factory.mktemp("ids") / "home", user="tests") as opened:
        for dpid, kind in TYPES.items():
            opened.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
        yield opened


def empty(workspace):
    with workspace.engine.write, workspace.engine.session() as session:
        for table in ("am_map", "am_link", "am_hash", "am_file"):
            session.run(f"DELETE FROM {table}")


def devices(workspace, ids):
    """Id → device, of those that have one."""
    with workspace.engine.session() as session:
        session.run("CREATE OR REPLACE TEMP TABLE am_asked (dpid BIGINT, id VARCHAR)")
        for dpid, identifier in ids:
            session.run("INSERT INTO am_asked VALUES (?, ?)", [dpid, identifier])
        resolve(session, Known.of(workspace.audience.registered(), AT), "am_asked")
        rows = session.rows("SELECT dpid, id, device_dpid, device_id FROM am_resolved")
    return {(dpid, identifier): (device_dpid, device) for dpid, identifier, device_dpid, device in rows}


@settings(deadline=None, max_examples=40)
@given(sync_files())
def test_ids_stand_for_the_devices_of_the_graph_in_memory(workspace, files):
    empty(workspace)
    graph = IdGraph(TYPES)
    for name, rows in files:
        report = workspace.audience.ingest([MemoryFile(name, "\n".join(rows).encode())], BatchOptions(AT))
        counts = graph.apply_file(parse_id_sync(name), [row.encode() for row in rows])
        assert counts.stored_records == report.id_sync[0].counts["stored_records"]
        assert counts.no_matching_aam_id == report.id_sync[0].counts["no_matching_aam_id"]
    ids = [(dpid, text) for dpid in TYPES for text in "abcA"] + [(20915, idfa(n)) for n in range(4)]
    expected = {one: device for one in ids if (device := graph.resolve(*one)) is not None}
    assert expected == devices(workspace, ids)


def test_the_newest_hundred_devices_of_a_customer_are_kept(workspace):
    empty(workspace)
    rows = [f"{idfa(number)}\tsomebody" for number in range(105)]
    workspace.audience.ingest([MemoryFile("adobe_id_20915_21_1700000000.sync", "\n".join(rows).encode())])
    with workspace.engine.session() as session:
        kept = {device for (device,) in session.rows("SELECT device_id FROM am_map WHERE id = 'somebody'")}
    assert {idfa(number) for number in range(5, 105)} == kept


def test_the_newest_hundred_devices_of_a_customer_are_merged(workspace):
    empty(workspace)
    workspace.audience.traits.add("Gold", 21, trait_id=1)
    rows = [f"{uuid(number)}\tsomebody" for number in [*range(101), 0]]
    files = {"ftp_dpm_21_1700000000.sync": ["somebody\td_sid=1"], "adobe_id_0_21_1700000000.sync": rows}
    given = [MemoryFile(name, "\n".join(lines).encode()) for name, lines in files.items()]
    workspace.audience.ingest(given, BatchOptions(AT))
    found = workspace.audience.members(AT, "device_plus_last_authenticated")
    assert {identifier for dpid, identifier in found if dpid == 0} == {uuid(n) for n in range(101) if n != 1}


def test_the_newest_ten_addresses_of_a_customer_are_kept(workspace):
    empty(workspace)
    workspace.sources.add("Hashes", kind="data_source", dpid=60, id_type="cross_device")
    rows = [f"somebody\t{number:064x}" for number in range(12)]
    workspace.audience.ingest([MemoryFile("c2c_id_21_60_1700000000.sync", "\n".join(rows).encode())])
    with workspace.engine.session() as session:
        kept = {value for (value,) in session.rows("SELECT hash FROM am_hash")}
    assert {f"{number:064x}" for number in range(2, 12)} == kept
