"""Where Audience Manager takes files (spec §2), and destinations that are made of it; nobody here connects to them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_core.errors import InputError
from ingest_core.models import Model

Environment = Literal["production", "beta"]
By = Literal["s3", "sftp", "ftps"]

ACL: Literal["bucket-owner-full-control"] = "bucket-owner-full-control"
"""Without it the owner of the bucket cannot read what a writer of another account left there."""


class Preset(Model):
    """One environment."""

    environment: str
    bucket: str
    host: str
    acl: str = ACL
    layout: str = "PARTNER/date=YYYY-MM-DD/FILE"
    does: str


PRESETS = (
    Preset(
        environment="production", bucket="demdex-s2s-clients", host="ftp-in.demdex.com",
        does="Everything: files are processed, ids are matched, traits are stored.",
    ),
    Preset(
        environment="beta", bucket="demdex-s2s-clients-sandbox-us-east-1", host="sandbox-ftp-in.demdex.com",
        does="Names and contents are checked only; nothing is stored and no id is matched.",
    ),
)  # fmt: skip


class Receiver(BaseModel):
    """That a place is Audience Manager's. ``partner``: the company's folder in the bucket; a server's has none."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    environment: Environment
    partner: str = Field("", max_length=200)

    @field_validator("partner")
    @classmethod
    def _one_folder(cls, partner: str) -> str:
        if (
            partner.startswith("date=")
            or not partner.isprintable()
            or set("/\\") & {*partner}
            or partner in (".", "..")
        ):
            raise ValueError("a partner is one folder, without / and not called like a day's")
        return partner


def fields_of(environment: str, by: str, partner: str = "") -> dict[str, Any]:
    """What is known of a place before anybody gives a key or a user. InputError ``bad_preset``."""
    found = next((one for one in PRESETS if one.environment == environment), None)
    if found is None or by not in ("s3", "sftp", "ftps"):
        raise InputError(
            "There is no such place of Audience Manager. Nothing was created.",
            code="bad_preset",
            hint="production or beta, by s3, sftp or ftps: am presets",
        )
    receiver = {"environment": environment, "partner": partner.strip()}
    if by != "s3":
        return {"kind": by, "host": found.host, "receiver": receiver}
    if not partner.strip():
        raise InputError(
            "Files lie in the bucket under the company's folder, so it has to be named. Nothing was created.",
            code="bad_preset",
            hint="Such as: --partner acme",
        )
    return {"kind": "s3", "bucket": found.bucket, "acl": found.acl, "receiver": receiver}


def environment_of(place: Any) -> Environment | None:
    """Which environment a place is: as it was made, or by its bucket or host. None: not Audience Manager's."""
    receiver: Receiver | None = getattr(place, "receiver", None)
    if receiver is not None:
        return receiver.environment
    return known_as(place)


def known_as(place: Any) -> Environment | None:
    """The environment whose bucket or host this is."""
    names = {str(getattr(place, name, "")).lower() for name in ("bucket", "host")}
    found = next((one for one in PRESETS if names & {one.bucket, one.host}), None)
    return None if found is None else ("beta" if found.environment == "beta" else "production")


def partner_of(place: Any) -> str:
    """The folder that files lie under, before the day; empty where there is none."""
    receiver: Receiver | None = getattr(place, "receiver", None)
    return receiver.partner if receiver is not None and place.kind == "s3" else ""


def lacks_acl(place: Any) -> bool:
    """Whether the owner of a bucket could not read what is left there."""
    return bool(place.kind == "s3" and place.acl != ACL)


def refuse_unreadable(place: Any) -> None:
    """InputError ``acl_missing`` where Audience Manager could not read what would be left in its bucket."""
    if environment_of(place) is not None and lacks_acl(place):
        raise InputError(
            f"Audience Manager cannot read what is left in its bucket without the access {ACL}. Nothing was sent.",
            code="acl_missing",
            hint=f"destination set NAME --acl {ACL}",
        )
