"""What a file name says, once it is read, and how it is written again (spec §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Compression = Literal["gz"]
Encryption = Literal["pgp"]
Mode = Literal["sync", "overwrite"]


@dataclass(frozen=True, slots=True)
class NameProblem:
    """Why a name is refused: a code of the catalogue, where (start and stop, characters of the whole name) and why."""

    code: str
    start: int
    stop: int
    why: str

    def moved(self, offset: int) -> NameProblem:
        """The same problem, seen from a text that begins ``offset`` characters earlier."""
        return NameProblem(self.code, self.start + offset, self.stop + offset, self.why)


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the mode of an inbound name: part number, gzip, OpenPGP. ``pgp`` is the extension as written."""

    split: int | None = None
    compression: Compression | None = None
    pgp: Literal["pgp", "gpg"] | None = None

    @property
    def encryption(self) -> Encryption | None:
        """``pgp`` for both extensions."""
        return "pgp" if self.pgp else None

    def __str__(self) -> str:
        parts = ["" if self.split is None else f".{self.split}"]
        parts += [f".{part}" for part in (self.compression, self.pgp) if part]
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class DataName:
    """An inbound data file: whose ids (``dpid``), whose traits (``target``, else ``dpid``), how and which part."""

    dpid: int
    target: int | None
    timestamp: int
    mode: Mode
    variant: Literal["standard", "odc"] = "standard"
    tail: Tail = Tail()
    warnings: tuple[str, ...] = ()

    @property
    def owner(self) -> int:
        """The declared data source: whose traits the file feeds."""
        return self.dpid if self.target is None else self.target

    def __str__(self) -> str:
        odc = "odc_" if self.variant == "odc" else ""
        target = "" if self.target is None else f"_{self.target}"
        return f"ftp_dpm_{odc}{self.dpid}{target}_{self.timestamp:010}.{self.mode}{self.tail}"

    def fields(self) -> dict[str, object]:
        """The parts by name."""
        return {
            "kind": "data",
            "variant": self.variant,
            "dpid": self.dpid,
            "target": self.target,
            "timestamp": self.timestamp,
            "mode": self.mode,
            "split": self.tail.split,
            "compression": self.tail.compression,
            "encryption": self.tail.encryption,
        }


@dataclass(frozen=True, slots=True)
class IdSyncName:
    """A table of ids, one data source per column: ``master`` first, then ``dpids``."""

    prefix: Literal["adobe_id", "c2c_id"]
    master: int
    dpids: tuple[int, ...]
    timestamp: int
    tail: Tail = Tail()
    warnings: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """All DPIDs in the order of the columns."""
        return (self.master, *self.dpids)

    def __str__(self) -> str:
        return f"{self.prefix}_{'_'.join(map(str, self.columns))}_{self.timestamp:010}.sync{self.tail}"

    def fields(self) -> dict[str, object]:
        """The parts by name."""
        return {
            "kind": "id_sync",
            "prefix": self.prefix,
            "master": self.master,
            "dpids": list(self.dpids),
            "timestamp": self.timestamp,
            "split": self.tail.split,
            "compression": self.tail.compression,
            "encryption": self.tail.encryption,
        }


@dataclass(frozen=True, slots=True)
class S3Key:
    """Where an inbound file lies: optional scheme and bucket, folders, partner, upload day, and the file's own name."""

    partner: str
    day: date
    name: DataName | IdSyncName
    file: str
    prefix: str = ""
    scheme: Literal["s3n", "s3", "s3a"] | None = None
    bucket: str | None = None

    def __str__(self) -> str:
        bucket = f"{self.scheme}://{self.bucket}/" if self.scheme else ""
        folders = f"{self.prefix}/" if self.prefix else ""
        return f"{bucket}{folders}{self.partner}/date={self.day.isoformat()}/{self.file}"

    def fields(self) -> dict[str, object]:
        """The parts of the key and of the name in it."""
        return {
            "scheme": self.scheme,
            "bucket": self.bucket,
            "prefix": self.prefix,
            "partner": self.partner,
            "date": self.day.isoformat(),
            "file": self.file,
            **self.name.fields(),
        }


@dataclass(frozen=True, slots=True)
class Root:
    """The part of an outbound name that all files of a sequence share. ``dpid`` only where the template asks for it.

    ``timestamp`` in milliseconds or seconds as ``unit`` says.
    """

    sync_type: Literal["ftp", "s3", "http"]
    order_id: int
    master_dpid: int
    sync_mode: Literal["full", "iter"]
    timestamp: int
    unit: Literal["ms", "s"] = "ms"
    pid_alias: str | None = None
    dpid: int | None = None

    def __str__(self) -> str:
        ids = [self.order_id, *([] if self.dpid is None else [self.dpid]), self.master_dpid]
        alias = f"_{self.pid_alias}" if self.pid_alias else ""
        stamp = f"{self.timestamp:013}" if self.unit == "ms" else f"{self.timestamp:010}"
        return f"{self.sync_type}_{'_'.join(map(str, ids))}{alias}_{self.sync_mode}_{stamp}"

    def fields(self) -> dict[str, object]:
        """The parts by name."""
        return {
            "sync_type": self.sync_type,
            "order_id": self.order_id,
            **({} if self.dpid is None else {"dpid": self.dpid}),
            "master_dpid": self.master_dpid,
            "pid_alias": self.pid_alias,
            "sync_mode": self.sync_mode,
            "timestamp": self.timestamp,
            "timestamp_unit": self.unit,
        }


@dataclass(frozen=True, slots=True)
class OutboundName:
    """One file of an export. ``split``: None for the first part; the dash style is read, never chosen by us (D-32)."""

    root: Root
    split: int | None = None
    split_style: Literal["digits", "dash"] | None = None
    ext: Literal["sync", "csv"] = "sync"
    compression: Compression | None = None
    warnings: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        part = "" if self.split is None else f"-{self.split}" if self.split_style == "dash" else f"{self.split:03}"
        return f"{self.root}{part}.{self.ext}{'.gz' if self.compression else ''}"

    def fields(self) -> dict[str, object]:
        """The parts by name."""
        return {
            "kind": "outbound",
            **self.root.fields(),
            "split": self.split,
            "split_style": self.split_style,
            "ext": self.ext,
            "compression": self.compression,
        }


@dataclass(frozen=True, slots=True)
class InfoName:
    """The transfer-control file of a sequence."""

    root: Root
    warnings: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.root}.info"

    def fields(self) -> dict[str, object]:
        """The parts by name; ``root`` is the sequence's own text."""
        return {"kind": "info", **self.root.fields(), "root": str(self.root)}


Name = DataName | IdSyncName | S3Key | OutboundName | InfoName
