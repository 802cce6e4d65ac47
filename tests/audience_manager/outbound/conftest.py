"""A workspace with data sources and traits, files of Audience Manager, and orders into a folder."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "out", "template", "workspace"]

DAY = datetime.fromisoformat("2026-03-01 12:00")
CRM, SHOP, COOKIES = 21, 33, 44
UUID = "0795526165288603295014370250589427213"
"""One more digit makes it whole."""


@dataclass
class Out:
    """The outgoing side, and a place."""

    workspace: Workspace
    folder: Path

    @property
    def exports(self):
        return self.workspace.outbound.exports

    def ingest(self, name, *lines, at=DAY):
        file = MemoryFile(name, "".join(f"{line}\n" for line in lines).encode())
        report = self.workspace.audience.ingest([file], BatchOptions(at))
        assert not report.rejected
        return report

    def order(self, **fields):
        made = {"order_id": 7, "name": "Partner", "master": CRM, "folder": str(self.folder), "keep_days": None}
        return self.workspace.outbound.orders.add(Order(**{**made, **fields}))

    def run(self, mode="iter", order=7, at=DAY):
        return self.exports.run(order, mode, at=at, user="asha")

    def lines(self, run):
        """The rows of a run as they lie at the place."""
        found = []
        for file in run.files:
            data = (self.folder / file.name).read_bytes()
            assert len(data) == file.size
            plain = gzip.decompress(data) if file.name.endswith(".gz") else data
            assert plain.count(b"\n") == file.lines
            found += plain.decode().splitlines()
        return found

    def control(self, run):
        return json.loads((self.folder / run.control).read_text())


@pytest.fixture
def out(workspace, tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    workspace.sources.add("CRM", kind="data_source", dpid=CRM, id_type="cross_device")
    workspace.sources.add("Shop", kind="data_source", dpid=SHOP, id_type="cross_device")
    workspace.sources.add("Cookies", kind="data_source", dpid=COOKIES, id_type="cookie")
    for trait, dpid in ((1, CRM), (2, CRM), (3, CRM), (9, SHOP)):
        workspace.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait)
    workspace.outbound.segments.add("Both", "1T AND 2T", 101)
    workspace.outbound.segments.add("Any", "1T OR 3T", 102)
    return Out(workspace, folder)
