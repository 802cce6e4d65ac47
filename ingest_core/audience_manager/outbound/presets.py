"""Where Audience Manager takes files (spec §2): defaults to make a destination of; nobody here connects to them."""

from __future__ import annotations

from ingest_core.models import Model

ACL = "bucket-owner-full-control"


class Preset(Model):
    """One environment. Without this ACL a writer from another account cannot be read by the bucket's owner."""

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
