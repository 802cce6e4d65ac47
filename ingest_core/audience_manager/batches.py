"""The files of a batch in the order in which they take effect (Audience Manager spec §9.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ingest_core.audience_manager.name_types import DataName, IdSyncName, Name, NameProblem, S3Key, Tail
from ingest_core.audience_manager.names import check_registry, parse_base, parse_s3_key
from ingest_core.audience_manager.registered import Registered
from ingest_core.models import ByteSource


@dataclass(frozen=True)
class Inbound:
    """A file with its name read and its bytes hashed. ``message``: the OpenPGP file that ``source`` was in."""

    source: ByteSource
    name: DataName | IdSyncName
    sha256: str
    message: ByteSource | None = None

    @property
    def came(self) -> ByteSource:
        """The bytes as they came."""
        return self.message or self.source

    @property
    def tail(self) -> Tail:
        """How its bytes are to be read."""
        return self.name.tail if self.message is None else replace(self.name.tail, pgp=None)


def fingerprint(source: ByteSource) -> str:
    """SHA-256 of the bytes as they came, in hex."""
    digest = hashlib.sha256()
    with source.open() as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_name(name: str, registered: Registered) -> DataName | IdSyncName | NameProblem:
    """What the name says, or the first reason to refuse the file for it."""
    read: Name | NameProblem = parse_s3_key(name) if "/" in name else parse_base(name)
    if isinstance(read, NameProblem):
        return read
    if isinstance(read, S3Key):
        read = read.name
    problem = check_registry(read, registered.registry)
    if problem is not None:
        return problem
    assert isinstance(read, DataName | IdSyncName)
    return read


def read_logged(name: str) -> DataName | IdSyncName:
    """The name of a file that was taken once."""
    read = parse_base(name.rpartition("/")[2])
    assert isinstance(read, DataName | IdSyncName)
    return read


def logical_files(files: Iterable[Inbound]) -> list[list[Inbound]]:
    """Data files, the parts of one together and in order; overwrite before sync of the same time (D-28)."""
    groups: dict[tuple[object, ...], list[Inbound]] = {}
    for file in files:
        if isinstance(name := file.name, DataName):
            groups.setdefault(logical_key(name), []).append(file)
    return [sorted(groups[key], key=_part) for key in sorted(groups)]


def sync_files(files: Iterable[Inbound]) -> list[Inbound]:
    """ID sync files by their time."""
    found = [file for file in files if isinstance(file.name, IdSyncName)]
    return sorted(found, key=lambda file: (file.name.timestamp, *_part(file)))


def logical_key(name: DataName) -> tuple[object, ...]:
    """The same of all parts of one logical file; its order among them (D-28)."""
    return (name.timestamp, name.mode == "sync", name.variant, name.dpid, -1 if name.target is None else name.target)


def _part(file: Inbound) -> tuple[int, str]:
    split = file.name.tail.split
    return (-1 if split is None else split, file.source.name)
