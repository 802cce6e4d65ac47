"""Deliveries to real servers: an S3 server that fails at first, and a connection that is cut on the way."""

from __future__ import annotations

import hashlib

import pytest

from ingest_core.catalog.destinations import place_from
from ingest_core.deliveries.order import Order
from ingest_core.transport.places import Secrets
from tests.servers.fixtures import _s3, certificate, ftps_server, s3_server, ssh_server
from tests.servers.proxy import Fault, Proxy
from tests.transport.sites import ftp_site, sftp_site

__all__ = ["_s3", "certificate", "ftps_server", "s3_server", "ssh_server"]

pytestmark = pytest.mark.slow


def to_s3(workspace, endpoint: str) -> Order:
    place = place_from(
        {"kind": "s3", "bucket": "audiences", "endpoint": endpoint, "access_key": "key", "plain": True,
         "addressing": "path"}
    )  # fmt: skip
    workspace.destinations.add("Lake", place, Secrets.model_validate({"secret_key": "secret"}))
    return Order(kind="segment", object="EVERYBODY", destination="Lake", file_name="out/{name}")


def test_people_arrive_in_a_bucket_with_their_control_file(workspace, people, s3_server):
    done = workspace.deliveries.deliver(to_s3(workspace, s3_server.endpoint))
    assert (done.status, done.error) == ("delivered", None)
    client = s3_server.client()
    names = [one["Key"] for one in client.list_objects_v2(Bucket="audiences")["Contents"]]
    assert names == ["out/EVERYBODY.info", "out/EVERYBODY.tsv"]
    data = client.get_object(Bucket="audiences", Key="out/EVERYBODY.tsv")["Body"].read()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (done.bytes, done.sha256)


def test_a_connection_that_is_cut_leaves_one_whole_file_in_the_end(workspace, people, s3_server):
    with Proxy(int(s3_server.endpoint.rsplit(":", 1)[1])) as proxy:
        ordered = to_s3(workspace, f"http://127.0.0.1:{proxy.port}")
        proxy.ask(Fault("cut", direction="up", after=100, times=40))
        first = workspace.deliveries.deliver(ordered)
        proxy.ask()
        assert first.status == "waiting"
        workspace.deliveries.retry(first.delivery_id)
        workspace.deliveries.send_due()
    done = workspace.deliveries.get(first.delivery_id)
    client = s3_server.client()
    found = client.list_objects_v2(Bucket="audiences")["Contents"]
    assert (done.status, done.sha256, len(found)) == ("delivered", first.sha256, 2)


@pytest.mark.parametrize(("server", "site_of"), [("ssh_server", sftp_site), ("ftps_server", ftp_site)])
def test_people_arrive_over_sftp_and_ftps_also_when_the_first_connection_is_cut(
    workspace, people, request, server, site_of
):
    site = site_of(request.getfixturevalue(server))
    with Proxy(site.port) as proxy:
        workspace.destinations.add("Partner", site.at(proxy.port), site.secrets)
        proxy.ask(Fault("cut", direction="up", after=100, times=40))
        ordered = Order(kind="segment", object="EVERYBODY", destination="Partner", file_name="out/{name}")
        first = workspace.deliveries.deliver(ordered)
        proxy.ask()
        assert first.status == "waiting"
        assert "out/EVERYBODY.tsv" not in site.files()
        workspace.deliveries.retry(first.delivery_id)
        workspace.deliveries.send_due()
    done = workspace.deliveries.get(first.delivery_id)
    assert (done.status, done.error) == ("delivered", None)
    files = site.files()
    assert sorted(files) == ["out/EVERYBODY.info", "out/EVERYBODY.tsv"]
    assert hashlib.sha256(files["out/EVERYBODY.tsv"]).hexdigest() == done.sha256
