"""Landing files: received originals, encrypted in chunks under a key of their own, random access, 0600.

A file is ``<id>.land``: chunks of 64 KiB plaintext, each sealed by AES-256-GCM with its number as associated data, so
that chunks cannot be swapped. ``<id>.json`` holds the user's name, sealed too: a name may be personal.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_core.errors import InputError, StateError
from ingest_core.models import ByteSource
from ingest_core.vault.keys import Keyset

CHUNK = 65_536
_SEALED = CHUNK + 28
_ID = re.compile(r"[0-9a-f]{32}")


class LandingZone:
    """Creates, resumes, opens and deletes landing files of one workspace."""

    def __init__(self, folder: Path, keyset: Keyset) -> None:
        self._folder = folder
        self._keyset = keyset
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        """Where the files lie: private to the workspace."""
        return self._folder

    def create(self, name: str, size: int | None = None) -> LandingWriter:
        """A writer for a new file; ``name`` is what the user calls it, ``size`` what was announced."""
        landing_id = secrets.token_hex(16)
        meta = json.dumps({"name": name, "size": size}).encode()
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(self._key(landing_id)).encrypt(nonce, meta, b"meta")
        _write_private(self._path(landing_id, ".json"), sealed)
        _write_private(self._path(landing_id, ".land"), b"")
        return LandingWriter(landing_id, self._path(landing_id, ".land"), self._key(landing_id))

    def resume(self, landing_id: str) -> LandingWriter:
        """A writer that goes on where the file ends."""
        return LandingWriter(landing_id, self._existing(landing_id), self._key(landing_id))

    def offset(self, landing_id: str) -> int:
        """Bytes received so far; only whole chunks count until the file is finished."""
        return _plain_size(self._existing(landing_id).stat().st_size)

    def open(self, landing_id: str) -> LandingSource:
        """The file as a ByteSource."""
        path = self._existing(landing_id)
        sealed = self._path(landing_id, ".json").read_bytes()
        meta = json.loads(_unseal(self._key(landing_id), sealed, b"meta"))
        return LandingSource(str(meta["name"]), _plain_size(path.stat().st_size), path, self._key(landing_id))

    def has(self, landing_id: str) -> bool:
        """Whether the file is there."""
        return all(path.exists() for path in self.paths(landing_id))

    def id_of(self, source: ByteSource) -> str | None:
        """The landing id of a file that was opened here, None of any other."""
        is_ours = isinstance(source, LandingSource) and source.path.parent == self._folder
        return source.path.stem if is_ours and isinstance(source, LandingSource) else None

    def delete(self, landing_id: str) -> None:
        """Removes the file; nothing happens when it is gone already."""
        for path in self.paths(landing_id):
            path.unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """All landing files that are there, whole or not."""
        return sorted({path.stem for path in self._folder.iterdir() if _ID.fullmatch(path.stem)})

    def paths(self, landing_id: str) -> tuple[Path, Path]:
        """Where the file and its sealed name lie. Once finished they never change, but they may go."""
        return self._path(landing_id, ".land"), self._path(landing_id, ".json")

    def _key(self, landing_id: str) -> bytes:
        return self._keyset.file_key(landing_id)

    def _path(self, landing_id: str, suffix: str) -> Path:
        if not _ID.fullmatch(landing_id):
            raise InputError("This is not a received file.", code="no_such_file", hint="Send the file again.")
        return self._folder / (landing_id + suffix)

    def _existing(self, landing_id: str) -> Path:
        path = self._path(landing_id, ".land")
        if not path.exists():
            raise StateError("The received file is gone.", code="no_such_file", hint="Send the file again.")
        return path


class LandingWriter:
    """Appends bytes; whole chunks reach the disk at once, the rest when it is finished or parked."""

    def __init__(self, landing_id: str, path: Path, key: bytes) -> None:
        self.landing_id = landing_id
        self._file = path.open("r+b")
        self._aead = AESGCM(key)
        size = self._file.seek(0, os.SEEK_END)
        self._number, tail = divmod(size, _SEALED)
        self._rest = bytearray()
        if tail:  # parked or torn: take the last short chunk back into memory if it is whole
            self._file.seek(self._number * _SEALED)
            sealed = self._file.read()
            try:
                self._rest += self._aead.decrypt(sealed[:12], sealed[12:], b"%d" % self._number)
            except (InvalidTag, ValueError):
                self._rest.clear()
            self._file.seek(self._number * _SEALED)
            self._file.truncate()

    @property
    def offset(self) -> int:
        """Bytes taken so far."""
        return self._number * CHUNK + len(self._rest)

    def write(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= CHUNK:
            self._append(bytes(self._rest[:CHUNK]))
            del self._rest[:CHUNK]
            self._number += 1

    def finish(self) -> str:
        """Writes what is left, syncs, closes; returns the landing id. A parked file can be resumed later."""
        if self._rest:
            self._append(bytes(self._rest))
            self._rest.clear()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.landing_id

    def _append(self, chunk: bytes) -> None:
        nonce = secrets.token_bytes(12)
        self._file.write(nonce + self._aead.encrypt(nonce, chunk, b"%d" % self._number))


class LandingSource:
    """A ByteSource that decrypts while it is read."""

    def __init__(self, name: str, size: int, path: Path, key: bytes) -> None:
        self.name = name
        self.size = size
        self.path = path
        self._key = key

    def open(self) -> IO[bytes]:
        return io.BufferedReader(_LandingStream(self.path, self._key, self.size), CHUNK * 4)


class _LandingStream(io.RawIOBase):
    """Seekable plaintext over a sealed file."""

    def __init__(self, path: Path, key: bytes, size: int) -> None:
        self._file = path.open("rb")
        self._aead = AESGCM(key)
        self._size = size
        self._at = 0
        self._held = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        done = 0
        while done < len(view) and self._at < self._size:
            number, skip = divmod(self._at, CHUNK)
            piece = self._chunk(number)[skip : skip + len(view) - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._at += len(piece)
        return done

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(number * _SEALED)
            self._held = (number, _open_chunk(self._aead, self._file.read(_SEALED), number))
        return self._held[1]


def _open_chunk(aead: AESGCM, sealed: bytes, number: int) -> bytes:
    try:
        return aead.decrypt(sealed[:12], sealed[12:], b"%d" % number)
    except (InvalidTag, ValueError):
        raise _damaged() from None


def _unseal(key: bytes, sealed: bytes, label: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], label)
    except (InvalidTag, ValueError):
        raise _damaged() from None


def _damaged() -> StateError:
    return StateError(
        "The received file was changed on disk. Nothing was loaded.",
        code="landing_damaged",
        hint="Send the file again.",
    )


def _plain_size(sealed: int) -> int:
    chunks, tail = divmod(sealed, _SEALED)
    return chunks * CHUNK + max(0, tail - 28)


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
