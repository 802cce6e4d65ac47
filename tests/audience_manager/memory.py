"""A file that stands in memory."""

from __future__ import annotations

import io
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MemoryFile:
    """The bytes of a file under a name."""

    name: str
    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.data)
