"""What S3 does beyond the contract: conditions, integrity, parts, faults of the server, and no other host."""

from __future__ import annotations

import random

import pytest

from ingest_core.errors import DeliveryError
from ingest_core.transport import s3
from ingest_core.transport.connecting import connect
from ingest_core.transport.places import S3Place, Secrets
from tests.servers.s3 import BUCKET
from tests.transport.bytes_of import Bytes

SECRETS = Secrets(secret_key="test")


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of the least size that S3 knows, so that files of a few of them are small."""
    monkeypatch.setattr(s3, "PART_BYTES", 5 << 20)


@pytest.fixture
def large():
    return random.Random(3).randbytes((10 << 20) + 17)


def at(server, **more) -> S3Place:
    given = {"bucket": BUCKET, "access_key": "test", "endpoint": server.endpoint, "addressing": "path", "plain": True}
    return S3Place(**{**given, **more})


def go(server, **more):
    return connect(at(server, **more), SECRETS, seconds=5)


def error_of(call, *args, **kwargs) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        call(*args, **kwargs)
    assert "secret words" not in str(caught.value.as_dict())
    return caught.value


def objects(server) -> dict[str, bytes]:
    client = server.client()
    found = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {one["Key"]: client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found}


def parts_left(server) -> list:
    return server.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def test_large_files_go_in_parts_each_with_its_md5(s3_server, small_parts, large):
    with go(s3_server) as place:
        stored = place.put("big.bin", Bytes(large))
        assert stored.version.endswith("-3")
        again = place.put("big.bin", Bytes(large))
        assert again.version == stored.version
        got: list[bytes] = []
        place.fetch(place.entries()[0], got.append)
    assert b"".join(got) == large == objects(s3_server)["big.bin"]
    sent = [headers for (method, path), headers in zip(s3_server.requests, s3_server.headers, strict=True)
            if method == "PUT" and "partNumber" in path]  # fmt: skip
    assert len(sent) == 3
    assert all("HTTP_CONTENT_MD5" in headers for headers in sent)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Slow Down"])
@pytest.mark.parametrize(
    ("method", "part"), [("PUT", "partNumber=2"), ("POST", "uploads"), ("POST", "uploadId"), ("HEAD", "big.bin")]
)
def test_a_server_in_trouble_is_asked_again(s3_server, small_parts, large, status, method, part):
    with go(s3_server) as place:
        s3_server.fail(method, part, status=status, times=2)
        place.put("big.bin", Bytes(large))
    assert objects(s3_server) == {"big.bin": large}
    assert parts_left(s3_server) == []


@pytest.mark.parametrize(("method", "part"), [("PUT", "partNumber=2"), ("POST", "uploadId")])
def test_a_server_that_stays_in_trouble_is_left_without_parts(s3_server, small_parts, large, method, part):
    with go(s3_server) as place:
        s3_server.fail(method, part, times=99)
        error = error_of(place.put, "big.bin", Bytes(large))
        assert (error.code, error.is_retryable) == ("place_busy", True)
        assert objects(s3_server) == {}
        assert parts_left(s3_server) == []
        s3_server.faults.clear()
        place.put("big.bin", Bytes(large))
    assert objects(s3_server) == {"big.bin": large}


def test_parts_that_a_killed_attempt_left_are_aborted_and_no_others(s3_server, small_parts, large):
    client = s3_server.client()
    client.create_multipart_upload(Bucket=BUCKET, Key="out/big.bin")
    client.create_multipart_upload(Bucket=BUCKET, Key="out/big.bin.other")
    with go(s3_server, prefix="out") as place:
        place.put("big.bin", Bytes(large))
    assert [one["Key"] for one in parts_left(s3_server)] == ["out/big.bin.other"]


def test_a_wrong_etag_is_read_back(s3_server):
    def lie(environ, headers):
        if environ["REQUEST_METHOD"] in ("PUT", "HEAD", "GET"):
            environ.pop("HTTP_IF_MATCH", None)
            return [(name, '"not-an-md5"' if name.lower() == "etag" else value) for name, value in headers]
        return headers

    with go(s3_server) as place:
        s3_server.dress = lie
        place.put("a.bin", Bytes(b"whole"))  # the bytes are right: such servers exist
        s3_server.dress = lambda _, headers: headers
    assert objects(s3_server) == {"a.bin": b"whole"}


def test_an_object_whose_bytes_are_not_those_of_its_etag_is_not_taken(s3_server):
    s3_server.client().put_object(Bucket=BUCKET, Key="a.bin", Body=b"whole")
    with go(s3_server) as place:
        [entry] = place.entries()

        def damage(environ):
            if environ["REQUEST_METHOD"] != "GET" or "a.bin" not in environ["PATH_INFO"]:
                return None
            return "200 OK", [("Content-Length", "5"), ("ETag", f'"{entry.version}"')], b"whale"

        s3_server.faults.append(damage)
        error = error_of(place.fetch, entry, lambda _: None)
        assert (error.code, error.is_retryable) == ("transfer_damaged", True)
        s3_server.faults.clear()
        place.fetch(entry, lambda block: None)


def test_what_was_looked_at_is_asked_for_by_its_etag(s3_server):
    client = s3_server.client()
    client.put_object(Bucket=BUCKET, Key="a.bin", Body=b"first")
    with go(s3_server) as place:
        [entry] = place.entries()
        client.put_object(Bucket=BUCKET, Key="a.bin", Body=b"other")
        assert error_of(place.fetch, entry, lambda _: None).code == "file_changed"
    asked = [headers for (method, path), headers in zip(s3_server.requests, s3_server.headers, strict=True)
             if method == "GET" and path.endswith("a.bin?")]  # fmt: skip
    assert asked[-1]["HTTP_IF_MATCH"] == f'"{entry.version}"'


def test_nobody_is_written_over_who_came_in_between(s3_server):
    with go(s3_server) as place:
        seen = place._look

        def look(name):
            found = seen(name)
            s3_server.client().put_object(Bucket=BUCKET, Key=name, Body=b"theirs")
            return found

        place._look = look
        assert error_of(place.put, "a.bin", Bytes(b"ours")).code == "file_exists"
    assert objects(s3_server) == {"a.bin": b"theirs"}


def test_encryption_and_acl_are_asked_for(s3_server, small_parts, large):
    with go(s3_server, encryption="AES256", acl="bucket-owner-full-control") as place:
        place.put("a.bin", Bytes(b"1"))
        place.put("big.bin", Bytes(large))
        place.move("a.bin", "b.bin")
    asked = [headers for (method, path), headers in zip(s3_server.requests, s3_server.headers, strict=True)
             if (method, "partNumber" in path) == ("PUT", False) or path.endswith("?uploads")]  # fmt: skip
    assert len(asked) == 3
    for headers in asked:
        assert headers["HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION"] == "AES256"
        assert headers["HTTP_X_AMZ_ACL"] == "bucket-owner-full-control"


@pytest.mark.parametrize(
    ("status", "code", "expected", "is_retryable"),
    [
        ("403 Forbidden", "SignatureDoesNotMatch", "login_refused", False),
        ("403 Forbidden", "InvalidAccessKeyId", "login_refused", False),
        ("400 Bad Request", "ExpiredToken", "login_refused", False),
        ("403 Forbidden", "AccessDenied", "place_refused", False),
        ("403 Forbidden", "QuotaExceeded", "place_full", True),
        ("507 Insufficient Storage", "XMinioStorageFull", "place_full", True),
        ("404 Not Found", "NoSuchBucket", "place_missing", True),
        ("400 Bad Request", "BadDigest", "transfer_damaged", True),
    ],
)
def test_what_a_server_says_is_told_in_our_words(s3_server, status, code, expected, is_retryable):
    with go(s3_server) as place:
        s3_server.fail("PUT", status=status, code=code, times=99)
        error = error_of(place.put, "a.bin", Bytes(b"1"))
    assert (error.code, error.is_retryable) == (expected, is_retryable)
    assert objects(s3_server) == {}


def test_a_bucket_that_is_not_there_is_told_on_connecting(s3_server):
    assert error_of(go, s3_server, bucket="nowhere").code == "place_missing"


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect", "302 Found"])
def test_no_redirect_is_followed(s3_server, status):
    with go(s3_server) as place:
        asked = len(s3_server.requests)

        def elsewhere(environ):
            body = b"<Error><Code>PermanentRedirect</Code><Endpoint>evil.example.com</Endpoint></Error>"
            return status, [
                ("Location", "http://evil.example.com/"), ("Content-Length", str(len(body))),
                ("x-amz-bucket-region", "eu-west-1"),
            ], body  # fmt: skip

        s3_server.faults.append(elsewhere)
        error = error_of(place.put, "a.bin", Bytes(b"1"))
        assert error.code in ("place_refused", "endpoint_refused", "place_missing", "file_exists", "place_busy")
        assert len(s3_server.requests) - asked < 20


def test_a_name_that_leads_to_the_metadata_address_is_not_talked_to(monkeypatch):
    import socket

    def lead(host, port, *rest, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lead)
    reached: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: reached.append(address))
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("169.254.169.254", 80))
    place = S3Place(bucket=BUCKET, access_key="test", endpoint="http://s3.example.com", plain=True)
    error = error_of(connect, place, SECRETS, seconds=1)
    assert error.code == "endpoint_refused"


def test_a_secret_is_needed(s3_server):
    from ingest_core.errors import InputError

    with pytest.raises(InputError) as caught:
        connect(at(s3_server), Secrets())
    assert caught.value.code == "secret_missing"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1"])
@pytest.mark.parametrize("addressing", ["auto", "path", "virtual"])
def test_amazons_own_hosts_are_gone_to_by_region(monkeypatch, region, addressing):
    asked: list[str] = []

    def send(self, request):
        asked.append(request.url)
        raise DeliveryError("Seen.", code="seen")

    monkeypatch.setattr(s3._Judged, "send", send)
    place = S3Place(bucket=BUCKET, access_key="test", region=region, addressing=addressing)
    assert error_of(connect, place, SECRETS, seconds=1).code == "seen"
    assert f"s3.{region}.amazonaws.com" in asked[0]
    assert asked[0].startswith("https://")
