"""Tokens: HMAC-SHA256 under a key per attribute, cut to 128 bits; what tables hold or join on instead of a value.

Computed by ``polars-hash`` (2.5 × pre-keyed hashlib here, without the GIL); a test holds both against each other.
"""

from __future__ import annotations

import hmac
import uuid

import polars as pl
import polars_hash  # noqa: F401  registers the expression namespace
import pyarrow as pa

CLEARED = uuid.UUID(int=0)
"""The nil token: the value was cleared by a later file."""


def tokens(key: str, values: pa.StringArray) -> pa.ExtensionArray:
    """Values (null = absent) → tokens as Arrow UUIDs, null where the value is null."""
    series = pl.Series("v", values, dtype=pl.String)
    digest = pl.col("v").chash.hmac_sha256(key=key).str.slice(0, 32).str.decode("hex")  # type: ignore[attr-defined]
    frame = pl.DataFrame({"v": series}).select(pl.when(pl.col("v").is_null()).then(None).otherwise(digest).alias("t"))
    storage = frame["t"].to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def token(key: str, value: str) -> uuid.UUID:
    """The token of one value."""
    return uuid.UUID(bytes=hmac.digest(key.encode(), value.encode(), "sha256")[:16])
