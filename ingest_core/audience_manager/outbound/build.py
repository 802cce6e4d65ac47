"""What a person chose for files that are built from profiles: whose, by which id, with which traits and signals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ingest_core.audience_manager.name_types import DataName, IdSyncName, Tail
from ingest_core.deliveries.order import Column
from ingest_core.models import Model

HASHED = "am_email"
"""The one way in which personal data may leave: SHA-256 of the normalised address (spec §6)."""

GB = 1 << 30
ADDRESSABLE = r"^[0-9]*[A-Za-z][A-Za-z0-9_-]*$"


class Id(Model):
    """An attribute that holds ids. ``recipe``: plain, or am_email for the hash of an address."""

    attribute: str
    recipe: Literal["plain", "am_email"] = "plain"


class ItemRule(Model):
    """What one column gives a person: a trait for everybody, a trait by value, or the value as a signal.

    ``trait`` alone: everybody. ``attribute`` and ``key``: ``key=value``. ``attribute`` and ``traits``: the trait of the
    value, compared without regard to case; other values give nothing.
    """

    trait: int | None = Field(None, gt=0, lt=10**18)
    attribute: str | None = None
    key: str | None = Field(None, pattern=ADDRESSABLE, max_length=100)
    traits: dict[str, int] = {}
    recipe: Literal["plain", "am_email"] = "plain"

    @model_validator(mode="after")
    def _one_of_three(self) -> ItemRule:
        given = (self.trait is not None, self.key is not None, bool(self.traits))
        if sum(given) != 1 or (self.attribute is None) != (self.trait is not None):
            raise ValueError("an item has a trait, or an attribute with a key or with traits")
        if self.key is not None and self.key.lower() in ("d_sid", "d_unsid"):
            raise ValueError("a trait is no key: give it as traits")
        return self


class OtherId(Id):
    """A further column of an ID sync. ``dpid``: whose ids these are."""

    dpid: int = Field(ge=0, lt=10**10)


class Build(Model):
    """One definition. ``segment`` or ``source`` says whose profiles; neither: everybody.

    ``kind`` *data*: lines with ``items``, ids of ``dpid``, traits of ``target``; *id_sync*: rows with ``others``.
    ``changed``: only what changed since the last files that arrived. ``partner``: S3 layout ``partner/date=…/``.
    ``split_bytes``: plain bytes of a file; a gigabyte packs into about 250 MB. More rows or removals than
    ``look_above_*`` want a second look of a person.
    """

    name: str
    segment: str | None = None
    source: str | None = None
    kind: Literal["data", "id_sync"] = "data"
    id: Id
    dpid: int = Field(ge=0, lt=10**10)
    target: int | None = Field(None, gt=0, lt=10**10)
    mode: Literal["sync", "overwrite"] = "sync"
    items: tuple[ItemRule, ...] = ()
    others: tuple[OtherId, ...] = ()
    changed: bool = False
    gzip: bool = False
    pgp: tuple[str, ...] = ()
    split_bytes: int = Field(GB, ge=1_000, le=5 << 30)
    destination: str | None = None
    folder: str | None = None
    partner: str = Field("", pattern=r"^[^/\x00-\x1f]{0,200}$")
    environment: Literal["production", "beta"] = "production"
    look_above_rows: int = Field(1_000_000, ge=0)
    look_above_removals: int = Field(10_000, ge=0)

    @property
    def is_c2c(self) -> bool:
        """An ID sync of customer ids and hashed addresses."""
        return self.kind == "id_sync" and any(one.recipe == HASHED for one in self.others)

    def file_name(self, timestamp: int, split: int | None = None) -> DataName | IdSyncName:
        """The name of a part. ``timestamp``: seconds."""
        tail = Tail(split, "gz" if self.gzip else None, "pgp" if self.pgp else None)
        if self.kind == "data":
            return DataName(self.dpid, self.target, timestamp, self.mode, tail=tail)
        prefix: Literal["adobe_id", "c2c_id"] = "c2c_id" if self.is_c2c else "adobe_id"
        return IdSyncName(prefix, self.dpid, tuple(one.dpid for one in self.others), timestamp, tail=tail)

    def columns(self) -> list[Column]:
        """The id, then what items and other ids read, in their order; a trait of everybody reads nothing."""
        read = [self.id, *(self.others if self.kind == "id_sync" else [one for one in self.items if one.attribute])]
        return [Column(name=f"c{n}", attribute=str(one.attribute), recipe=one.recipe) for n, one in enumerate(read)]

    @property
    def definition(self) -> str:
        """By which name its runs are kept: what the beta environment was sent, production does not have."""
        return self.name if self.environment == "production" else f"{self.name} (beta)"

    @property
    def remembered_by(self) -> tuple[object, ...]:
        """What may not change while the receiver's state is to mean the same."""
        return (self.kind, self.id, self.dpid, self.target, self.others if self.kind == "id_sync" else ())
