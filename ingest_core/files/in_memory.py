"""A small file that stands in memory, such as a control file."""

from __future__ import annotations

import io
from typing import IO


class InMemory:
    """A ByteSource over bytes."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self._data = data

    def open(self) -> IO[bytes]:
        return io.BytesIO(self._data)
