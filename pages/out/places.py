"""What each kind of place needs, as fields of a form: their labels, and where a place leads in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ingest_core.catalog.destinations import Destination
from ingest_core.transport.presets import partner_of


@dataclass(frozen=True, slots=True)
class PlaceField:
    """One field. ``options``: value → label of a choice; ``is_rare``: stands under More."""

    name: str
    label: str
    hint: str = ""
    options: Mapping[str, str] | None = None
    is_needed: bool = False
    is_rare: bool = False
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of place, its fields and its secrets."""

    title: str
    says: str
    fields: tuple[PlaceField, ...]
    secrets: tuple[PlaceField, ...] = ()


_SERVER = (
    PlaceField("host", "Host", "sftp.example.com", is_needed=True),
    PlaceField("port", "Port"),
    PlaceField("user", "User name", is_needed=True),
    PlaceField("folder", "Folder", "incoming"),
)
_CERTIFICATE = PlaceField(
    "certificate", "Certificate to trust", "-----BEGIN CERTIFICATE-----", is_rare=True, is_long=True
)
_PASSWORD = PlaceField("password", "Password")
_AT_REST = {"": "As the bucket says", "AES256": "SSE-S3 (AES256)", "aws:kms": "SSE-KMS"}
_ACLS = {
    "": "As the bucket says", "bucket-owner-full-control": "Bucket owner has full control", "private": "Private",
    "bucket-owner-read": "Bucket owner may read", "authenticated-read": "Authenticated users may read",
    "aws-exec-read": "EC2 may read",
}  # fmt: skip

KINDS: Mapping[str, Kind] = {
    "folder": Kind(
        "Folder", "Of this machine, or mounted on it.",
        (PlaceField("path", "Path", "/srv/exchange/out", is_needed=True),),
    ),
    "s3": Kind(
        "S3 bucket", "Amazon S3, or any server that speaks it.",
        (
            PlaceField("bucket", "Bucket", is_needed=True),
            PlaceField("prefix", "Prefix", "onramp/out"),
            PlaceField("access_key", "Access key id", is_needed=True),
            PlaceField("region", "Region", "us-east-1"),
            PlaceField("endpoint", "Endpoint", "https://… where it is not Amazon's", is_rare=True),
            PlaceField("encryption", "Encryption at rest", options=_AT_REST, is_rare=True),
            PlaceField("kms_key", "KMS key", is_rare=True),
            PlaceField("acl", "Access of files", options=_ACLS, is_rare=True),
            _CERTIFICATE,
        ),
        (PlaceField("secret_key", "Secret access key"), PlaceField("session_token", "Session token", is_rare=True)),
    ),
    "sftp": Kind(
        "SFTP server", "By password or key; its host key is confirmed by you.",
        _SERVER,
        (
            _PASSWORD,
            PlaceField("private_key", "Private key", "-----BEGIN OPENSSH PRIVATE KEY-----", is_long=True),
            PlaceField("passphrase", "Passphrase of the key"),
        ),
    ),
    "ftps": Kind("FTPS server", "FTP with TLS.", (*_SERVER, _CERTIFICATE), (_PASSWORD,)),
    "ftp": Kind("FTP server", "Without encryption: password and files can be read on the way.", _SERVER, (_PASSWORD,)),
}  # fmt: skip

AUDIENCE_MANAGER: Mapping[str, str] = {
    "production": "Audience Manager, production", "beta": "Audience Manager, beta"
}  # fmt: skip
"""Its environments, offered beside the kinds."""
BY = {"s3": "S3", "sftp": "SFTP", "ftps": "FTPS"}

WORKS, DOES_NOT, UNTESTED = "Works", "Does not work", "Not tested"
STATES = (WORKS, DOES_NOT, UNTESTED)


def state(one: Destination) -> str:
    """What the last test said, if it was not changed since."""
    return UNTESTED if one.is_working is None else WORKS if one.is_working else DOES_NOT


def title(place: Any) -> str:
    """What a place is."""
    receiver = getattr(place, "receiver", None)
    if receiver is None:
        return KINDS[place.kind].title
    return f"{AUDIENCE_MANAGER[receiver.environment]} ({BY.get(place.kind, place.kind)})"


def where(place: Any) -> str:
    """Where a place leads, in one line."""
    if place.kind == "folder":
        return str(place.path)
    if place.kind == "s3":
        at = f" at {place.endpoint}" if place.endpoint else ""
        return "/".join(part for part in (place.bucket, place.prefix, partner_of(place)) if part) + at
    return f"{place.user} at {place.host}:{place.port}/{place.folder.lstrip('/')}".rstrip("/")


def form(
    kind: Kind, before: Mapping[str, Any], kept: tuple[str, ...], key: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Draws the fields of a kind; returns what stands in them: (fields, secrets), only those that are filled."""
    fields: dict[str, str] = {}
    secrets: dict[str, str] = {}
    everything = [*((one, False) for one in kind.fields), *((one, True) for one in kind.secrets)]

    def draw(one: PlaceField, is_secret: bool) -> None:
        into = secrets if is_secret else fields
        text = _secret(one, key, one.name in kept) if is_secret else _field(one, before.get(one.name), key)
        if text:
            into[one.name] = text

    for one, is_secret in everything:
        if not one.is_rare:
            draw(one, is_secret)
    if rare := [pair for pair in everything if pair[0].is_rare]:
        with st.expander("More", key=f"{key}_more"):
            for one, is_secret in rare:
                draw(one, is_secret)
    return fields, secrets


def _field(one: PlaceField, before: Any, key: str) -> str:
    name = f"{key}_{one.name}"
    if one.options is not None:
        values = list(one.options)
        at = values.index(before) if before in values else 0
        return str(st.selectbox(one.label, values, index=at, format_func=one.options.__getitem__, key=name) or "")
    draw = st.text_area if one.is_long else st.text_input
    text = draw(one.label, value="" if before is None else str(before), key=name, placeholder=one.hint)
    return str(text or "").strip()


def _secret(one: PlaceField, key: str, is_kept: bool) -> str:
    """Write-only: what is kept never comes back to a browser."""
    hint = "Kept. Type to replace it" if is_kept else one.hint or "None"
    name = f"{key}_{one.name}"
    if one.is_long:
        return str(st.text_area(one.label, key=name, placeholder=hint, height=110) or "").strip()
    return str(st.text_input(one.label, type="password", key=name, placeholder=hint, autocomplete="new-password") or "")
