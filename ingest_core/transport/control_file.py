"""The control file (``.info``) of a delivery: what was left at a place, so that the receiver can check it is whole.

Audience Manager spec §15.6: strict JSON, sizes and MD5 of the bytes as delivered, lines of the content after unpacking
(header and blank lines included). It is the last file to be sent (D-50), and does not count itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from ingest_core.models import ByteSource

SUFFIX = ".info"

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksums:
    """Of the bytes as delivered: their number, MD5 and SHA-256 in hexadecimal."""

    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file as delivered. ``lines`` counts its content after unpacking, ``size`` and ``md5`` the bytes sent."""

    name: str
    size: int
    lines: int
    md5: str


def control_file(name: str, files: Sequence[SentFile]) -> bytes:
    """The JSON about these files, in the order in which they follow each other.

    ``name``: of the whole, without split number and compression.
    """
    listed = [
        {
            "FileByteSize": file.size,
            "FileLineCount": file.lines,
            "FileName": file.name,
            "FileSequenceNumber": number,
            "md5": file.md5,
        }
        for number, file in enumerate(files, 1)
    ]
    totals = {
        "FileName": name,
        "TotalByteSize": sum(file.size for file in files),
        "TotalNumberFiles": len(files),
        "TotalNumberLines": sum(file.lines for file in files),
    }
    return (json.dumps({"Files": listed, "Totals": totals}, ensure_ascii=False, indent=1) + "\n").encode()


def checksums(source: ByteSource) -> Checksums:
    """One pass over the bytes."""
    with source.open() as stream:
        return _read(stream)


def _read(stream: IO[bytes]) -> Checksums:
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    while block := stream.read(_BLOCK):
        md5.update(block)
        sha256.update(block)
        size += len(block)
    return Checksums(size, md5.hexdigest(), sha256.hexdigest())
