"""Places under fault: nothing half visible, nothing lost, a clear error, and a retry that succeeds."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from ingest_core.errors import DeliveryError
from tests.servers.proxy import Fault
from tests.transport.bytes_of import Bytes
from tests.transport.sites import Site

DATA = random.Random(11).randbytes(900_000)
pytestmark = pytest.mark.slow
OLD = b"what lay there before"
ALWAYS = 1 << 30
STAGES = [0, 1, 20, 300, 3_000, 100_000, 500_000, 899_000, 901_000]
"""Bytes that pass before the fault: within the greeting, the login, the first, middle and last of the file's bytes."""


def tried(call) -> DeliveryError | None:
    """What it said: nothing, or an error of ours that can be shown to people."""
    told: DeliveryError | None = None
    try:
        call()
    except DeliveryError as error:
        told = error
    if told is not None:
        assert told.hint
        assert "secret" not in str(told.as_dict())
    return told


def put(site: Site, proxy, *, replace: bool = False) -> None:
    with site.connect(proxy) as place:
        place.put("out.bin", Bytes(DATA), replace=replace)


def look(site: Site):
    """The file as it is looked at before anything breaks."""
    with site.connect() as place:
        [entry] = [one for one in place.entries() if one.name == "in.bin"]
    return entry


def fetched(site: Site, proxy, entry) -> bytes:
    parts: list[bytes] = []
    with site.connect(proxy) as place:
        place.fetch(entry, parts.append)
    return b"".join(parts)


def seen(site: Site) -> dict[str, bytes]:
    """What others see: no file that is being written."""
    return {name: data for name, data in site.files().items() if not name.endswith(".part")}


@pytest.mark.parametrize("after", STAGES)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_connection_cut_while_a_file_is_left(remote, proxy, direction, after):
    remote.break_bytes(proxy, Fault("cut", direction, after))
    error = tried(lambda: put(remote, proxy))
    assert error is None or error.is_retryable
    assert seen(remote) in ({}, {"out.bin": DATA})
    if error is None:
        assert seen(remote) == {"out.bin": DATA}
    remote.mend(proxy)
    put(remote, proxy)
    assert remote.files() == {"out.bin": DATA}


@pytest.mark.parametrize("after", [0, 300, 3_000, 500_000, 899_000])
def test_a_connection_cut_while_a_file_is_replaced_leaves_the_old_or_the_new_one(remote, proxy, after):
    remote.write("out.bin", OLD)
    remote.break_bytes(proxy, Fault("cut", "up", after))
    error = tried(lambda: put(remote, proxy, replace=True))
    assert error is None or error.is_retryable
    assert seen(remote) in ({"out.bin": OLD}, {"out.bin": DATA})
    remote.mend(proxy)
    put(remote, proxy, replace=True)
    assert remote.files() == {"out.bin": DATA}


@pytest.mark.parametrize("after", STAGES)
def test_a_connection_cut_while_a_file_is_fetched(remote, proxy, after):
    remote.write("in.bin", DATA)
    entry = look(remote)
    remote.break_bytes(proxy, Fault("cut", "down", after))
    got: list[bytes] = []
    error = tried(lambda: got.append(fetched(remote, proxy, entry)))
    assert error.is_retryable if error else got == [DATA]
    remote.mend(proxy)
    assert fetched(remote, proxy, entry) == DATA
    assert remote.files() == {"in.bin": DATA}


@pytest.mark.parametrize("after", [0, 3_000, 500_000])
def test_a_server_that_ends_its_side_early_is_no_whole_file(remote, proxy, after):
    remote.write("in.bin", DATA)
    entry = look(remote)
    remote.break_bytes(proxy, Fault("half_close", "down", after))
    got: list[bytes] = []
    error = tried(lambda: got.append(fetched(remote, proxy, entry)))
    assert error.is_retryable if error else got == [DATA]
    remote.mend(proxy)
    assert fetched(remote, proxy, entry) == DATA


@pytest.mark.parametrize("after", [0, 300, 400_000])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_connection_that_goes_silent_is_given_up(remote, proxy, direction, after):
    remote.break_bytes(proxy, Fault("stall", direction, after, times=ALWAYS))
    error = tried(lambda: put(remote, proxy))
    if error is None:  # so many bytes did not go that way
        assert seen(remote) == {"out.bin": DATA}
    else:
        assert error.is_retryable
        assert error.code in ("place_silent", "place_unreachable", "transfer_incomplete")
        assert seen(remote) in ({}, {"out.bin": DATA})
    remote.mend(proxy)
    put(remote, proxy)
    assert remote.files() == {"out.bin": DATA}


@pytest.mark.parametrize("after", [1, 20, 60])
def test_a_list_that_is_cut_is_not_taken_for_a_list(remote, proxy, after):
    for number in range(5):
        remote.write(f"in-{number}.bin", b"1")
    remote.break_bytes(proxy, Fault("cut", "down", after))
    got: list[list[str]] = []

    def listed() -> None:
        with remote.connect(proxy) as place:
            got.append([one.name for one in place.entries()])

    error = tried(listed)
    assert error.is_retryable if error else got == [[f"in-{number}.bin" for number in range(5)]]


def test_nobody_there_is_unreachable(remote, proxy):
    proxy.ask(Fault("refuse", times=ALWAYS))
    error = tried(lambda: put(remote, proxy))
    assert error is not None
    assert (error.code, error.is_retryable) == ("place_unreachable", True)
    remote.mend(proxy)
    put(remote, proxy)
    assert remote.files() == {"out.bin": DATA}


def test_a_slow_connection_is_only_slow(remote, proxy):
    remote.break_bytes(proxy, Fault("delay", "up", 0, times=ALWAYS, seconds=0.002))
    put(remote, proxy)
    assert remote.files() == {"out.bin": DATA}


@pytest.mark.parametrize("after", [5_000, 450_000])
def test_a_bit_that_changes_on_the_way_up_is_not_left(remote, proxy, after):
    if remote.kind == "ftp":
        pytest.skip("plain FTP has no way to tell")
    remote.break_bytes(proxy, Fault("corrupt", "up", after))
    error = tried(lambda: put(remote, proxy))
    assert error is None or error.is_retryable
    assert seen(remote) in ({}, {"out.bin": DATA})
    remote.mend(proxy)
    put(remote, proxy)
    assert remote.files() == {"out.bin": DATA}


@pytest.mark.parametrize("after", [5_000, 450_000])
def test_a_bit_that_changes_on_the_way_down_is_noticed(remote, proxy, after):
    if remote.kind == "ftp":
        pytest.skip("plain FTP has no way to tell")
    remote.write("in.bin", DATA)
    entry = look(remote)
    remote.break_bytes(proxy, Fault("corrupt", "down", after))
    got: list[bytes] = []
    error = tried(lambda: got.append(fetched(remote, proxy, entry)))
    assert error.is_retryable if error else got == [DATA]


@pytest.mark.parametrize("kind", ["folder", "sftp"])
def test_a_full_disk_at_the_other_end_keeps_nothing_and_takes_it_when_there_is_room(site_of, tmp_path, kind):
    site = site_of(kind)
    folder = str(site.server.folder if site.server else tmp_path / "folder")
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        with site.connect() as place:
            error = tried(lambda: place.put("out.bin", Bytes(DATA)))
        assert error is not None
        assert error.is_retryable
        assert error.code in ("place_full", "place_failed", "transfer_incomplete")
        assert site.files() == {}
        subprocess.run(["mount", "-o", "remount,size=4m", folder], check=True)
        with site.connect() as place:
            place.put("out.bin", Bytes(DATA))
        assert site.files() == {"out.bin": DATA}
    finally:
        subprocess.run(["umount", folder], capture_output=True)
