"""Builds to places of Audience Manager: environment, partner and access come from the destination."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.names import parse_s3_key
from ingest_core.catalog.destinations import place_from
from ingest_core.clock import now
from ingest_core.deliveries.order import Order
from ingest_core.errors import InputError
from ingest_core.files.in_memory import InMemory
from ingest_core.transport.places import Secrets
from ingest_core.transport.presets import ACL, PRESETS, fields_of
from tests.audience_manager.outbound.test_builds import ITEMS, Building, building
from tests.servers.fixtures import _s3, s3_server

__all__ = ["_s3", "building", "s3_server"]

HOLDS = {one.environment: one.bucket for one in PRESETS}


def add(building: Building, server=None, environment="production", name="Adobe", **fields):
    """A destination by preset; with a server, it is that one instead of Amazon's."""
    place = fields_of(environment, "s3", "acme") | {"access_key": "test"}
    if server is not None:
        server.client().create_bucket(Bucket=HOLDS[environment])
        place |= {"endpoint": server.endpoint, "addressing": "path", "plain": True}
    place |= fields
    return building.workspace.destinations.add(name, place_from(place), Secrets(secret_key="test"))


def keep(building, **fields):
    return building.keep(**{"folder": None, "destination": "Adobe", **fields})


@pytest.mark.parametrize("environment", ["production", "beta"])
def test_a_build_goes_to_the_partners_folder_of_the_day_with_the_access(building, s3_server, environment):
    add(building, s3_server, environment)
    build = keep(building)
    assert (build.environment, build.partner) == (environment, "acme")
    s3_server.requests.clear()
    s3_server.headers.clear()
    run = building.run()
    (found,) = s3_server.client().list_objects_v2(Bucket=HOLDS[environment])["Contents"]
    assert found["Key"] == run.files[0].name
    assert found["Size"] == run.files[0].size
    assert found["ETag"].strip('"') == run.files[0].md5
    key = parse_s3_key(found["Key"])
    assert (key.partner, key.day) == ("acme", now().date())
    puts = [
        headers for (method, _), headers in zip(s3_server.requests, s3_server.headers, strict=True) if method == "PUT"
    ]
    assert [headers["HTTP_X_AMZ_ACL"] for headers in puts] == [ACL]
    assert run.definition == ("Gold" if environment == "production" else "Gold (beta)")


@pytest.mark.parametrize(("at", "said"), [("production", "beta"), ("beta", "production")])
def test_the_other_environment_is_refused(building, at, said):
    add(building, environment=at)
    with pytest.raises(InputError) as caught:
        keep(building, environment=said)
    assert caught.value.code == "wrong_environment"
    assert building.workspace.outbound.builds.list() == []


def test_a_destination_that_became_the_other_environment_is_refused_at_the_run(building):
    add(building)
    keep(building)
    building.workspace.destinations.remove("Adobe")
    add(building, environment="beta")
    with pytest.raises(InputError) as caught:
        building.run()
    assert caught.value.code == "wrong_environment"
    assert building.workspace.outbound.runs.list() == []


def test_another_partner_is_refused(building):
    add(building)
    with pytest.raises(InputError) as caught:
        keep(building, partner="other")
    assert caught.value.code == "wrong_partner"
    assert keep(building, partner="acme").partner == "acme"


def by_hand(building, bucket, **fields):
    place = place_from({"kind": "s3", "bucket": bucket, "access_key": "test", **fields})
    building.workspace.destinations.add("Adobe", place, Secrets(secret_key="test"))


def test_audience_managers_bucket_made_by_hand_needs_the_access_for_builds_and_files(building):
    by_hand(building, HOLDS["beta"])
    with pytest.raises(InputError) as caught:
        keep(building)
    assert caught.value.code == "acl_missing"
    order = Order(kind="file", object="a.sync", destination="Adobe", keeps_name=True, control_file=False)
    with pytest.raises(InputError) as caught:
        building.workspace.deliveries.order(order, file=InMemory("a.sync", b"u\td_sid=5\n"))
    assert caught.value.code == "acl_missing"
    building.workspace.destinations.change("Adobe", place=place_from(
        {"kind": "s3", "bucket": HOLDS["beta"], "access_key": "test", "acl": ACL}
    ))  # fmt: skip
    assert keep(building).environment == "beta"


def test_the_preview_of_another_bucket_says_that_the_access_is_missing(building):
    by_hand(building, "partner-bucket")
    preview = building.workspace.outbound.builds.preview(keep(building))
    assert [one.code for one in preview.remarks] == ["acl_missing"]
    building.workspace.destinations.change("Adobe", place=place_from(
        {"kind": "s3", "bucket": "partner-bucket", "access_key": "test", "acl": ACL}
    ))  # fmt: skip
    assert building.workspace.outbound.builds.preview(keep(building)).remarks == ()


def test_a_folder_needs_nothing_of_this(building):
    preview = building.workspace.outbound.builds.preview(building.keep(items=ITEMS))
    assert preview.remarks == ()
