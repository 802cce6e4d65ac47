"""S3 and what speaks its protocol. Only the endpoint of the settings is ever talked to; what arrived is checked."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import exceptions as aws
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from ingest_core.errors import DeliveryError, InputError
from ingest_core.models import ByteSource
from ingest_core.transport import failures
from ingest_core.transport.endpoints import SECONDS, endpoint_refused, is_refused
from ingest_core.transport.leaving import Connected, is_listed, needed, read_exactly, sent_whole
from ingest_core.transport.places import S3Place, Secrets
from ingest_core.transport.port import (
    BLOCK_BYTES,
    Entry,
    Stored,
    Told,
    Write,
    broke_off,
    checked_name,
    file_changed,
    file_exists,
    file_gone,
)

PART_BYTES = 16 << 20
"""Files larger than this go up in parts of this size, or larger ones where there would be too many."""

_MOST_PARTS = 10_000
_ATTEMPTS = 4
_MD5 = re.compile(r"[0-9a-f]{32}")
_LOGIN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge", "QuotaExceededException"}


class S3(Connected):
    """See port.Place. An object is there whole or not at all; folders are only parts of names."""

    def __init__(self, place: S3Place, secrets: Secrets, seconds: float = SECONDS) -> None:
        self._place = place
        self._seconds = seconds
        self._base = f"{place.prefix}/" if place.prefix else ""
        self._authority = _kept(place.certificate)
        try:
            self._client: Any = _client(place, secrets, seconds, self._authority)
            with self._told():
                self._client.head_bucket(Bucket=place.bucket)
        except DeliveryError as error:
            if error.code != "place_refused":  # who may not ask about the bucket may still write into it
                self.close()
                raise
        except BaseException:
            self.close()
            raise

    def entries(self, folder: str = "") -> list[Entry]:
        head = f"{checked_name(folder)}/" if folder else ""
        found = []
        with self._told():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._place.bucket, Prefix=self._base + head, Delimiter="/"
            )
            for page in pages:
                found += [self._entry(one["Key"].removeprefix(self._base), one) for one in page.get("Contents", ())]
        kept = [one for one in found if is_listed(one.name) and "/" not in one.name.removeprefix(head)]
        return sorted(kept, key=lambda entry: entry.name)

    def fetch(self, entry: Entry, write: Write, told: Told = lambda _: None) -> None:
        with self._told(entry.name):
            asked = {"IfMatch": f'"{entry.version}"'} if entry.version else {}
            answer = self._client.get_object(**self._key(checked_name(entry.name)), **asked)
            now, seen, done = self._entry(entry.name, answer, "ContentLength"), hashlib.md5(usedforsecurity=False), 0
            if now.size != entry.size or (entry.version and now.version != entry.version):
                raise file_changed(entry.name)
            with answer["Body"] as body:
                while block := body.read(BLOCK_BYTES):
                    write(block)
                    seen.update(block)
                    done += len(block)
                    told(done)
            if done != entry.size:
                raise broke_off(entry.name)
            if self._is_md5(now.version, answer) and seen.hexdigest() != now.version:
                raise failures.damaged(entry.name)

    def put(self, name: str, file: ByteSource, told: Told = lambda _: None, *, replace: bool = False) -> Stored:
        with self._told(name):
            found = self._look(checked_name(name))
            if found is not None and self.holds(found, file):
                return self._stored(found)
            if found is not None and not replace:
                raise file_exists(name)
            send = self._in_parts if file.size > PART_BYTES else self._at_once
            try:
                expected, answer = send(name, file, told, self._only_new(replace=replace))
            except aws.ClientError as error:
                if _code(error) != "NotImplemented" or replace:
                    raise
                expected, answer = send(name, file, told, {})  # a server that knows no condition on writing
            kept = self._look(name)
            if kept is None or kept.size != file.size:
                raise broke_off(name)
            self._check(kept, file, expected, answer)
            return self._stored(kept)

    def move(self, name: str, to: str) -> None:
        source, bucket = self._key(checked_name(name)), self._place.bucket
        with self._told(name):
            if self._look(name) is None:
                raise file_gone(name)
            config = TransferConfig(use_threads=False, max_concurrency=1)
            new = self._base + checked_name(to)
            self._client.copy(source, bucket, new, ExtraArgs=self._wishes() or None, Config=config)
            self._client.delete_object(**source)

    def delete(self, name: str) -> None:
        with self._told(name):
            self._client.delete_object(**self._key(checked_name(name)))

    def close(self) -> None:
        if getattr(self, "_client", None) is not None:
            self._client.close()
        if self._authority is not None:
            self._authority.unlink(missing_ok=True)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _at_once(self, name: str, file: ByteSource, told: Told, only_new: dict[str, str]) -> tuple[str, dict[str, Any]]:
        with file.open() as stream:
            data = read_exactly(stream, PART_BYTES + 1)
        sent_whole(name, len(data), file)
        seen = hashlib.md5(data, usedforsecurity=False)
        answer = self._client.put_object(
            **self._key(name), Body=data, ContentMD5=_base64(seen.digest()), **self._wishes(), **only_new
        )
        told(len(data))
        return seen.hexdigest(), answer

    def _in_parts(
        self, name: str, file: ByteSource, told: Told, only_new: dict[str, str]
    ) -> tuple[str, dict[str, Any]]:
        """Every part with its MD5, all of them made one object at the end, or none kept."""
        key = self._key(name)
        self._abort_leftovers(key["Key"])
        upload = self._client.create_multipart_upload(**key, **self._wishes())["UploadId"]
        try:
            parts, digests = self._parts(name, file, told, {**key, "UploadId": upload})
            answer = self._client.complete_multipart_upload(
                **key, UploadId=upload, MultipartUpload={"Parts": parts}, **only_new
            )
        except BaseException:
            self._abort(key["Key"], upload)
            raise
        whole = hashlib.md5(b"".join(digests), usedforsecurity=False)
        return f"{whole.hexdigest()}-{len(parts)}", answer

    def _parts(
        self, name: str, file: ByteSource, told: Told, upload: dict[str, str]
    ) -> tuple[list[dict[str, Any]], list[bytes]]:
        size = max(PART_BYTES, -(-file.size // _MOST_PARTS))
        parts: list[dict[str, Any]] = []
        digests: list[bytes] = []
        done = 0
        with file.open() as stream:
            while data := read_exactly(stream, size):
                digests.append(hashlib.md5(data, usedforsecurity=False).digest())
                number = len(digests)
                answer = self._client.upload_part(
                    **upload, PartNumber=number, Body=data, ContentMD5=_base64(digests[-1])
                )
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
                done += len(data)
                told(done)
        sent_whole(name, done, file)
        return parts, digests

    def _check(self, kept: Entry, file: ByteSource, expected: str, answer: dict[str, Any]) -> None:
        """The ETag is the MD5, where a server makes it so; where it differs, the object is read back."""
        if kept.version == expected or self._place.encryption == "aws:kms" or "SSEKMSKeyId" in answer:
            return  # each part came with its MD5 there, too
        if not self.holds(replace(kept, version=None), file):
            self._client.delete_object(**self._key(kept.name))
            raise failures.damaged(kept.name)

    def _abort_leftovers(self, key: str) -> None:
        """Parts of this very name that an attempt left which was killed: nobody sees them, but they cost money."""
        try:
            found = self._client.list_multipart_uploads(Bucket=self._place.bucket, Prefix=key).get("Uploads", ())
        except aws.ClientError:
            return  # who may write need not be allowed to list
        for one in found:
            if one["Key"] == key:
                self._abort(key, one["UploadId"])

    def _abort(self, key: str, upload: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._place.bucket, Key=key, UploadId=upload)
        except (aws.BotoCoreError, aws.ClientError):
            pass  # the next attempt finds it and does it

    def _only_new(self, *, replace: bool) -> dict[str, str]:
        return {} if replace else {"IfNoneMatch": "*"}

    def _wishes(self) -> dict[str, str]:
        place = self._place
        given = {"ServerSideEncryption": place.encryption, "SSEKMSKeyId": place.kms_key, "ACL": place.acl}
        return {name: value for name, value in given.items() if value is not None}

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, name: str) -> Entry | None:
        try:
            return self._entry(name, self._client.head_object(**self._key(name)), "ContentLength")
        except aws.ClientError as error:
            if _status(error) == 404:
                return None
            raise

    def _entry(self, name: str, about: dict[str, Any], size: str = "Size") -> Entry:
        etag = about.get("ETag")
        return Entry(name, about[size], about.get("LastModified"), etag.strip('"') if etag else None)

    def _key(self, name: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": self._base + name}

    def _is_md5(self, etag: str | None, about: dict[str, Any]) -> bool:
        return bool(etag and _MD5.fullmatch(etag)) and about.get("ServerSideEncryption") in (None, "AES256")

    def _stored(self, entry: Entry) -> Stored:
        return Stored(entry.name, entry.size, f"s3://{self._place.bucket}/{self._base}{entry.name}", entry.version)

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        """What goes wrong as one of our errors; the server's words stay out of it."""
        host = self._place.endpoint or f"s3.{self._place.region}.amazonaws.com"
        try:
            yield
        except (DeliveryError, InputError):
            raise
        except aws.ClientError as error:
            raise _refused(error, name, host) from None
        except aws.SSLError:
            raise failures.not_secure(host) from None
        except (aws.ReadTimeoutError, aws.ConnectTimeoutError):
            raise failures.too_slow(host, self._seconds) from None
        except (aws.ResponseStreamingError, aws.IncompleteReadError):
            raise broke_off(name) from None
        except aws.HTTPClientError as error:
            inner = error.kwargs.get("error")
            raise (inner if isinstance(inner, DeliveryError) else failures.unreachable(host)) from None
        except aws.BotoCoreError:
            raise failures.unreachable(host) from None
        except OSError as error:
            raise failures.of_disk(error, name) from None


def _client(place: S3Place, secrets: Secrets, seconds: float, authority: Path | None) -> Any:
    config = Config(
        region_name=place.region,
        signature_version="s3v4",
        connect_timeout=min(seconds, 10.0),
        read_timeout=seconds,
        retries={"mode": "standard", "max_attempts": _ATTEMPTS},  # waits longer each time, by chance
        s3={"addressing_style": place.addressing, "us_east_1_regional_endpoint": "regional"},
        # Servers that are not Amazon's do not all know the newer ones; every part goes with its MD5 instead.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        max_pool_connections=1,
        proxies={},
        ignore_configured_endpoint_urls=True,
    )
    session = boto3.session.Session(
        aws_access_key_id=place.access_key,
        aws_secret_access_key=needed(secrets, "s3", "secret_key"),
        aws_session_token=secrets.text("session_token"),
        region_name=place.region,
    )
    verify = str(authority) if authority else None
    client = session.client("s3", endpoint_url=place.endpoint, config=config, verify=verify)
    client._endpoint.http_session = _Judged(
        verify=verify or True, timeout=(min(seconds, 10.0), seconds), max_pool_connections=1, proxies={}
    )
    client.meta.events.register("before-send.s3", _stay(place.bucket, client.meta.endpoint_url))
    return client


def _stay(bucket: str, endpoint: str) -> Callable[..., None]:
    """Nobody is sent to another host: not by a redirect, nor by a region that a server names."""
    home = urlsplit(endpoint).netloc

    def judge(request: Any, **_: Any) -> None:
        netloc = urlsplit(request.url).netloc
        if netloc not in (home, f"{bucket}.{home}"):
            raise endpoint_refused()

    return judge


def _refuse_peer(sock: Any) -> Any:
    if is_refused(str(sock.getpeername()[0])):
        sock.close()
        raise endpoint_refused()
    return sock


class _Connection(AWSHTTPConnection):  # type: ignore[misc]
    def _new_conn(self) -> Any:
        return _refuse_peer(super()._new_conn())


class _SecureConnection(AWSHTTPSConnection):  # type: ignore[misc]
    def _new_conn(self) -> Any:
        return _refuse_peer(super()._new_conn())


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _SecureConnection


class _Judged(URLLib3Session):  # type: ignore[misc]
    """botocore's own HTTP, over connections whose other end was judged before a byte is sent."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme


def _refused(error: aws.ClientError, name: str, host: str) -> DeliveryError:
    code, status = _code(error), _status(error)
    if code in _LOGIN or status == 401:
        return failures.login_refused(host)
    if code in _FULL or status == 507:
        return failures.place_full(name)
    if code == "NoSuchBucket" or (status == 404 and not name):
        return failures.no_such_place()
    if status == 404:
        return file_gone(name)
    if status == 412:
        # Asked for on reading: the bytes that were looked at; on writing: that nothing is there.
        return file_exists(name) if error.operation_name.startswith(("Put", "Complete")) else file_changed(name)
    if code in ("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"):
        return failures.damaged(name)
    if status in (409, 429) or status >= 500 or code in ("RequestTimeout", "SlowDown"):
        return failures.place_busy(status)
    return failures.place_refused(status)


def _code(error: aws.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: aws.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _kept(certificate: str | None) -> Path | None:
    """The certificate as a file, which is how it is asked for; it is no secret."""
    if certificate is None:
        return None
    number, name = tempfile.mkstemp(prefix="onramp-", suffix=".pem")
    file: IO[str]
    with os.fdopen(number, "w", encoding="ascii") as file:
        file.write(certificate)
    return Path(name)
