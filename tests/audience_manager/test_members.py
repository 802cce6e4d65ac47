"""Who has which traits, page by page."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.qualified import Page
from ingest_core.clock import now
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

PEOPLE = 25


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with Workspace.open(tmp_path_factory.mktemp("members") / "home", user="tests") as opened:
        opened.sources.add("People", kind="data_source", dpid=21, id_type="cross_device")
        for trait in (1, 2):
            opened.audience.traits.add(f"Trait {trait}", 21, trait_id=trait)
        lines = "".join(f"p{n:02}\td_sid=2,d_sid=1\n" for n in range(PEOPLE))
        devices = f"{1:038}\td_sid=1\n"
        files = [
            MemoryFile("ftp_dpm_21_1700000000.sync", lines.encode()),
            MemoryFile("ftp_dpm_0_21_1700000000.sync", devices.encode()),
        ]
        opened.audience.ingest(files, BatchOptions(now()))
        yield opened


@pytest.mark.parametrize("limit", [1, 4, 5, 24, 25, 26, 100])
@pytest.mark.parametrize("dpid", [None, 21, 0, 99])
def test_pages_together_are_everybody_once(workspace, dpid, limit):
    seen, after = [], None
    while True:
        page = workspace.audience.page_of_members(Page(dpid, after, limit))
        seen += page.members
        assert len(page.members) <= limit
        if page.next is None:
            break
        number, _, identifier = page.next.partition(":")
        after = (int(number), identifier)
    everybody = {key: sorted(traits) for key, traits in workspace.audience.members().items() if dpid in (None, key[0])}
    assert [((one["dpid"], one["id"]), one["traits"]) for one in seen] == list(everybody.items())
    assert page.count == len(everybody)
