"""From a segment to a file in Audience Manager's bucket, fetched back, checked and processed: the intended traits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from ingest_core.audience_manager.checking import check_files
from ingest_core.audience_manager.names import parse_s3_key
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.catalog.destinations import place_from
from ingest_core.clock import now
from ingest_core.transport.places import Secrets
from ingest_core.transport.presets import ACL, fields_of
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.browser.conftest import served
from tests.servers.fixtures import _s3, s3_server
from tests.workspaces import Kernel

__all__ = ["_s3", "s3_server"]

CRM = 478
BUCKET = "demdex-s2s-clients"
PEOPLE = "crmid\tcity\ttier\nK1\tPune\tgold\nK2\tNew Delhi, IN\tsilver\nK3\tGoa\tother\n"
COLUMNS = {"crmid": "crmid", "city": "city", "tier": "tier"}
BUILD = {
    "name": "Gold to Adobe", "segment": "SPRING", "id": {"attribute": "crmid"}, "dpid": CRM,
    "destination": "Adobe inbound",
    "items": [
        {"trait": 7}, {"attribute": "tier", "traits": {"gold": 5, "silver": 6}}, {"attribute": "city", "key": "city"},
    ],
}  # fmt: skip


def prepare(workspace):
    """Data source and traits, as the receiver has them, too."""
    workspace.sources.add("CRM ids", kind="data_source", dpid=CRM, id_type="cross_device")
    for trait, name in ((5, "Gold"), (6, "Silver"), (7, "Customer")):
        workspace.audience.traits.add(name, CRM, trait_id=trait)
    workspace.audience.traits.add("Lives in Pune", CRM, trait_id=9, rule='city == "Pune"')


@pytest.fixture
def address(tmp_path, repository, s3_server):
    """A server with people in a segment, and a build of them to a destination that a preset made."""
    s3_server.client().create_bucket(Bucket=BUCKET)
    (tmp_path / "files").mkdir()
    with Workspace.open(tmp_path / "home", user="Asha Menon") as workspace:
        prepare(workspace)
        workspace.attributes.add("tier", "string")
        kernel = Kernel(workspace, tmp_path / "files")
        kernel.load(PEOPLE, COLUMNS, "People", segment="create:SPRING")
        kernel.load("crmid\tcity\ttier\nK9\tPune\tgold\n", COLUMNS, "Others")
        here = {"access_key": "test", "endpoint": s3_server.endpoint, "addressing": "path", "plain": True}
        place = place_from(fields_of("production", "s3", "acme") | here)
        workspace.destinations.add("Adobe inbound", place, Secrets(secret_key="test"))
        workspace.outbound.builds.keep(Build.model_validate(BUILD))
    with served(tmp_path / "home", repository) as at:
        yield at


def test_a_segment_becomes_exactly_the_intended_traits(page, address, s3_server, tmp_path, outside):
    page.goto(f"{address}/am_builds")
    expect(page.get_by_role("heading", name="Build", exact=True)).to_be_visible()
    page.goto(f"{address}/am_build?build=Gold%20to%20Adobe")
    expect(page.get_by_text("What would be sent")).to_be_visible()
    expect(page.get_by_test_id("stCode").get_by_text("city=Pune,d_sid=5,d_sid=7")).to_be_visible()
    page.get_by_role("button", name="Check as Audience Manager would").click()
    expect(page.get_by_text("3 of 3 records would be stored")).to_be_visible()
    page.get_by_role("button", name="Build and send").dblclick()
    expect(page.get_by_text("Delivered", exact=True).first).to_be_attached()
    page.reload()
    expect(page.get_by_text("Delivered", exact=True).first).to_be_attached()

    client = s3_server.client()
    (found,) = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    key = parse_s3_key(found["Key"])
    assert (key.partner, key.day) == ("acme", now().date())
    puts = [
        headers for (method, _), headers in zip(s3_server.requests, s3_server.headers, strict=True) if method == "PUT"
    ]
    assert puts[-1]["HTTP_X_AMZ_ACL"] == ACL
    file = MemoryFile(str(key.name), client.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
    (checked,) = check_files([file], now()).files
    assert (checked.valid, checked.problems) == (True, [])
    with Workspace.open(tmp_path / "receiver", user="receiver") as receiver:
        prepare(receiver)
        assert not receiver.audience.ingest([file], BatchOptions(now())).rejected
        held = {identifier: {*traits} for (_, identifier), traits in receiver.audience.members().items()}
    assert held == {"K1": {5, 7, 9}, "K2": {6, 7}, "K3": {7}}
    assert outside == []
