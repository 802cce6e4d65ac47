"""The file of a backup (``.onramp``): a tar of plain members, its manifest last, and a seal over all of it.

The seal is a line after the tar's end with the SHA-256 of every byte before it: a changed bit anywhere, or a missing
end, is found before anything is looked at. Members have the names of a workspace's files and no others, so that no name
of an archive can lead out of the folder it is unpacked into.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest_core.errors import FileError

FORMAT: Literal[1] = 1
MANIFEST = "manifest.json"
_MEMBER = re.compile(r"onramp\.duckdb|settings\.json|keys\.json|manifest\.json|landing/[0-9a-f]{32}\.(land|json)")
_SEAL = b"onramp sha256 %s\n"
_SEAL_BYTES = len(_SEAL % hashlib.sha256().hexdigest().encode())
_BLOCK = 1 << 20


class Member(BaseModel):
    """One file of the backup; size in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: str


class Manifest(BaseModel):
    """What the backup says of itself.

    ``digest`` is None where it was left out; ``keys`` is included, left out, or environment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    onramp: str
    created_at: datetime
    digest: str | None
    profiles: int
    memberships: int
    uploads: int
    keys: str
    members: dict[str, Member]


class ArchiveWriter:
    """Adds members to the tar and remembers their sizes and hashes."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.members: dict[str, Member] = {}

    def add(self, name: str, path: Path) -> None:
        """Streams a file into the archive."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            hashed = _HashedReader(file)
            self._add(name, size, hashed)
        self.members[name] = Member(size=size, sha256=hashed.sha256.hexdigest())

    def close(self, manifest: Manifest) -> None:
        """Ends the archive with its manifest."""
        text = manifest.model_dump_json(indent=1).encode()
        self._add(MANIFEST, len(text), io.BytesIO(text))

    def _add(self, name: str, size: int, file: object) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(time.time())
        self._tar.addfile(entry, file)  # type: ignore[arg-type]


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """A new archive, 0600, sealed and on the disk when the block ends."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        hashed = _HashedWriter(file)
        with tarfile.open(fileobj=hashed, mode="w", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            yield ArchiveWriter(tar)
        file.write(_SEAL % hashed.sha256.hexdigest().encode())
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # who checks it reads the disk, not the memory


def check_archive(path: Path) -> Manifest:
    """Reads all of it back. FileError ``not_a_backup``, ``backup_damaged``, ``backup_too_new``."""
    return _read(path, None)


def unpack(path: Path, folder: Path) -> Manifest:
    """Writes the members into ``folder``, checked like ``check_archive``; what an error interrupts stays there."""
    return _read(path, folder)


def _read(path: Path, folder: Path | None) -> Manifest:
    with path.open("rb") as file:
        _check_seal(file)
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                found, manifest = _members(tar, folder)
        except (tarfile.TarError, ValidationError, EOFError, ValueError):
            raise _damaged() from None
    if manifest is None or manifest.members != found:
        raise _damaged()
    return manifest


def _check_seal(file: IO[bytes]) -> None:
    end = file.seek(0, os.SEEK_END) - _SEAL_BYTES
    file.seek(max(0, end))
    seal = file.read()
    if not seal.startswith(_SEAL.split(b"%")[0]):
        raise FileError(
            "This is not a whole backup: its end is missing, or it was never one. Nothing was restored.",
            code="not_a_backup",
            hint="Take another backup file.",
        )
    file.seek(0)
    digest = hashlib.sha256()
    left = end
    while left and (block := file.read(min(_BLOCK, left))):
        digest.update(block)
        left -= len(block)
    if seal != _SEAL % digest.hexdigest().encode():
        raise _damaged()


def _members(tar: tarfile.TarFile, folder: Path | None) -> tuple[dict[str, Member], Manifest | None]:
    found: dict[str, Member] = {}
    manifest = None
    for entry in tar:
        is_plain = entry.type == tarfile.REGTYPE and not entry.issparse()
        if not is_plain or not _MEMBER.fullmatch(entry.name) or entry.name in found or manifest is not None:
            raise _damaged()
        file = tar.extractfile(entry)
        assert file is not None
        if entry.name == MANIFEST:
            manifest = _manifest(file.read())
        else:
            found[entry.name] = _take(file, None if folder is None else folder / entry.name)
    return found, manifest


def _manifest(text: bytes) -> Manifest:
    data = json.loads(text)
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise FileError(
            "This backup was written by a newer version of Onramp. Nothing was restored.",
            code="backup_too_new",
            hint="Update Onramp.",
            facts={"format": version},
        )
    return Manifest.model_validate(data)


def _take(file: IO[bytes], target: Path | None) -> Member:
    """Reads a member to its end, writing it where ``target`` says."""
    hashed = _HashedReader(file)
    if target is None:
        size = sum(len(block) for block in iter(lambda: hashed.read(_BLOCK), b""))
        return Member(size=size, sha256=hashed.sha256.hexdigest())
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(hashed, out, _BLOCK)
        out.flush()
        os.fsync(out.fileno())
        return Member(size=out.tell(), sha256=hashed.sha256.hexdigest())


class _HashedReader:
    """A file to read that hashes what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


class _HashedWriter:
    """A file to write that hashes what passes; knows where it is, as ``tarfile`` asks."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()


def _damaged() -> FileError:
    return FileError(
        "This backup is not what was written: some of it has changed. Nothing was restored.",
        code="backup_damaged",
        hint="Take another copy of the backup file.",
    )
