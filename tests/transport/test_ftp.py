"""What FTP does beyond the contract: TLS that is checked, addresses that are not trusted, servers of all ages."""

from __future__ import annotations

import random
import socket
import threading

import pytest

from ingest_core.errors import DeliveryError
from ingest_core.transport.connecting import connect
from ingest_core.transport.places import FtpPlace, Secrets
from tests.servers import ftp
from tests.servers.certificates import make_certificate
from tests.servers.ftp import PASSWORD, USER
from tests.transport.bytes_of import Bytes
from tests.transport.sites import ftp_site

WORDS = ("secret server", "secret data", "secret disk", "secret name", "secret busy", "secret words", PASSWORD)
DATA = random.Random(2).randbytes(700_000)


def error_of(call, *args, **kwargs) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    assert not [word for word in WORDS if word in str(caught.value.as_dict())]
    return caught.value


def round_trip(site) -> None:
    with site.connect() as place:
        place.put("in/out.bin", Bytes(DATA))
        [entry] = place.entries("in")
        parts: list[bytes] = []
        place.fetch(entry, parts.append)
        assert b"".join(parts) == DATA
        place.move("in/out.bin", "done.bin")
        place.delete("done.bin")
        assert place.entries() == []


@pytest.mark.parametrize("secure", [False, True], ids=["ftp", "ftps"])
def test_the_address_that_a_server_names_for_data_is_not_gone_to(tmp_path, certificate, secure):
    server, stop = ftp.start(tmp_path / "ftp", certificate if secure else None, pasv="10.9.8.7")
    try:
        round_trip(ftp_site(server))
    finally:
        stop()


@pytest.mark.parametrize("unknown", [{"MLSD"}, {"MLSD", "MDTM"}, {"OPTS"}], ids=lambda names: " ".join(sorted(names)))
def test_servers_that_know_less_are_listed_too(ftp_server, unknown):
    ftp_server.unknown = unknown
    round_trip(ftp_site(ftp_server))
    site = ftp_site(ftp_server)
    site.write("a.tsv", b"1")
    site.write("folder/b.tsv", b"22")
    site.write("c.tsv.part", b"3")
    with site.connect() as place:
        assert [(one.name, one.size) for one in place.entries()] == [("a.tsv", 1)]
        assert place.entries("nowhere") == []


def test_a_certificate_that_is_not_trusted_ends_it_before_the_password_is_said(ftps_server):
    other = FtpPlace(kind="ftps", host="127.0.0.1", port=ftps_server.port, user=USER)
    error = error_of(connect, other, Secrets(password=PASSWORD), seconds=2)
    assert (error.code, error.is_retryable) == ("place_not_secure", False)
    assert "USER" not in ftps_server.commands
    assert "PASS" not in ftps_server.commands


def test_a_certificate_of_another_host_is_not_accepted(tmp_path):
    wrong = make_certificate(tmp_path / "wrong", "127.0.0.2")
    server, stop = ftp.start(tmp_path / "ftp", wrong)
    try:
        place = FtpPlace(kind="ftps", host="127.0.0.1", port=server.port, user=USER, certificate=wrong.pem)
        assert error_of(connect, place, Secrets(password=PASSWORD), seconds=2).code == "place_not_secure"
        assert "PASS" not in server.commands
    finally:
        stop()


def test_a_server_without_tls_never_hears_the_password(ftp_server, certificate):
    place = FtpPlace(kind="ftps", host="127.0.0.1", port=ftp_server.port, user=USER, certificate=certificate.pem)
    assert error_of(connect, place, Secrets(password=PASSWORD), seconds=2).code == "place_not_secure"
    assert not {"USER", "PASS"} & set(ftp_server.commands)


def test_a_server_that_does_not_protect_data_is_left(ftps_server):
    ftps_server.replies["PROT"] = "536 No secret data here."
    assert error_of(ftp_site(ftps_server).connect).code == "place_not_secure"


def test_a_wrong_password_is_told(ftps_server):
    site = ftp_site(ftps_server)
    site.secrets = Secrets(password="another")
    error = error_of(site.connect)
    assert (error.code, error.is_retryable) == ("login_refused", False)


@pytest.mark.parametrize("kind", ["ftp", "ftps"])
def test_a_full_server_leaves_nothing_and_takes_it_when_there_is_room(request, kind):
    server = request.getfixturevalue(f"{kind}_server")
    server.full = 100_000
    site = ftp_site(server)
    with site.connect() as place:
        error = error_of(place.put, "out.bin", Bytes(DATA))
    assert (error.code, error.is_retryable) == ("place_full", True)
    assert "out.bin" not in site.files()
    server.full = None
    with site.connect() as place:
        place.put("out.bin", Bytes(DATA))
    assert site.files() == {"out.bin": DATA}


@pytest.mark.parametrize(
    ("command", "reply", "code", "is_retryable"),
    [
        ("STOR", "452 secret disk full", "place_full", True),
        ("STOR", "553 secret name", "place_refused", False),
        ("STOR", "450 secret busy", "place_busy", True),
        ("RNTO", "451 secret trouble", "place_busy", True),
        ("RNTO", "553 secret name", "place_refused", False),
        ("RNFR", "421 secret shutdown", "place_busy", True),
    ],
)
def test_what_a_server_answers_is_told_in_our_words(ftp_server, command, reply, code, is_retryable):
    site = ftp_site(ftp_server)
    with site.connect() as place:
        ftp_server.replies[command] = reply
        error = error_of(place.put, "out.bin", Bytes(DATA))
    assert (error.code, error.is_retryable) == (code, is_retryable)
    assert "out.bin" not in site.files()
    with site.connect() as place:
        place.put("out.bin", Bytes(DATA))
    assert site.files() == {"out.bin": DATA}


def test_a_server_that_renames_onto_free_names_only_still_replaces(ftp_server):
    site = ftp_site(ftp_server)
    site.write("out.bin", b"old")
    with site.connect() as place:
        ftp_server.replies["RNTO"] = "553 It is there."
        place.put("out.bin", Bytes(DATA), replace=True)
    assert site.files() == {"out.bin": DATA}


def test_the_greeting_of_somebody_else_is_no_server():
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            client, _ = other.accept()
            client.sendall(b"HTTP/1.1 400 secret words\r\n\r\n")
            client.close()

        threading.Thread(target=greet, daemon=True).start()
        place = FtpPlace(kind="ftp", host="127.0.0.1", port=other.getsockname()[1], user=USER, plain=True)
        error = error_of(connect, place, Secrets(password=PASSWORD), seconds=2)
    assert error.code in ("place_busy", "place_unreachable", "place_refused")


def test_vsftpd_which_wants_the_session_taken_up_again(vsftpd_server):
    def at() -> FtpPlace:
        return FtpPlace(
            kind="ftps", host="127.0.0.1", port=vsftpd_server.port, user="anonymous", folder="files",
            certificate=vsftpd_server.certificate.pem,
        )  # fmt: skip

    with connect(at(), Secrets(password="asha@example.com"), seconds=10) as place:
        assert place.entries() == []
        place.put("in/out.bin", Bytes(DATA))
        place.put("in/out.bin", Bytes(DATA))
        assert error_of(place.put, "in/out.bin", Bytes(b"other")).code == "file_exists"
        [entry] = place.entries("in")
        assert (entry.name, entry.size) == ("in/out.bin", len(DATA))
        parts: list[bytes] = []
        place.fetch(entry, parts.append)
        assert b"".join(parts) == DATA
        place.put("in/out.bin", Bytes(b"other"), replace=True)
        place.move("in/out.bin", "done.bin")
        assert [one.name for one in place.entries()] == ["done.bin"]
        place.delete("done.bin")
        assert place.entries() == place.entries("nowhere") == []
