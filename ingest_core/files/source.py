"""The bytes of one file on disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO

from ingest_core.errors import FileError
from ingest_core.models import ByteSource, Progress


class PathSource:
    """A ``ByteSource`` of a file on disk.

    ``name`` is what a person calls the file: only data, never opened, so glob signs and ``..`` in it are harmless
    (facts.md F7). ``size`` in bytes as it was when the source was made. Raises ``FileError`` ``file_not_found``.
    """

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        self.path = Path(path)
        self.name = self.path.name if name is None else name
        try:
            if not self.path.is_file():
                raise FileNotFoundError
            self.size = self.path.stat().st_size
        except (OSError, ValueError):
            raise _not_found(self.name) from None

    def open(self) -> IO[bytes]:
        """A fresh binary stream at offset 0."""
        try:
            return self.path.open("rb")
        except OSError:
            raise _not_found(self.name) from None


def sha256_of(source: ByteSource, progress: Progress = lambda *_: None) -> str:
    """The SHA-256 of the bytes as they are, in hexadecimal."""
    seen, done = hashlib.sha256(), 0
    with source.open() as stream:
        while block := stream.read(1 << 20):
            seen.update(block)
            done += len(block)
            progress("receive", done, source.size)
    return seen.hexdigest()


def _not_found(name: str) -> FileError:
    return FileError(
        f"There is no readable file {name!r}.",
        code="file_not_found",
        hint="Check the path and the permissions. Nothing was changed.",
        facts={"file": name},
    )
