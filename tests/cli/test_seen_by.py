"""A command of somebody else in a running process disturbs nothing that is under way there."""

from __future__ import annotations

import pytest

from ingest_core.deliveries import records
from ingest_core.deliveries.order import Order
from ingest_core.transport.places import FolderPlace
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]


@pytest.fixture
def under_way(kernel, tmp_path):
    """The id of a delivery that somebody is sending at this moment."""
    workspace = kernel.workspace
    (tmp_path / "place").mkdir()
    workspace.destinations.add("Partner", FolderPlace(path=str(tmp_path / "place")))
    kernel.load("crmid\nK1\n", {"crmid": "crmid"}, segment="create:ALL")
    delivery_id = workspace.deliveries.order(Order(kind="segment", object="ALL", destination="Partner"))
    with workspace.engine.queue, workspace.engine.session() as session, session.transaction():
        records.claim(session, delivery_id)
    return delivery_id


def test_a_delivery_that_is_being_sent_goes_on_and_keeps_its_bytes(workspace, under_way):
    zone = workspace.deliveries._zone
    landing = zone.create("being made").finish()
    workspace.seen_by("meera")
    assert workspace.deliveries.get(under_way).status == "running"
    assert landing in zone.ids()


def test_files_of_a_run_that_is_being_made_stay(workspace):
    landing = workspace.outbound.runs.zone.create("being made").finish()
    seen = workspace.seen_by("meera")
    assert landing in workspace.outbound.runs.zone.ids()
    assert seen.outbound.exports.runs is seen.outbound.runs is workspace.outbound.runs


def test_schedules_have_one_turn_at_a_time_whoever_asks(workspace):
    assert workspace.seen_by("meera").arrivals.watch is workspace.arrivals.watch


def test_what_is_done_is_written_down_under_the_name_of_whoever_does_it(workspace):
    workspace.seen_by("meera").outbound.segments.add("Any", "1T")
    with workspace.engine.session() as session:
        assert session.value("SELECT created_by FROM am_segment") == "meera"


def test_the_next_opening_takes_up_what_was_under_way(workspace, under_way, home):
    from ingest_core.workspace import Workspace

    left = workspace.outbound.runs.zone.create("never kept").finish()
    workspace.close()
    with Workspace.open(home) as again:
        assert again.deliveries.get(under_way).status == "waiting"
        assert left not in again.outbound.runs.zone.ids()
