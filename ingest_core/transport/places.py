"""What is known about a place before anybody goes there: one model per kind, checked; the secrets stand apart.

Nothing here opens a connection. Hosts and endpoints are names only: no user, no password, no path inside.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)

from ingest_core.transport.endpoints import is_refused
from ingest_core.transport.presets import ACL, Receiver, known_as

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]", re.IGNORECASE)
_PIN = re.compile(r"(ssh-[a-z0-9]+|ecdsa-sha2-nistp(?:256|384|521)) SHA256:[A-Za-z0-9+/]{43}")
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def _host(host: str) -> str:
    if ":" in host:
        try:
            ip_address(host)
        except ValueError:
            raise ValueError("a host is a name or an address, without port, user and path") from None
    elif not _HOST.fullmatch(host) or len(host) > 253:
        raise ValueError("a host is a name or an address, without port, user and path")
    if is_refused(host):
        raise ValueError("this address belongs to the machine's own network set-up and is never talked to")
    return host


def _folder(folder: str) -> str:
    """Without a slash at its end; one at its beginning stays."""
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if ".." in parts or not folder.isprintable() or "\\" in folder:
        raise ValueError("a folder has no .. and no control characters")
    return ("/" if folder.startswith("/") else "") + "/".join(parts)


def _pem(text: str | None) -> str | None:
    if text is not None and _CERTIFICATE not in text:
        raise ValueError("a certificate is PEM text that begins with -----BEGIN CERTIFICATE-----")
    return text


def _own(place: S3Place | SftpPlace | FtpPlace) -> None:
    """What a place of Audience Manager has to have."""
    if place.receiver is None:
        return
    if known_as(place) not in (None, place.receiver.environment):
        raise ValueError("this is the place of Audience Manager's other environment")
    if isinstance(place, S3Place):
        if place.acl != ACL:
            raise ValueError(f"in Audience Manager's bucket files need the ACL {ACL}, or nobody there can read them")
        if not place.receiver.partner:
            raise ValueError("the partner is missing: files lie in the bucket under its folder")


Port = Annotated[int, Field(ge=1, le=65535)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Host = Annotated[str, Field(min_length=1), AfterValidator(_host)]
Inside = Annotated[str, Field(max_length=500), AfterValidator(_folder)]
Certificate = Annotated[str | None, AfterValidator(_pem)]


class _Place(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


class FolderPlace(_Place):
    """A folder of this machine, or one that is mounted on it."""

    kind: Literal["folder"] = "folder"
    path: Text

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or not path.isprintable():
            raise ValueError("a whole path without .. is needed, such as /srv/exchange/out")
        return str(PurePosixPath(path))


class S3Place(_Place):
    """A bucket, or what lies under a prefix of it. Without an ``endpoint`` it is one of Amazon's, by region."""

    kind: Literal["s3"] = "s3"
    bucket: Text
    prefix: Inside = ""
    endpoint: Text | None = None
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")] = "us-east-1"
    access_key: Text
    addressing: Literal["auto", "path", "virtual"] = "auto"
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key: Text | None = None
    acl: (
        Literal["private", "bucket-owner-full-control", "bucket-owner-read", "authenticated-read", "aws-exec-read"]
        | None
    ) = None
    certificate: Certificate = None  # PEM: trusted instead of the system's authorities
    plain: bool = False  # an endpoint by http://, unencrypted
    receiver: Receiver | None = None

    @field_validator("bucket")
    @classmethod
    def _bucket(cls, bucket: str) -> str:
        if not _BUCKET.fullmatch(bucket):
            raise ValueError("this is no name of a bucket")
        return bucket

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, prefix: str) -> str:
        return prefix.strip("/")

    @model_validator(mode="after")
    def _secure(self) -> S3Place:
        if self.endpoint is not None:
            parts = urlsplit(self.endpoint)
            if parts.scheme not in ("https", "http") or parts.username or parts.password or not parts.hostname:
                raise ValueError("an endpoint is https://host or https://host:port, without user and password")
            if parts.path not in ("", "/") or parts.query or parts.fragment:
                raise ValueError("an endpoint has no path; name the bucket and the prefix on their own")
            _host(parts.hostname)
            if parts.scheme == "http" and not self.plain:
                raise ValueError("http:// is not encrypted: use https://, or allow plain connections")
        if self.kms_key and self.encryption != "aws:kms":
            raise ValueError("a KMS key needs the encryption aws:kms")
        _own(self)
        return self


class SftpPlace(_Place):
    """A folder of an SSH server. ``host_key`` is ``type SHA256:fingerprint``; without it nobody connects."""

    kind: Literal["sftp"] = "sftp"
    host: Host
    port: Port = 22
    user: Text
    folder: Inside = ""
    host_key: str | None = None
    receiver: Receiver | None = None

    @field_validator("host_key")
    @classmethod
    def _pin(cls, pin: str | None) -> str | None:
        if pin is not None and not _PIN.fullmatch(pin.rstrip("=")):
            raise ValueError("a host key is its type and fingerprint, such as ssh-ed25519 SHA256:…")
        return None if pin is None else pin.rstrip("=")

    @model_validator(mode="after")
    def _of_receiver(self) -> SftpPlace:
        _own(self)
        return self


class FtpPlace(_Place):
    """A folder of an FTP server: ``ftps`` encrypts (explicit TLS), ``ftp`` does not and needs ``plain``."""

    kind: Literal["ftps", "ftp"]
    host: Host
    port: Port = 21
    user: Text
    folder: Inside = ""
    certificate: Certificate = None  # PEM: trusted instead of the system's authorities
    plain: bool = False
    receiver: Receiver | None = None

    @model_validator(mode="after")
    def _secure(self) -> FtpPlace:
        if self.kind == "ftp" and not self.plain:
            raise ValueError("ftp sends password and files unencrypted: use ftps, or allow plain connections")
        if not self.user.isprintable():
            raise ValueError("a user name has no control characters")
        _own(self)
        return self


AnyPlace = Annotated[FolderPlace | S3Place | SftpPlace | FtpPlace, Field(discriminator="kind")]
"""What a destination is."""

PLACE: TypeAdapter[FolderPlace | S3Place | SftpPlace | FtpPlace] = TypeAdapter(AnyPlace)


class Secrets(BaseModel):
    """What opens a place. Never printed; ``dump`` is for sealing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    password: SecretStr | None = None
    private_key: SecretStr | None = None  # OpenSSH or PEM text
    passphrase: SecretStr | None = None  # of the private key
    secret_key: SecretStr | None = None
    session_token: SecretStr | None = None

    def names(self) -> tuple[str, ...]:
        """Which of them are there."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)

    def text(self, name: str) -> str | None:
        """One of them in the clear."""
        secret: SecretStr | None = getattr(self, name)
        return None if secret is None else secret.get_secret_value()

    def dump(self) -> dict[str, str]:
        """Those that are there, in the clear."""
        return {name: self.text(name) or "" for name in self.names()}


USED_BY: dict[str, tuple[str, ...]] = {
    "folder": (),
    "s3": ("secret_key", "session_token"),
    "sftp": ("password", "private_key", "passphrase"),
    "ftps": ("password",),
    "ftp": ("password",),
}
"""Which secrets a kind of place takes."""


def target(place: FolderPlace | S3Place | SftpPlace | FtpPlace) -> tuple[object, ...]:
    """Whom a secret is shown to: where this changes, the secret has to be given again."""
    fields = ("endpoint", "region", "host", "port", "certificate")
    return (place.kind, *(getattr(place, field, None) for field in fields))
