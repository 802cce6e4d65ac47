"""Builds and exports at real places: whole, in their layout, the same bytes after a fault, gone after their days."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta

import pytest

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.outbound.runs import DELIVERED, NOTHING, PREPARED
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import DeliveryError
from ingest_core.transport import s3
from ingest_core.transport.presets import ACL
from tests.audience_manager.memory import MemoryFile
from tests.audience_manager.outbound.test_builds import COLUMNS, CRM, HEAD, building
from tests.servers.proxy import Fault
from tests.transport.conftest import (
    _s3,
    certificate,
    ftp_server,
    ftps_server,
    proxy,
    remote,
    s3_server,
    site,
    site_of,
    ssh_server,
)

__all__ = [
    "_s3", "building", "certificate", "ftp_server", "ftps_server", "proxy", "remote", "s3_server", "site", "site_of",
    "ssh_server",
]  # fmt: skip

pytestmark = pytest.mark.slow
MANY = "".join(f"P{n:05}\t\t{hashlib.sha256(b'%d' % n).hexdigest()}\tgold\n" for n in range(3_000))
CUT = Fault("cut", "up", after=60_000, times=20)


def give(building, place, secrets, **fields):
    """A build to the place, of people whose file is some 240 kB."""
    building.workspace.destinations.add("There", place, secrets)
    building.kernel.load(HEAD + MANY, COLUMNS, "Many")
    return building.keep(**{"folder": None, "destination": "There", "source": "Many", "changed": True, **fields})


def order(building, **fields):
    made = {"order_id": 7, "name": "Partner", "master": CRM, "what": "traits", "destination": "There", **fields}
    return building.workspace.outbound.orders.add(Order(**made))


def ingest(building, files, hours=0):
    """Takes files as Audience Manager would."""
    given = [MemoryFile(name.rpartition("/")[2], data) for name, data in files.items()]
    assert not building.workspace.audience.ingest(given, BatchOptions(now() + timedelta(hours=hours))).rejected


def check_whole(run, there):
    """Every file of a run is there with the bytes it was made of."""
    for file in run.files:
        data = there[file.name]
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)
        assert hashlib.md5(data, usedforsecurity=False).hexdigest() == file.md5


def test_a_build_and_its_changes_arrive_in_their_layout(building, site):
    give(building, site.at(None), site.secrets, partner="acme", gzip=True, split_bytes=100_000)
    run = building.run()
    there = site.files()
    assert sorted(there) == sorted(file.name for file in run.files)
    assert len(there) > 2
    assert {name.rpartition("/")[0] for name in there} == {f"acme/date={now():%Y-%m-%d}"}
    check_whole(run, there)
    assert sum(gzip.decompress(data).count(b"\n") for data in there.values()) == 3_000
    ingest(building, there)
    building.kernel.load(HEAD + "P00001\t\tPune\tsilver\n", COLUMNS, "Many")
    later = building.run()
    check_whole(later, now_there := site.files())
    assert {name: now_there[name] for name in there} == there
    ingest(building, {name: data for name, data in now_there.items() if name not in there}, 1)
    assert building.traits(now() + timedelta(hours=2))["P00001"] == {6, 7, 9}
    assert building.traits(now() + timedelta(hours=2))["P00002"] == {5, 7}


def test_an_export_arrives_with_a_control_file_that_fits_and_goes_after_its_days(building, site):
    give(building, site.at(None), site.secrets)
    for trait in range(1, 4):
        building.workspace.audience.traits.add(f"Told {trait}", CRM, trait_id=trait)
    ingest(building, {f"ftp_dpm_{CRM}_1700000000.sync": b"u1\td_sid=1,d_sid=2\nu2\td_sid=3\n"})
    order(building, split_bytes=1_000, keep_days=8)
    run = building.workspace.outbound.exports.run(7, "full", user="asha")
    there = site.files()
    assert sorted(there) == sorted([*(file.name for file in run.files), run.control])
    check_whole(run, there)
    told = json.loads(there[run.control])
    assert [(one["FileName"], one["FileByteSize"], one["md5"]) for one in told["Files"]] == [
        (name, len(there[name]), hashlib.md5(there[name], usedforsecurity=False).hexdigest())
        for name in (file.name for file in run.files)
    ]
    assert b"".join(there[file.name] for file in run.files) == b"u1\t1,2\nu2\t3\n"
    with building.workspace.engine.session() as session:
        session.run("UPDATE am_run SET delivered_at = ? WHERE run_no = ?", [now() - timedelta(days=9), run.run_no])
    assert building.workspace.outbound.exports.run(7, user="asha").status == NOTHING
    assert site.files() == {}
    assert building.workspace.outbound.runs.get(run.run_id).purged_at is not None


def test_a_build_that_broke_off_is_sent_with_the_same_bytes_before_the_next(building, remote, proxy):
    give(building, remote.at(proxy.port), remote.secrets)
    remote.break_bytes(proxy, CUT)
    with pytest.raises(DeliveryError):
        building.run()
    (broken,) = building.workspace.outbound.runs.list()
    assert broken.status == PREPARED
    assert broken.files[0].name not in remote.files()
    building.kernel.load(HEAD + "P00001\t\tPune\tsilver\n", COLUMNS, "Many")
    remote.mend(proxy)
    later = building.run()
    assert building.workspace.outbound.runs.get(broken.run_id).status == DELIVERED
    there = {name: data for name, data in remote.files().items() if not name.endswith(".part")}
    assert sorted(there) == sorted([broken.files[0].name, later.files[0].name])
    check_whole(broken, there)
    check_whole(later, there)
    assert there[later.files[0].name] == b"P00001\tcity=Pune,d_sid=6,d_unsid=5\n"
    ingest(building, {broken.files[0].name: there[broken.files[0].name]})
    ingest(building, {later.files[0].name: there[later.files[0].name]}, 1)
    assert building.traits(now() + timedelta(hours=2))["P00001"] == {6, 7, 9}
    assert building.run().status == NOTHING


def test_an_export_that_broke_off_has_no_control_file_and_its_receiver_catches_up(building, remote, proxy):
    give(building, remote.at(proxy.port), remote.secrets)
    building.workspace.audience.traits.add("Told", CRM, trait_id=1)
    building.workspace.audience.traits.add("Told too", CRM, trait_id=2)
    ids = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(3_000)]
    told = "".join(f"{one}\td_sid=1\n" for one in ids)
    ingest(building, {f"ftp_dpm_{CRM}_1700000000.sync": told.encode()})
    order(building, keep_days=None)
    exports = building.workspace.outbound.exports
    remote.break_bytes(proxy, CUT)
    with pytest.raises(DeliveryError):
        exports.run(7, user="asha")
    (broken,) = building.workspace.outbound.runs.list("export")
    assert broken.status == PREPARED
    assert not {broken.control, broken.files[0].name} & {*remote.files()}
    ingest(building, {f"ftp_dpm_{CRM}_1700000001.sync": f"{ids[0]}\td_sid=2,d_unsid=1\n".encode()}, 1)
    remote.mend(proxy)
    later = exports.run(7, at=now() + timedelta(hours=2), user="asha")
    there = remote.files()
    for run in (building.workspace.outbound.runs.get(broken.run_id), later):
        assert run.status == DELIVERED
        check_whole(run, there)
        assert run.control in there
    known = {}
    for run in (broken, later):
        for line in there[run.files[0].name].decode().splitlines():
            who, *lists = line.split("\t")
            added, removed = ({*filter(None, one.split(","))} for one in [*lists, "", ""][:2])
            known[who] = (known.get(who, set()) | added) - removed
    assert known == {one: {"1"} for one in ids[1:]} | {ids[0]: {"2"}}


def test_large_objects_go_up_in_parts_with_the_access_and_are_compared(building, s3_server, site_of, monkeypatch):
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)
    place = site_of("s3")
    rows = "".join(
        f"P{n:05}\t\t{hashlib.sha512(b'%d' % n).hexdigest() * 8}\tgold\n" for n in range(6_500)
    )  # fmt: skip
    building.workspace.destinations.add("There", place.at(None).model_copy(update={"acl": ACL}), place.secrets)
    building.kernel.load(HEAD + rows, COLUMNS, "Large")
    building.keep(folder=None, destination="There", source="Large")
    s3_server.requests.clear()
    s3_server.headers.clear()
    run = building.run()
    check_whole(run, place.files())
    asked = dict(zip((f"{method} {path}" for method, path in s3_server.requests), s3_server.headers, strict=True))
    parts = [one for one in asked if "partNumber=" in one]
    assert len(parts) == 2
    (begun,) = [headers for one, headers in asked.items() if one.startswith("POST") and one.endswith("?uploads")]
    assert begun["HTTP_X_AMZ_ACL"] == ACL
    assert all(asked[one]["HTTP_CONTENT_MD5"] for one in parts)


def test_the_receivers_key_opens_what_was_encrypted(building, site_of):
    pgp = pytest.importorskip("pysequoia")
    key = pgp.Tsk.generate(user_id="Partner <partner@example.com>", profile=pgp.Profile.RFC4880)
    building.workspace.pgp_keys.add("partner", str(key.extract_certificate()))
    place = site_of("sftp")
    give(building, place.at(None), place.secrets, pgp=["partner"])
    run = building.run()
    (data,) = place.files().values()
    plain = pgp.decrypt(data, decryptor=key.decryptor()).bytes
    assert plain.count(b"\n") == 3_000
    assert plain.startswith(b"P00000\tcity=")
    assert run.files[0].name.endswith(".sync.pgp")
